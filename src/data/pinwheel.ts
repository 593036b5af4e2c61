import { f32Option, integerOption, optionsObject } from "../graph/options.ts";
import { add, cos, exp, multiply, sin, sqrt, square, subtract, toFloat } from "../ops/arithmetic.ts";
import { concat, reshape, slice } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { logSumExp } from "./log-sum-exp.ts";
import { meanUnderNormal } from "./mean-under-normal.ts";
import { directionOf, expectPoint, isNowhere } from "./point.ts";
import type { DataSource } from "./source.ts";

/** Data units per unit of f. */
const SCALE = 2;

/** An angle beyond it has no digit left in f64. */
const LARGEST_BEND = 2 ** 53;

/**
 * Arms of a pinwheel: x = 2 R(2 pi k / arms + rate exp|f|) f, with f ~ N((1, 0), diag(radialStd^2, tangentialStd^2)), arm
 * k uniform, R(a) the rotation by a. The angle is a function of |f| = |x| / 2, so each arm's map keeps areas and is
 * undone by turning back: log-density and score are exact, and the entropy to about 1e-7. Where the angle is so large that
 * f64 has no digit of it (at the default rate beyond |x| = 76), they are those of the most that any angle gives.
 *
 * @param arms - at least 1; default 5.
 * @param radialStd - along an arm before it is bent, above 0; default 0.3.
 * @param tangentialStd - across it, above 0; default 0.1.
 * @param rate - radians the arm turns, over exp|f|; default 0.25.
 * @throws {@link ConfigError} when one is outside its range.
 */
export function pinwheel(
  options: { arms?: number; radialStd?: number; tangentialStd?: number; rate?: number } = {},
): DataSource {
  optionsObject("options of pinwheel", options, ["arms", "radialStd", "tangentialStd", "rate"]);
  const { arms = 5, radialStd = 0.3, tangentialStd = 0.1, rate = 0.25 } = options;
  integerOption("arms of pinwheel", arms, 1, 1024);
  f32Option("radialStd of pinwheel", radialStd, { minimum: 0, open: "minimum" });
  f32Option("tangentialStd of pinwheel", tangentialStd, { minimum: 0, open: "minimum" });
  f32Option("rate of pinwheel", rate);

  const logNormalizer = -Math.log(2 * Math.PI * radialStd * tangentialStd) - Math.log(arms) - 2 * Math.log(SCALE);
  const step = (2 * Math.PI) / arms;

  const bendAt = (x: number, y: number) => (rate === 0 ? 0 : rate * Math.exp(Math.hypot(x, y) / SCALE));
  const widest = Math.max(radialStd, tangentialStd);
  /** How far beyond 1 f is, in the widest deviation, where the angle of f is not known; undefined elsewhere. */
  const farOut = (x: number, y: number) => {
    const distance = (Math.hypot(x, y) / SCALE - 1) / widest;
    const known = Math.abs(bendAt(x, y)) < LARGEST_BEND && Number.isFinite(distance ** 2 * (widest / radialStd) ** 2);
    return known ? undefined : distance;
  };

  /** By arm: f for the point, and the log of what the arm adds to the density. */
  const armsAt = (x: number, y: number) =>
    Array.from({ length: arms }, (_, k) => {
      const bend = bendAt(x, y);
      const f = rotate(x / SCALE, y / SCALE, -(k * step + bend));
      const log = -0.5 * (((f[0] - 1) / radialStd) ** 2 + (f[1] / tangentialStd) ** 2) + logNormalizer;
      return { k, bend, f, log };
    });
  const logDensity = (point: ArrayLike<number>) => {
    const [x, y] = expectPoint(point, 2);
    if (isNowhere([x, y])) return Number.NEGATIVE_INFINITY;
    const distance = farOut(x, y);
    if (distance !== undefined) return logNormalizer - 0.5 * distance ** 2;
    return logSumExp(armsAt(x, y).map(({ log }) => log));
  };

  return {
    name: "pinwheel",
    options: { arms, radialStd, tangentialStd, rate },
    dimension: 2,
    draw: ({ rows, random }) => {
      const spread = table([radialStd, tangentialStd], [1, 2]);
      const f = add(multiply(random("normal", [rows, 2]), spread), table([1, 0], [1, 2]));
      const first = slice(f, 1, 0, 1);
      const second = slice(f, 1, 1, 2);
      const bend = multiply(exp(sqrt(add(square(first), square(second)))), rate);
      const arm = reshape(toFloat(random("index", [rows], { bound: arms })), [rows, 1]);
      const angle = add(multiply(arm, step), bend);
      const c = multiply(cos(angle), SCALE);
      const s = multiply(sin(angle), SCALE);
      return concat(
        [subtract(multiply(c, first), multiply(s, second)), add(multiply(s, first), multiply(c, second))],
        1,
      );
    },
    logDensity,
    // With y = x / SCALE, J the rotation by pi/2 and g the gradient at f: grad_y = R(a) g - (da/d|y|) (g . J f) y/|y|.
    score: (point) => {
      const [x, y] = expectPoint(point, 2);
      if (isNowhere([x, y])) return [0, 0];
      const distance = farOut(x, y);
      if (distance !== undefined) {
        return directionOf([x, y]).map((part) => (part === 0 ? 0 : (-part * distance) / (SCALE * widest)));
      }
      const total = logDensity([x, y]);
      const radius = Math.hypot(x, y);
      return armsAt(x, y).reduce(
        ([sumX, sumY], { k, bend, f, log }) => {
          const g = [(1 - f[0]) / radialStd ** 2, -f[1] / tangentialStd ** 2];
          const turned = rotate(g[0], g[1], k * step + bend);
          const along = radius > 0 ? (bend * (g[1] * f[0] - g[0] * f[1])) / radius : 0;
          const share = Math.exp(log - total) / SCALE;
          if (share === 0) return [sumX, sumY];
          return [sumX + share * (turned[0] - along * x), sumY + share * (turned[1] - along * y)];
        },
        [0, 0],
      );
    },
    get entropy() {
      // Every arm is the first one turned: the mean over one is the mean over all.
      return -meanUnderNormal(2, ([first, second]) => {
        const f = [1 + radialStd * first, tangentialStd * second];
        const [x, y] = rotate(f[0], f[1], rate * Math.exp(Math.hypot(f[0], f[1])));
        return logDensity([SCALE * x, SCALE * y]);
      });
    },
  };
}

/** (x, y) turned by an angle in radians. */
function rotate(x: number, y: number, angle: number): readonly [number, number] {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  return [c * x - s * y, s * x + c * y];
}
