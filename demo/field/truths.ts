/** What is known of each data set: its marginal field, in closed form or as close to it as a picture can show. */
import type { DataSource } from "divflow";
import { boxesTruth } from "./boxes.ts";
import { type Components, evenly, mixtureTruth } from "./mixture.ts";
import type { Truth } from "./truth.ts";

/** Distance between the means that stand for a line, over the deviation about it: no ripple is left beyond 2e-5. */
const SPACING = 1.3;

/** The truth of a named set of the library, by the options that the source itself gives; undefined of any other. */
export function truthOf(source: Pick<DataSource, "name" | "options">): Truth | undefined {
  if (source.name === "checkerboard") {
    const edges = [-2, -1, 0, 1, 2].map((edge) => edge / 0.45);
    return boxesTruth({ columns: edges, rows: edges, has: (i, j) => (i + j) % 2 === 0 });
  }
  const components = componentsOf(source);
  const caveat = "The true field of the pinwheel is taken of 1,500 small Gaussians, which are close to it.";
  return components && mixtureTruth(components, source.name === "pinwheel" ? caveat : undefined);
}

/** The Gaussians that stand for a named set; undefined of one that is none. */
export function componentsOf({ name, options }: Pick<DataSource, "name" | "options">): Components | undefined {
  switch (name) {
    case "eight-gaussians":
      return eight(options as { radius: number; std: number });
    case "moons":
      return moons(options as { noise: number });
    case "spirals":
      return spirals(options as { turns: number; noise: number });
    case "rings":
      return circles(options as { radii: readonly number[]; noise: number });
    case "pinwheel":
      return pinwheel(options as unknown as Pinwheel);
    default:
      return undefined;
  }
}

function eight({ radius, std }: { radius: number; std: number }): Components {
  const angles = Array.from({ length: 8 }, (_, k) => (k * Math.PI) / 4);
  return evenly(
    angles.flatMap((angle) => [radius * Math.cos(angle), radius * Math.sin(angle)]),
    std * std,
  );
}

/** Midpoints of `count` equal parts of (0, 1). */
const midpoints = (count: number) => Array.from({ length: count }, (_, i) => (i + 0.5) / count);

function moons({ noise }: { noise: number }): Components {
  const each = midpoints(Math.ceil((2 * Math.PI) / (SPACING * noise)));
  const upper = each.map((u) => [2 * Math.cos(Math.PI * u) - 1, 2 * Math.sin(Math.PI * u) - 0.5] as const);
  return evenly(
    [1, -1].flatMap((side) => upper.flatMap(([x, y]) => [side * x, side * y])),
    noise * noise,
  );
}

function spirals({ turns, noise }: { turns: number; noise: number }): Components {
  const most = 2 * Math.PI * turns;
  const length = most ** 2 / 6;
  const arm = midpoints(Math.ceil((1.3 * length) / (SPACING * noise))).map((u) => {
    const angle = most * Math.sqrt(u);
    return [(-Math.cos(angle) * angle) / 3, (Math.sin(angle) * angle) / 3] as const;
  });
  return evenly(
    [1, -1].flatMap((side) => arm.flatMap(([x, y]) => [side * x, side * y])),
    noise * noise,
  );
}

/** Each circle has the same weight, whatever its length. */
export function circles({ radii, noise }: { radii: readonly number[]; noise: number }): Components {
  const means: number[] = [];
  const weights: number[] = [];
  for (const radius of radii) {
    const count = Math.ceil((2 * Math.PI * radius) / (SPACING * noise));
    for (const u of midpoints(count)) {
      means.push(radius * Math.cos(2 * Math.PI * u), radius * Math.sin(2 * Math.PI * u));
      weights.push(1 / (count * radii.length));
    }
  }
  return { means, weights, variances: new Float64Array(weights.length).fill(noise * noise) };
}

interface Pinwheel {
  readonly arms: number;
  readonly radialStd: number;
  readonly tangentialStd: number;
  readonly rate: number;
}

/** 30 quantiles along an arm by 10 across it, bent as the arm is, and blurred by about what lies between two. */
function pinwheel({ arms, radialStd, tangentialStd, rate }: Pinwheel): Components {
  const [along, across] = [midpoints(30).map(quantile), midpoints(10).map(quantile)];
  const means: number[] = [];
  for (let arm = 0; arm < arms; arm++) {
    for (const a of along) {
      for (const b of across) {
        const [x, y] = [1 + radialStd * a, tangentialStd * b];
        const angle = (2 * Math.PI * arm) / arms + rate * Math.exp(Math.hypot(x, y));
        means.push(2 * (Math.cos(angle) * x - Math.sin(angle) * y), 2 * (Math.sin(angle) * x + Math.cos(angle) * y));
      }
    }
  }
  return evenly(means, (0.7 * tangentialStd) ** 2);
}

/** Of the standard normal, to some 1e-9: bisection on a series would be no shorter. Acklam's rational form, middle and tails. */
function quantile(p: number): number {
  const [a, b] = [
    [
      -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
      2.506628277459239,
    ],
    [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
  ];
  const horner = (coefficients: readonly number[], z: number) => coefficients.reduce((sum, one) => sum * z + one, 0);
  const q = p - 0.5;
  return (horner(a as number[], q * q) * q) / horner(b as number[], q * q);
}
