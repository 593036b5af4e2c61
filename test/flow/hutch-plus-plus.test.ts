// Hutch++: unbiased whatever the Jacobian, exact where sketches span what it reaches, better than as many products of
// Hutchinson's where its spectrum falls and not where it does not; in losses and in log-densities.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { hutchinsonEstimate, jacobianProducts } from "../../src/flow/divergence.ts";
import { subspaceOf, withHutchPlusPlus } from "../../src/flow/hutch-plus-plus.ts";
import { withDivergence } from "../../src/flow/likelihood.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { hutchPlusPlus } from "../../src/flow/losses/hutch-plus-plus.ts";
import type { LossContext } from "../../src/flow/losses/loss.ts";
import { weighted } from "../../src/flow/losses/weighted.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import type { Node } from "../../src/graph/node.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { lossOf } from "../../src/train/parts.ts";
import { smallOptions, trainSteps, withRuntime } from "../engine/small.ts";
import { remoteEngine } from "../engine/worker.ts";
import { numbers, type Precision, valuesOf, variable } from "./evaluate.ts";

const D = 12;
const host = new HostRandom(5);

/** A matrix that is a sum of products with these sizes. */
function matrixOf(sizes: readonly number[]) {
  const parts = sizes.map((size, k) => ({ size, left: host.normal(D, 2 * k), right: host.normal(D, 2 * k + 1) }));
  return Array.from({ length: D * D }, (_, at) => {
    const [i, j] = [Math.floor(at / D), at % D];
    return parts.reduce((sum, { size, left, right }) => sum + (size * left[i] * (right[j] + left[j])) / D, 0);
  });
}
const traceOf = (matrix: readonly number[]) => matrix.reduce((sum, value, at) => sum + (at % (D + 1) ? 0 : value), 0);

const rows = 800;
const x = numbers(new Float64Array(rows * D).fill(0.3), [rows, D]);
const probesOf = (kind: "rademacher" | "normal", count: number, from: number) =>
  Array.from({ length: count }, (_, i) => numbers(new HostRandom(11).draw(kind, rows * D, from + i), [rows, D]));

/** Mean and deviation of estimates of the trace, one of each row. */
function estimates(
  matrix: readonly number[],
  kind: "rademacher" | "normal",
  by: "hutch++" | "hutchinson",
  probes: number,
  precision: Precision = "f64",
) {
  const v = matmul(x, numbers(matrix, [D, D]));
  let all: (readonly Node[])[];
  if (by === "hutch++") {
    const { basis, rest } = subspaceOf(v, x, probesOf("normal", probes, 0), probesOf(kind, probes, 100));
    all = [basis, rest];
  } else all = [[], probesOf(kind, 3 * probes, 200)];
  const terms = all.map((some) => {
    const products = jacobianProducts(v, x, some);
    return valuesOf(
      some.map((z, i) => hutchinsonEstimate(z, products[i])),
      new Map(),
      precision,
    );
  });
  const values = Array.from({ length: rows }, (_, row) => {
    const exact = terms[0].reduce((sum, one) => sum + one[row], 0);
    return exact + terms[1].reduce((sum, one) => sum + one[row], 0) / terms[1].length;
  });
  const mean = values.reduce((a, b) => a + b) / rows;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (rows - 1));
  return { mean, deviation };
}

const spectra = {
  "falling fast": matrixOf([30, 10, 1, 0.3, 0.1, 0.03]),
  flat: Array.from({ length: D * D }, (_, at) => (at % (D + 1) ? 0 : 1)),
};

describe.each(Object.entries(spectra))("a spectrum %s", (name, matrix) => {
  test.each(["rademacher", "normal"] as const)("%s probes are unbiased", (kind) => {
    for (const probes of [1, 2, 3]) {
      const { mean, deviation } = estimates(matrix, kind, "hutch++", probes);
      expect(Math.abs(mean - traceOf(matrix))).toBeLessThan((3.5 * deviation) / Math.sqrt(rows));
    }
  });

  test("beside Hutchinson's estimate by as many products it varies less where the spectrum falls", () => {
    const ratio =
      estimates(matrix, "normal", "hutchinson", 3).deviation / estimates(matrix, "normal", "hutch++", 3).deviation;
    if (name === "flat") expect(ratio).toBeLessThan(1);
    else expect(ratio).toBeGreaterThan(8);
  });
});

test.each<[Precision, number]>([
  ["f64", 1e-9],
  ["f32", 1e-4],
])(
  "it is exact where sketches span all that the Jacobian reaches, and with more of them, in %s",
  (precision, tolerance) => {
    const matrix = matrixOf([3, 2]);
    for (const probes of [2, 4]) {
      const { mean, deviation } = estimates(matrix, "rademacher", "hutch++", probes, precision);
      expect(Math.abs(mean - traceOf(matrix))).toBeLessThan(tolerance);
      expect(deviation).toBeLessThan(tolerance);
    }
    const nothing = estimates(matrixOf([0]), "normal", "hutch++", 2, precision);
    expect(nothing).toEqual({ mean: 0, deviation: 0 });
  },
);

