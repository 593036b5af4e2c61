// Solvers with noise on the way, on fields known in closed form. Of Gaussian data the field is linear, so a step is too:
// x -> a x + b + s z, whose numbers are read off three points; mean and variance then follow without any sampling error.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { velocityOnly, withDivergence } from "../../src/flow/likelihood.ts";
import type { VelocityField } from "../../src/flow/losses/loss.ts";
import { mixtureMarginal } from "../../src/flow/mixture.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import { linearVP } from "../../src/flow/paths/linear-vp.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import type { Diffusion } from "../../src/flow/solvers/diffusion.ts";
import { euler } from "../../src/flow/solvers/euler.ts";
import { heun } from "../../src/flow/solvers/heun.ts";
import { eulerMaruyama, type SDEOptions, stochasticHeun } from "../../src/flow/solvers/sde.ts";
import type { SolvePlan, Solver } from "../../src/flow/solvers/solver.ts";
import { add, divide, multiply } from "../../src/ops/arithmetic.ts";
import { streamOf } from "../../src/ops/streams.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { numbers, runGraph, solve, valuesOf } from "./evaluate.ts";

const [mean, variance] = [0.7, 0.16];

/** The marginal field of a mixture in one dimension. */
function fieldOn(path: PathScheduler, weights: number[], means: number[], variances: number[]): VelocityField {
  const shape = [weights.length, 1];
  const components = { weights: numbers(weights), means: numbers(means, shape), variances: numbers(variances, shape) };
  return (x, t) => mixtureMarginal(components, path.at(t), x).velocity;
}

function planOf(solver: Solver, path: PathScheduler, rows: number, field = fieldOn(path, [1], [mean], [variance])) {
  return solver.plan({ field: velocityOnly(field), rows, dimension: 1, estimates: 0, stops: [0, 1], path });
}

/** Mean and variance of the points at t = 1, from N(0, sigma(0)^2 + alpha(0)^2 variance) about alpha(0) mean at t = 0. */
function momentsAt1(plan: SolvePlan, path: PathScheduler): [mean: number, variance: number] {
  const at0 = valuesOf(Object.values(path.at(numbers([0], [1, 1]))).slice(0, 2)).map(([value]) => value);
  let [m, V] = [at0[0] * mean, at0[0] ** 2 * variance + at0[1] ** 2];
  const seed = [3, 5] as const;
  const states = new Map<string, ArrayLike<number>>([...plan.initial, ["solve.noise", seed]]);
  const steps = plan.segments[0].steps as number;
  for (let step = 0; step < steps; step++) {
    // What a sum loses is lost of these points alone.
    for (const [name] of states) if (name.endsWith(".lost")) states.set(name, [0, 0, 0]);
    states.set("solve.x", [0, 1, 0]);
    runGraph(plan.step, states);
    const z = new HostRandom(seed).draw("normal", 3, streamOf("diffusion"), step);
    const x = states.get("solve.x") as ArrayLike<number>;
    const s = (x[0] - x[2]) / (z[0] - z[2]);
    const b = x[0] - s * z[0];
    const a = x[1] - b - s * z[1];
    [m, V] = [a * m + b, a * a * V + s * s];
  }
  return [m, V];
}

const paths = {
  "cond-ot": condOT(),
  polynomial: polynomial(),
  "linear-vp": linearVP(),
  cosine: cosine(),
  vp: vp(),
  ve: ve({ sigmaMax: 3 }),
};

