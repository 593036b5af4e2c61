import { ConfigError } from "../errors.ts";
import { f32Option, optionsObject } from "../graph/options.ts";
import { add, cos, multiply, sin } from "../ops/arithmetic.ts";
import { gather } from "../ops/rows.ts";
import { concat } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { scaledBesselI } from "./bessel.ts";
import { logSumExp } from "./log-sum-exp.ts";
import { directionOf, expectPoint, isNowhere } from "./point.ts";
import type { DataSource } from "./source.ts";

/**
 * Circles around 0, each equally likely, blurred: r (cos a, sin a) + noise N(0, I), with a ~ U(0, 2 pi). At distance d
 * from 0, a circle gives the density exp(-(d^2 + r^2) / (2 noise^2)) I_0(d r / noise^2) / (2 pi noise^2), I_0 the
 * modified Bessel function: log-density and score are exact, and the entropy to about 1e-7.
 *
 * @param radii - of the circles, in data units, above 0; default 0.75, 1.5, 2.25, 3.
 * @param noise - standard deviation, in data units, above 0; default 0.08.
 * @throws {@link ConfigError} when there is no radius, or a number is outside its range.
 */
export function rings(options: { radii?: readonly number[]; noise?: number } = {}): DataSource {
  const { radii: given = [0.75, 1.5, 2.25, 3], noise = 0.08 } = optionsObject("options of rings", options, [
    "radii",
    "noise",
  ]);
  if (!Array.isArray(given) || given.length === 0) {
    throw new ConfigError({
      subject: "radii of rings",
      given,
      expected: "a list that is not empty",
      remedy: "Give one radius for each ring.",
    });
  }
  const radii: readonly number[] = [...given]; // the caller may change theirs
  radii.forEach((radius, k) => {
    f32Option(`radii[${k}] of rings`, radius, { minimum: 0, open: "minimum" });
  });
  f32Option("noise of rings", noise, { minimum: 0, open: "minimum" });
  const variance = noise * noise;

  /** By circle: the log of what it adds to the density at distance d. I_0 is taken with exp(-d r / variance). */
  const terms = (d: number) =>
    radii.map(
      (r) =>
        -((d - r) ** 2) / (2 * variance) +
        Math.log(scaledBesselI(0, (d * r) / variance) / (2 * Math.PI * variance * radii.length)),
    );
  const logDensityAt = (d: number) => logSumExp(terms(d));

  return {
    name: "rings",
    options: { radii: [...radii], noise },
    dimension: 2,
    draw: ({ rows, random }) => {
      const radius = gather(table(radii, [radii.length, 1]), random("index", [rows], { bound: radii.length }));
      const angle = multiply(random("uniform", [rows, 1]), 2 * Math.PI);
      const circle = multiply(concat([cos(angle), sin(angle)], 1), radius);
      return add(circle, multiply(random("normal", [rows, 2]), noise));
    },
    logDensity: (point) => {
      const [x, y] = expectPoint(point, 2);
      return isNowhere([x, y]) ? Number.NEGATIVE_INFINITY : logDensityAt(Math.hypot(x, y));
    },
    score: (point) => {
      const [x, y] = expectPoint(point, 2);
      const d = Math.hypot(x, y);
      if (d === 0 || isNowhere([x, y])) return [0, 0];
      const logs = terms(d);
      const total = logSumExp(logs);
      if (!Number.isFinite(total)) {
        // So far out that the density is 0 in f64: the widest circle has all of it.
        const slope = (Math.max(...radii) - d) / variance;
        return directionOf([x, y]).map((part) => (part === 0 ? 0 : part * slope));
      }
      const slope = radii.reduce((sum, r, k) => {
        const argument = (d * r) / variance;
        const ratio = scaledBesselI(1, argument) / scaledBesselI(0, argument); // I_0' = I_1
        return sum + (Math.exp(logs[k] - total) * (r * ratio - d)) / variance;
      }, 0);
      return [(slope * x) / d, (slope * y) / d];
    },
    get entropy() {
      // -integral of 2 pi d p log p over d, by the trapezoid rule; the integrand is smooth, and 0 at both ends.
      const step = noise / 16;
      const end = Math.max(...radii) + 9 * noise;
      let entropy = 0;
      for (let d = step; d < end; d += step) {
        const log = logDensityAt(d);
        entropy -= step * 2 * Math.PI * d * Math.exp(log) * log;
      }
      return entropy;
    },
  };
}