/** A loss's divergence term on a linear field, and its gradient by the field's matrix along one direction. */
function terms(loss: ReturnType<typeof fdm>, matrix: readonly number[], count: number, seed: number) {
  const flat = variable("matrix", [D, D]);
  let draw = 0;
  const noise = new HostRandom(3);
  const repeated = (at: number) =>
    numbers(
      Float64Array.from({ length: count * D }, (_, i) => noise.normal(D, at)[i % D]),
      [count, D],
    );
  const context: LossContext = {
    network: (points) => matmul(points, flat),
    ...{ path: condOT(), x0: repeated(0), x1: repeated(1), t: numbers(new Float64Array(count).fill(0.4), [count, 1]) },
    random: (kind, shape) => numbers(new HostRandom(seed).draw(kind, shape[0] * shape[1], draw++), shape),
  };
  const { divergenceLoss } = loss.build(context);
  const [slope] = gradient(divergenceLoss as Node, [flat]);
  const [value, slopes] = valuesOf([divergenceLoss as Node, slope], new Map([["matrix", matrix]]));
  const direction = new HostRandom(77).normal(D * D, 0);
  return { value: value[0], slope: slopes.reduce((sum, one, i) => sum + one * direction[i], 0), draws: draw };
}

test("the loss's residual is exact where the trace is, and its gradient right on average", () => {
  const matrix = matrixOf([3, 2]);
  const exact = terms(fdm({ estimator: "exact" }), matrix, 1, 0);
  const loss = hutchPlusPlus({ sketches: 2, probes: 1 });
  const slopes = Array.from({ length: 40 }, (_, i) => terms(loss, matrix, 50, 100 + i));
  for (const { value, draws } of slopes) {
    expect(value / exact.value).toBeCloseTo(1, 8);
    expect(draws).toBe(3);
  }
  const mean = slopes.reduce((sum, { slope }) => sum + slope, 0) / 40;
  const deviation = Math.sqrt(slopes.reduce((sum, { slope }) => sum + (slope - mean) ** 2, 0) / 39);
  expect(deviation).toBeGreaterThan(0);
  expect(Math.abs(mean - exact.slope)).toBeLessThan((3 * deviation) / Math.sqrt(40));
});

test("a share of the rows, a weight by time, and no divergence at all", () => {
  const matrix = matrixOf([3, 2]);
  const whole = terms(hutchPlusPlus({ sketches: 2 }), matrix, 8, 1).value;
  expect(terms(hutchPlusPlus({ sketches: 2, fraction: 0.5 }), matrix, 8, 1).value / whole).toBeCloseTo(1, 8);
  expect(terms(weighted(hutchPlusPlus({ sketches: 2 }), { by: "noise" }), matrix, 8, 1).value / whole).toBeCloseTo(
    0.16,
    8,
  );
  expect(hutchPlusPlus({ divergence: 0 }).build({ ...contextOfOne() }).divergenceLoss).toBeUndefined();
});

function contextOfOne(): LossContext {
  const one = numbers([1], [1, 1]);
  return { network: (points) => points, path: condOT(), x0: one, x1: one, t: one, random: () => one };
}

test("its name and options make it again, also weighted", async () => {
  for (const loss of [
    hutchPlusPlus({ probes: 3, divergence: 0.2 }),
    weighted(hutchPlusPlus({ sketches: 2 }), { by: "data" }),
  ]) {
    const again = await lossOf(JSON.parse(JSON.stringify({ name: loss.name, options: loss.options })));
    expect(again.options).toEqual(loss.options);
  }
  expect(() => hutchPlusPlus({ sketches: 0 })).toThrow("sketches of hutchPlusPlus: got 0");
  expect(() => hutchPlusPlus({ estimator: "exact" } as never)).toThrow("estimator of hutchPlusPlus: got ");
});

test("log-densities by it are near the exact ones within their standard error, the same in a worker", async () => {
  const points = [0.1, 0.2, -0.5, 0.3, 1, -1];
  const solver = rk4({ steps: 6 });
  const all = async (runtime: Parameters<Parameters<typeof withRuntime>[1]>[0]) => {
    const trainer = await runtime.createTrainer(smallOptions({ loss: hutchPlusPlus({ divergence: 0.1 }) }));
    const losses = (await trainSteps(trainer, 4)).map(({ loss }) => loss);
    const { values, standardError } = await trainer.model.logDensity(points, {
      divergence: "hutch++",
      probes: 4,
      solver,
    });
    const exact = (await trainer.model.logDensity(points, { solver })).values;
    return { losses, values, standardError, exact };
  };
  const here = await withRuntime("wasm", all);
  here.values.forEach((value, i) => {
    expect(here.standardError[i]).toBeGreaterThanOrEqual(0);
    expect(Math.abs(value - here.exact[i])).toBeLessThan(4 * here.standardError[i] + 1e-4); // two sketches span two dimensions
  });
  using engine = await remoteEngine("wasm");
  expect(await all(engine.runtime)).toEqual(here);
});

test("columns of the field are estimates each, and agree with the field's divergence on average", () => {
  const matrix = spectra["falling fast"];
  const field = (points: Node) => matmul(points, numbers(matrix, [D, D]));
  const few = numbers(new Float64Array(3 * D).fill(0.2), [3, D]);
  const t = numbers([0, 0.5, 1], [3, 1]);
  const states = new Map<string, ArrayLike<number>>([
    ["solve.seed", [3, 4]],
    ["solve.chunk", [0]],
  ]);
  const { velocity, divergences } = withHutchPlusPlus(field, { probes: 5, probe: "rademacher" })(few, t);
  const exact = withDivergence(field)(few, t);
  const [v, columns, own, trace] = valuesOf(
    [velocity, divergences as Node, exact.velocity, exact.divergences as Node],
    states,
  );
  expect([...v]).toEqual([...own]);
  expect(columns.length).toBe(15);
  for (let i = 0; i < 15; i++) expect(Math.abs(columns[i] - trace[0])).toBeLessThan(0.05 * Math.abs(trace[0]));
});
