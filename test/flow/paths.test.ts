// Path schedulers: closed forms, rates as slopes, ends, and f32 accuracy up to the last times before an end.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { ConfigError } from "../../src/errors.ts";
import { divergenceForms, divergenceWeights, fdm } from "../../src/flow/losses/fdm.ts";
import { brownianBridge } from "../../src/flow/paths/brownian-bridge.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import { linearVP } from "../../src/flow/paths/linear-vp.ts";
import { dilation, type PathScheduler, pathScore, pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { morePathNames, pathFrom, pathNames } from "../../src/flow/paths/registry.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { veSDE } from "../../src/flow/paths/ve-sde.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import { type Node, sizeOf } from "../../src/graph/node.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { broadcast, reshape } from "../../src/ops/shape.ts";
import { pathOf } from "../../src/train/parts.ts";
import { numbers, type Precision, valuesOf, variable } from "./evaluate.ts";

interface Closed {
  readonly path: PathScheduler;
  alpha(t: number): number;
  sigma(t: number): number;
  /** alpha, sigma at t = 0 and at t = 1. */
  readonly ends: readonly [number, number, number, number];
}

const exponent = (t: number) => ((1 - t) ** 2 * (20 - 0.1)) / 2 + (1 - t) * 0.1;

/** sigma as 1 - ... would lose its digits in f64 too as t -> 1: each is written with its small factor in front. */
const closed: Record<string, Closed> = {
  "cond-ot": { path: condOT(), alpha: (t) => t, sigma: (t) => 1 - t, ends: [0, 1, 1, 0] },
  "cond-ot, sigmaMin 0.1": {
    path: condOT({ sigmaMin: 0.1 }),
    alpha: (t) => t,
    sigma: (t) => 1 - 0.9 * t,
    ends: [0, 1, 1, 0.1],
  },
  "linear-vp": { path: linearVP(), alpha: (t) => t, sigma: (t) => Math.sqrt((1 - t) * (1 + t)), ends: [0, 1, 1, 0] },
  cosine: {
    path: cosine(),
    alpha: (t) => Math.sin((Math.PI * t) / 2),
    sigma: (t) => Math.sin((Math.PI * (1 - t)) / 2),
    ends: [0, 1, 1, 0],
  },
  vp: {
    path: vp(),
    alpha: (t) => Math.exp(-exponent(t) / 2),
    sigma: (t) => Math.sqrt(-Math.expm1(-exponent(t))),
    ends: [Math.exp(-5.025), Math.sqrt(1 - Math.exp(-10.05)), 1, 0],
  },
  polynomial: {
    path: polynomial(),
    alpha: (t) => t ** 3,
    sigma: (t) => (1 - t) * (1 + t + t * t),
    ends: [0, 1, 1, 0],
  },
  "polynomial, degree 1": { path: polynomial({ degree: 1 }), alpha: (t) => t, sigma: (t) => 1 - t, ends: [0, 1, 1, 0] },
  ve: { path: ve(), alpha: () => 1, sigma: (t) => 0.01 * 1000 ** (1 - t), ends: [1, 10, 1, 0.01] },
  "ve, sigmaMax 300": {
    path: ve({ sigmaMin: 1e-3, sigmaMax: 300 }),
    alpha: () => 1,
    sigma: (t) => 1e-3 * 300_000 ** (1 - t),
    ends: [1, 300, 1, 1e-3],
  },
  "ve-sde": {
    path: veSDE(),
    alpha: () => 1,
    sigma: (t) => 1e-3 * Math.sqrt(Math.expm1(2 * Math.log(300_000) * (1 - t))) + 1e-6,
    ends: [1, Math.sqrt(300 ** 2 - 1e-6) + 1e-6, 1, 1e-6],
  },
};

function at(path: PathScheduler, times: readonly number[], precision: Precision = "f64") {
  const { alpha, sigma, alphaRate, sigmaRate } = path.at(numbers(times, [times.length, 1]));
  const values = valuesOf([alpha, sigma, alphaRate, sigmaRate], new Map(), precision);
  return { alpha: values[0], sigma: values[1], alphaRate: values[2], sigmaRate: values[3] };
}

/** The largest |difference| relative to each value by itself. */
function elementwiseError(actual: ArrayLike<number>, expected: readonly number[]): number {
  return Math.max(...expected.map((value, i) => Math.abs(actual[i] - value) / (Math.abs(value) || 1)));
}

const inner = [0.001, 0.03, 0.2, 0.37, 0.5, 0.71, 0.9, 0.99, 0.9999];

/** The ends of what options allow, and near them. */
const extremes: Record<string, PathScheduler> = {
  "brownian-bridge": brownianBridge(),
  "brownian-bridge, sigma 1e-6": brownianBridge({ sigma: 1e-6 }),
  "brownian-bridge, sigma 1000": brownianBridge({ sigma: 1000 }),
  "cond-ot, sigmaMin 1.2e-38": condOT({ sigmaMin: 1.2e-38 }),
  "cond-ot, sigmaMin 1 - 2^-24": condOT({ sigmaMin: 1 - 2 ** -24 }),
  "vp, betaMax 100": vp({ betaMax: 100 }),
  "vp, both 100": vp({ betaMin: 100, betaMax: 100 }),
  "vp, betaMin 1.2e-38": vp({ betaMin: 1.2e-38, betaMax: 20 }),
  "vp, both tiny": vp({ betaMin: 1e-30, betaMax: 1e-12 }),
  "vp, betaMax 60": vp({ betaMax: 60 }),
  "ve, wide": ve({ sigmaMin: 1e-12, sigmaMax: 1e12 }),
  "ve, narrow": ve({ sigmaMin: 1, sigmaMax: 1.000001 }),
  "ve, small": ve({ sigmaMin: 1e-12, sigmaMax: 2e-12 }),
  "ve, large": ve({ sigmaMin: 9e11, sigmaMax: 1e12 }),
  "polynomial, degree 16": polynomial({ degree: 16 }),
  "ve-sde, wide": veSDE({ sigmaMin: 1e-4, sigmaMax: 1e6 }),
  "ve-sde, narrow": veSDE({ sigmaMin: 1, sigmaMax: 1.001 }),
};
const all = [...Object.entries(closed).map(([label, { path }]) => [label, path] as const), ...Object.entries(extremes)];
/** Times that are drawn: multiples of 2^-24 in [0, 1). */
const drawn = [0, 2 ** -24, 2 ** -23, 2 ** -12, 0.25, 0.5, 0.999, 1 - 2 ** -12, 1 - 2 ** -23, 1 - 2 ** -24];

describe.each(all)("%s in f32", (_label, path) => {
  test.each(["f64", "f32"] as const)("is finite at every time that is drawn, in %s", (precision) => {
    const values = at(path, drawn, precision);
    for (const name of ["alpha", "sigma", "alphaRate", "sigmaRate"] as const) {
      expect([...values[name]].filter((value) => !Number.isFinite(value))).toEqual([]);
    }
    expect([...values.sigma].every((value) => value > 0)).toBe(true);
  });

  test("alpha and sigma are finite at t = 0 and 1, and at times that f32 makes 0", () => {
    const { alpha, sigma } = at(path, [0, Number.MIN_VALUE, 1e-40, 1 - 1e-12, 1], "f32");
    expect([...alpha, ...sigma].every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
  });

  test.each(divergenceWeights)(
    'losses with weight "%s" and their gradients are finite, or the weight is refused',
    (weight) => {
      for (const form of divergenceForms) {
        for (const power of [1, 2] as const) {
          const loss = fdm({ weight, form, power, divergence: 1 });
          const gain = variable("gain", [1]);
          const t = numbers(drawn, [drawn.length, 1]);
          const build = () => {
            const { loss: value } = loss.build({
              network: (x, time) => multiply(add(x, time), broadcast(reshape(gain, [1, 1]), x.shape)),
              path,
              x0: numbers(
                drawn.flatMap((_, i) => [Math.sin(i), 2 * Math.cos(3 * i)]),
                [drawn.length, 2],
              ),
              x1: numbers(
                drawn.flatMap((_, i) => [1 - i / 5, i / 3]),
                [drawn.length, 2],
              ),
              t,
              random: (_kind, shape) =>
                numbers(
                  Array.from({ length: sizeOf(shape) }, (_, i) => (i % 3 ? 1 : -1)),
                  shape,
                ),
            });
            return [value, ...(gradient(value, [gain]) as Node[])];
          };
          if (weight === "dilation" && path.dilationVanishes) expect(build).toThrow(ConfigError);
          else {
            // ve goes to 1e12: its velocities and their squares are as large, and no less right for it.
            const found = valuesOf(build(), new Map([["gain", [0.7]]]), "f32").flatMap((values) => [...values]);
            expect(found.filter((value) => !Number.isFinite(value))).toEqual([]);
          }
        }
      }
    },
  );
});

test("weight dilation meets vp up to betaMax 60, and no further", () => {
  expect(vp({ betaMax: 60 }).dilationVanishes).toBe(false);
  expect(vp({ betaMax: 100 }).dilationVanishes).toBe(true);
  expect(vp().dilationVanishes).toBe(false);
});

test("every path has a closed form here", () => {
  expect(new Set(Object.values(closed).map(({ path }) => path.name))).toEqual(
    // What "with-output" wraps has one; bridge.test.ts is about bridges.
    new Set([...pathNames, ...morePathNames.filter((name) => !["with-output", "brownian-bridge"].includes(name))]),
  );
});

describe.each(Object.entries(closed))("%s", (_label, { path, alpha, sigma, ends }) => {
  test("alpha and sigma are the closed forms", () => {
    const values = at(path, inner);
    expect(elementwiseError(values.alpha, inner.map(alpha))).toBeLessThan(1e-13);
    expect(elementwiseError(values.sigma, inner.map(sigma))).toBeLessThan(1e-13);
  });

  test("the rates are their slopes", () => {
    // Central differences with a step in proportion to the distance from the end, where sigma may go like a root:
    // truncation ~ (1e-4)^2, rounding ~ 1e-16 / 1e-4.
    const values = at(path, inner);
    const slope = (f: (t: number) => number, t: number) => {
      const h = 1e-4 * Math.min(t, 1 - t);
      return (f(t + h) - f(t - h)) / (2 * h);
    };
    const tolerance = 2e-7;
    inner.forEach((t, i) => {
      for (const [rate, exact] of [
        [values.alphaRate[i], slope(alpha, t)],
        [values.sigmaRate[i], slope(sigma, t)],
      ]) {
        expect(Math.abs(rate - exact)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(exact)));
      }
    });
  });

  test("it begins and ends where it should", () => {
    const values = at(path, [0, 1]);
    [values.alpha[0], values.sigma[0], values.alpha[1], values.sigma[1]].forEach((value, i) => {
      expect(value).toBeCloseTo(ends[i], 12);
    });
    expect(path.priorDeviation).toBeCloseTo(path.name.startsWith("ve") ? ends[1] : 1, 12);
  });

  test("f32 keeps its accuracy up to the last times before both ends", () => {
    // Exact functions, each result rounded: some 10 roundings of 6e-8, of arguments of exp as large as 13.
    const times = [2 ** -24, 2 ** -12, ...inner.map(Math.fround), 1 - 2 ** -12, 1 - 2 ** -23];
    const values = at(path, times, "f32");
    const exact = at(path, times, "f64");
    for (const name of ["alpha", "sigma", "alphaRate", "sigmaRate"] as const) {
      expect(elementwiseError(values[name], [...exact[name]])).toBeLessThan(2e-6);
    }
  });

  test("the dilation vanishes at t = 0 where it is said to", () => {
    const [k] = valuesOf([dilation(path.at(numbers([0], [1, 1])))]);
    expect(k[0] === 0 || k[0] === 0).toBe(path.dilationVanishes);
  });

  test("points, target velocities and scores follow from the four values", () => {
    const t = numbers([0.3, 0.8], [2, 1]);
    const [x0, x1] = [numbers([0.5, -1, 2, 0.25], [2, 2]), numbers([3, 1, -2, 0.5], [2, 2])];
    const nodes = path.at(t);
    const [x, u, s] = valuesOf([pointOnPath(nodes, x0, x1), targetVelocity(nodes, x0, x1), pathScore(nodes, x0)]);
    const values = at(path, [0.3, 0.8]);
    [0, 1, 2, 3].forEach((i) => {
      const row = i >> 1;
      const [a, b] = [[0.5, -1, 2, 0.25][i], [3, 1, -2, 0.5][i]];
      expect(x[i]).toBeCloseTo(values.alpha[row] * b + values.sigma[row] * a, 12);
      expect(u[i]).toBeCloseTo(values.alphaRate[row] * b + values.sigmaRate[row] * a, 12);
      expect(s[i]).toBeCloseTo(-a / values.sigma[row], 12);
    });
  });

  test("its name and options make it again", async () => {
    const again = await pathOf(JSON.parse(JSON.stringify({ name: path.name, options: path.options })));
    expect(again.options).toEqual(path.options);
    expect(at(again, inner)).toEqual(at(path, inner));
  });
});

test.each<[string, () => unknown]>([
  ["sigmaMin of condOT", () => condOT({ sigmaMin: 1 })],
  ["sigmaMin of condOT", () => condOT({ sigmaMin: Number.NaN })],
  ["sigmaMin of condOT", () => condOT({ sigmaMin: -0.1 })],
  ["betaMin of vp", () => vp({ betaMin: 0 })],
  ["betaMax of vp", () => vp({ betaMin: 2, betaMax: 1 })],
  ["betaMax of vp", () => vp({ betaMax: Number.POSITIVE_INFINITY })],
  ["sigmaMin of condOT", () => condOT({ sigmaMin: 1e-50 })],
  ["sigmaMin of condOT", () => condOT({ sigmaMin: 1 - 1e-12 })],
  ["betaMin of vp", () => vp({ betaMin: 1e-50 })],
  ["betaMax of vp", () => vp({ betaMin: 1e-20, betaMax: 1e-20 })],
  ["sigmaMin of ve", () => ve({ sigmaMin: 1e-50 })],
  ["sigmaMax of ve", () => ve({ sigmaMax: 1e39 })],
  ["sigmaMax of ve", () => ve({ sigmaMin: 1, sigmaMax: 1 + 1e-12 })],
  ["degree of polynomial", () => polynomial({ degree: 1.5 })],
  ["degree of polynomial", () => polynomial({ degree: 0 })],
  ["sigmaMin of ve", () => ve({ sigmaMin: 0 })],
  ["sigmaMax of ve", () => ve({ sigmaMin: 1, sigmaMax: 1 })],
  ["sigmaMin of veSDE", () => veSDE({ sigmaMin: 1e-5 })],
  ["sigmaMax of veSDE", () => veSDE({ sigmaMin: 1, sigmaMax: 1 })],
  ["path", () => pathFrom({ name: "toString", options: {} })],
  ["options of cosine", () => pathFrom({ name: "cosine", options: { degree: 2 } })],
  ["degree of polynomial", () => pathFrom({ name: "polynomial", options: { degree: "3" } })],
])("a wrong %s is refused", (subject, make) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(`${subject}: got `);
});