describe.each(Object.entries(paths))("on %s, of Gaussian data", (name, path) => {
  const end = valuesOf(Object.values(path.at(numbers([1], [1, 1]))).slice(0, 2)).map(([value]) => value);
  const [exactMean, exactVariance] = [end[0] * mean, end[0] ** 2 * variance + end[1] ** 2];
  const diffusions: [string, Diffusion][] = [
    ["sigma", { kind: "sigma", strength: 1 }],
    ["a function of t", (t) => 0.5 + 0.5 * Math.cos(3 * t) ** 2 * (1 - t)],
    ...(name === "vp" || name === "ve" ? ([["reverse", { kind: "reverse" }]] as [string, Diffusion][]) : []),
  ];

  test.each(diffusions)("mean and variance are those of the data, with g by %s", (kind, diffusion) => {
    const errorOf = (make: (options: SDEOptions) => Solver, steps: number) => {
      const [m, V] = momentsAt1(planOf(make({ steps, diffusion }), path, 3), path);
      return Math.max(Math.abs(m - exactMean), Math.abs(V - exactVariance));
    };
    // Where g stays while sigma goes to 0 the drift is singular there, and vp begins and ends steeply.
    const [coarse, fine] = [64, 256];
    const [first, second] = [errorOf(eulerMaruyama, coarse), errorOf(eulerMaruyama, fine)];
    expect(second).toBeLessThan(0.6 * first);
    expect(second).toBeLessThan(0.05);
    if (kind !== "a function of t") expect(errorOf(stochasticHeun, fine)).toBeLessThan(0.6 * second);
  });
});

describe("with g^2 in proportion to sigma on cond-ot", () => {
  const path = condOT();
  const errorOf = (make: (options: SDEOptions) => Solver, steps: number) => {
    const [m, V] = momentsAt1(planOf(make({ steps }), path, 3), path);
    return Math.max(Math.abs(m - mean), Math.abs(V - variance));
  };

  test.each([
    ["euler-maruyama", eulerMaruyama, 1, 0.2],
    ["stochastic-heun", stochasticHeun, 2, 0.4],
  ] as const)("%s has weak order %f", (_, make, order, room) => {
    const measured = Math.log2(errorOf(make, 64) / errorOf(make, 256)) / 2;
    expect(measured).toBeGreaterThan(order - room);
  });
});

test("where alpha and its rate are 0 the points are all noise: a first step on a polynomial path pulls them back by h x / 2", () => {
  // At t = 0 the field of Gaussian data about 0 is 0 there, for its variance begins level.
  const path = polynomial();
  const field = fieldOn(path, [1], [0], [variance]);
  const steps = 10;
  const plan = planOf(eulerMaruyama({ steps }), path, 2, field);
  const seed = [3, 5] as const;
  const states = new Map<string, ArrayLike<number>>([...plan.initial, ["solve.noise", seed], ["solve.x", [1, -2]]]);
  runGraph(plan.step, states);
  const z = new HostRandom(seed).draw("normal", 2, streamOf("diffusion"));
  [1, -2].forEach((x, i) => {
    expect(states.get("solve.x")?.[i]).toBeCloseTo(x - x / (2 * steps) + z[i] / Math.sqrt(steps), 10);
  });
});

describe("samples of a mixture in one dimension", () => {
  const [weights, means, variances] = [
    [0.35, 0.65],
    [-1.2, 1],
    [0.09, 0.04],
  ];
  const path = condOT();
  const field = fieldOn(path, weights, means, variances);
  const rows = 2000;
  const start = new HostRandom(4).normal(rows, 1);

  /** Largest distance of the distributions, in units of its 1 % bound by chance. */
  function distance(samples: ArrayLike<number>): number {
    const sorted = Array.from(samples).sort((a, b) => a - b);
    const cdf = (x: number) =>
      weights.reduce((sum, weight, k) => sum + weight * normalCDF((x - means[k]) / Math.sqrt(variances[k])), 0);
    const far = sorted.map((x, i) => Math.max(Math.abs(cdf(x) - i / rows), Math.abs(cdf(x) - (i + 1) / rows)));
    return Math.max(...far) / (1.63 / Math.sqrt(rows));
  }
  const sampled = (solver: Solver, of = field) => {
    const plan = planOf(solver, path, rows, of);
    const initial = new Map([...plan.initial, ["solve.noise", [9, 1]]]);
    return solve({ ...plan, initial }, start).stops[0];
  };

  test.each([
    ["without noise", heun({ steps: 60 })],
    ["by euler-maruyama", eulerMaruyama({ steps: 300 })],
    ["by stochastic-heun", stochasticHeun({ steps: 80 })],
    ["with much noise", stochasticHeun({ steps: 150, diffusion: { kind: "sigma", strength: 6 } })],
    ["with noise as of another table", stochasticHeun({ steps: 150, diffusion: [0, 1.5, 0] })],
  ])("%s are distributed as the data", (_, solver) => {
    expect(distance(sampled(solver))).toBeLessThan(1);
  });

  // The test's power: with v' = (v + x / 2) / (1 + t / 2) the drift v' - (x - t v') / 2 is v, what it owes to the noise left out.
  test("are not, where there is noise and no score", () => {
    const bare: VelocityField = (x, t) => divide(add(field(x, t), multiply(x, 0.5)), add(1, multiply(t, 0.5)));
    expect(distance(sampled(eulerMaruyama({ steps: 300 }), bare))).toBeGreaterThan(1.5);
  });

  test("with a strength of 0 are those of Euler's method", () => {
    const none = sampled(eulerMaruyama({ steps: 20, diffusion: { kind: "sigma", strength: 0 } }));
    const plain = sampled(euler({ steps: 20 }));
    none.forEach((value, i) => {
      expect(value).toBeCloseTo(plain[i], 12);
    });
  });
});

/** By Abramowitz and Stegun, 7.1.26: to 1.5e-7. */
function normalCDF(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce(
    (sum, c) => (sum + c) * t,
    0,
  );
  const tail = (series * Math.exp(-z * z)) / 2;
  return x > 0 ? 1 - tail : tail;
}

describe.each([eulerMaruyama, stochasticHeun])("%o", (make) => {
  const path = condOT();

  test("is made again of its options, a function's table among them", () => {
    const solver = make({ steps: 8, diffusion: (t) => 1 - t });
    const again = make(JSON.parse(JSON.stringify(solver.options)));
    expect(again.options).toEqual(solver.options);
    const run = (one: Solver) => solve(planOf(one, path, 6), [-1, 0, 1, 2, 3, 4]).stops;
    expect(run(again)).toEqual(run(solver));
  });

  test.each<[string, () => unknown]>([
    ["steps", () => make({ steps: 0 })],
    ["kind of diffusion", () => make({ diffusion: { kind: "constant" } as never })],
    ["strength of diffusion", () => make({ diffusion: { kind: "sigma", strength: -1 } })],
    ["diffusion", () => make({ diffusion: 2 as never })],
    ["diffusion", () => make({ diffusion: [1] })],
    ["at t = 0.5", () => make({ diffusion: (t) => 0.5 - t })],
    ["at t = 1", () => make({ diffusion: [0, Number.NaN] })],
  ])("refuses a wrong %s", (subject, wrong) => {
    expect(wrong).toThrow(ConfigError);
    expect(wrong).toThrow(subject.startsWith("at") ? /at t = (0\.5|1)/ : `${subject} of `);
  });

  test("refuses log-densities, ways back, and a reverse where there is none", () => {
    const field = fieldOn(path, [1], [mean], [variance]);
    const problem = { rows: 2, dimension: 1, path };
    expect(() => make().plan({ ...problem, field: withDivergence(field), estimates: 1, stops: [0, 1] })).toThrow(
      /got "a log-density to compute"/,
    );
    expect(() => make().plan({ ...problem, field: velocityOnly(field), estimates: 0, stops: [1, 0] })).toThrow(
      /got "a solve backwards"/,
    );
    expect(() => planOf(make({ diffusion: { kind: "reverse" } }), path, 2)).toThrow(/on path cond-ot/);
  });
});
