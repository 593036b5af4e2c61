// Flow maps: the identities that losses train, determinants, and few steps by maps that are known in closed form.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { averageTarget, derivativesAlong, mapLogDeterminant } from "../../src/flow/flow-map.ts";
import { gaussianAverages } from "../../src/flow/gaussian-flow-map.ts";
import { velocityOnly, withDivergence } from "../../src/flow/likelihood.ts";
import { logDeterminant } from "../../src/flow/log-determinant.ts";
import { fieldOf } from "../../src/flow/network-field.ts";
import { type FlowMapStepsOptions, flowMapSteps } from "../../src/flow/solvers/flow-map.ts";
import { flowMap } from "../../src/nn/flow-map.ts";
import type { AverageVelocity, Network } from "../../src/nn/network.ts";
import { add, multiply, subtract } from "../../src/ops/arithmetic.ts";
import { table } from "../../src/ops/sources.ts";
import { normals as normalsOf } from "../transport/clouds.ts";
import { numbers, relativeError, solve, valuesOf, variable } from "./evaluate.ts";
import { gaussianLogDensities, gaussianNetwork, mean, scale } from "./gaussian-network.ts";

const rows = 6;
const normal = normalsOf(5);
const normals = (count: number) => Array.from({ length: count }, normal);
const starts = normals(rows * 2);

test("exact averages are what losses make them: v + (e - s) dU/ds, div v + (e - s) dA/ds, both ways and at e = s", () => {
  const states = new Map<string, ArrayLike<number>>([
    ["x", starts],
    ["s", [0, 0.2, 0.5, 0.9, 0.4, 0.7]],
    ["e", [1, 0.2, 0.8, 0.1, 1, 0.7001]],
  ]);
  const [x, s, e] = [variable("x", [rows, 2]), variable("s", [rows, 1]), variable("e", [rows, 1])];
  const data = { mean: table(mean, [1, 2]), scale };
  const between = gaussianAverages(data, x, s, e);
  const now = gaussianAverages(data, x, s, s);
  const along = derivativesAlong(between, x, s, now.velocity);
  const velocity = averageTarget(now.velocity, s, e, along.velocity);
  const divergence = averageTarget(now.divergence, s, e, along.divergence ?? s);
  const [u, a, ofU, ofA] = valuesOf([between.velocity, between.divergence, velocity, divergence], states);
  expect(relativeError(ofU, u)).toBeLessThan(1e-12);
  expect(relativeError(ofA, a)).toBeLessThan(1e-12);
});

/** By cofactors. */
function determinant(matrix: number[][]): number {
  const [first, ...rest] = matrix;
  if (!first) return 1;
  return first.reduce((total, value, i) => {
    const minor = rest.map((row) => row.filter((_, j) => j !== i));
    return total + (i % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}

describe("logDeterminant", () => {
  test.each([1, 2, 3, 5, 7])("of random matrices of %i rows, of both signs", (size) => {
    const count = 20;
    const data = normals(count * size * size);
    const { logarithm, sign } = logDeterminant(numbers(data, [count, size, size]));
    const expected = Array.from({ length: count }, (_, k) =>
      determinant(Array.from({ length: size }, (_, i) => data.slice(size * (size * k + i), size * (size * k + i + 1)))),
    );
    const [logarithms, signs] = valuesOf([logarithm, sign]);
    expect(new Set(expected.map(Math.sign)).size).toBe(2);
    expect([...signs]).toEqual(expected.map(Math.sign));
    expect(
      relativeError(
        logarithms,
        expected.map((value) => Math.log(Math.abs(value))),
      ),
    ).toBeLessThan(1e-11);
  });

  test("where pivots without exchange would be 0, and where columns are equally large", () => {
    const matrices = [
      [0, 1, 0, 0, 0, 1, 1, 0, 0], // an even permutation
      [0, 1, 0, 1, 0, 0, 0, 0, 1], // an odd one
      [1, 1, 1, 1, -1, 1, 1, 1, -1],
      [1e-20, 1, 0, 1, 1, 0, 0, 0, -3],
    ];
    const { logarithm, sign } = logDeterminant(numbers(matrices.flat(), [4, 3, 3]));
    const [logarithms, signs] = valuesOf([logarithm, sign], new Map(), "f32");
    expect([...signs]).toEqual([1, -1, 1, 1]);
    expect(relativeError(logarithms, [0, 0, Math.log(4), Math.log(3)])).toBeLessThan(1e-6);
  });

  test("of a singular matrix there is none", () => {
    const { logarithm } = logDeterminant(numbers([1, 2, 2, 4, 0, 0, 0, 1], [2, 2, 2]));
    for (const value of valuesOf([logarithm])[0]) expect(Number.isFinite(value)).toBe(false);
  });
});

const planOf = (network: Network, options: FlowMapStepsOptions, stops = [0, 1], estimates = 1) => {
  const field = fieldOf(network, new Map());
  return flowMapSteps(options).plan({
    ...{ rows, dimension: network.dimension, estimates, stops },
    field: estimates > 0 ? withDivergence(field) : velocityOnly(field),
  });
};

/** ln N(x; 0, I) of points in 2-D. */
const prior = (points: ArrayLike<number>) =>
  Array.from({ length: points.length / 2 }, (_, i) => {
    const [x, y] = [points[2 * i] as number, points[2 * i + 1] as number];
    return -(x * x + y * y) / 2 - Math.log(2 * Math.PI);
  });

describe.each(["head", "exact"] as const)("few steps of the exact map, log-densities from %s", (density) => {
  test.each([1, 2, 4, 7])("%i steps end at the closed form, and come back", (steps) => {
    const there = solve(planOf(gaussianNetwork(), { steps, density }), starts);
    const points = there.stops[0] as Float64Array;
    expect(
      relativeError(
        points,
        starts.map((x, i) => (mean[i % 2] as number) + scale * x),
      ),
    ).toBeLessThan(1e-12);
    const expected = gaussianLogDensities(points);
    const found = prior(starts).map((value, i) => value + (there.logDensity?.[i] as number));
    expect(relativeError(found, expected)).toBeLessThan(1e-12);
    const back = solve(planOf(gaussianNetwork(), { steps, density }, [1, 0]), points);
    expect(relativeError(back.stops[0] as Float64Array, starts)).toBeLessThan(1e-11);
    const judged = prior(back.stops[0] as Float64Array).map((value, i) => value - (back.logDensity?.[i] as number));
    expect(relativeError(judged, expected)).toBeLessThan(1e-11);
  });
});

test("the head's log-density is the head's: one that is off is found", () => {
  const logs = (density: "head" | "exact") =>
    solve(planOf(gaussianNetwork({ factor: 1.1 }), { density }), starts).logDensity as ArrayLike<number>;
  const [head, exact] = [logs("head"), logs("exact")];
  for (let i = 0; i < rows; i++) expect((head[i] as number) / (exact[i] as number)).toBeCloseTo(1.1, 10);
});

test("without a head log-densities are exact ones, and the default is the head's where there is one", () => {
  const logs = (network: Network, options: FlowMapStepsOptions = {}) =>
    solve(planOf(network, options), starts).logDensity as ArrayLike<number>;
  const bare = gaussianNetwork({ divergence: false });
  expect(logs(bare)).toEqual(logs(bare, { density: "exact" }));
  const off = gaussianNetwork({ factor: 1.1 });
  expect(logs(off)).toEqual(logs(off, { density: "head" }));
});

/** x + (e - s) c x: its determinant in D dimensions is (1 + (e - s) c)^D. */
function linearNetwork(dimension: number, c: (e: ReturnType<typeof variable>) => ReturnType<typeof variable>): Network {
  const at: AverageVelocity["at"] = (_, x, _s, e) => ({ velocity: multiply(x, c(e)) });
  return {
    ...{ kind: "linear", config: {}, dimension, parameters: [] },
    average: { divergence: false, reverse: false, at },
    apply: (values, x, t) => at(values, x, t, t).velocity,
  };
}

describe("a map that is not invertible", () => {
  const logs = (network: Network, options: FlowMapStepsOptions = {}) => [
    ...(solve(planOf(network, options), starts.slice(0, rows * network.dimension)).logDensity as Float64Array),
  ];

  test("has no log-density: where it turns over, and where it only does so on the way", () => {
    expect(logs(linearNetwork(1, () => numbers([-2], [1, 1])))).toEqual(Array(rows).fill(Number.NaN));
    // 1 + e (8 (e - 1) + 1): below 0 at e = 1/2, above at e = 1.
    const turning = linearNetwork(1, (e) => add(multiply(subtract(e, 1), 8), 1));
    expect(logs(turning, { checks: 1 })[0]).toBeCloseTo(-Math.log(2), 12);
    expect(logs(turning, { checks: 4 })).toEqual(Array(rows).fill(Number.NaN));
    // Twice over in two dimensions is a turn, whose sign is that of the identity: only the way tells.
    const turned = linearNetwork(2, () => numbers([-3], [1, 1]));
    expect(logs(turned, { checks: 1 })[0]).toBeCloseTo(-2 * Math.log(2), 12);
  });

  test("and a map that is has the logarithm of its determinant", () => {
    for (const value of logs(linearNetwork(2, () => numbers([1.5], [1, 1])))) {
      expect(value).toBeCloseTo(-2 * Math.log(2.5), 12);
    }
  });
});

test("mapLogDeterminant is that of the map in 64 dimensions", () => {
  const dimension = 64;
  const [x, s, e] = [numbers(normals(dimension), [1, dimension]), numbers([0.25], [1, 1]), numbers([0.75], [1, 1])];
  const factors = normals(dimension).map((value) => 0.5 * value);
  const { logarithm, sign } = mapLogDeterminant(multiply(x, table(factors, [1, dimension])), x, s, e);
  const expected = factors.reduce((total, factor) => total + Math.log(Math.abs(1 + 0.5 * factor)), 0);
  const signs = factors.reduce((product, factor) => product * Math.sign(1 + 0.5 * factor), 1);
  expect(valuesOf([logarithm])[0]?.[0]).toBeCloseTo(expected, 10);
  expect(valuesOf([sign])[0]?.[0]).toBe(signs);
});

test("the end goes in by the last channel, at all places; the average divergence is that channel's sum over them", () => {
  const inner: Network = {
    ...{ kind: "inner", config: {}, dimension: 6, sample: [3, 2] },
    parameters: [{ name: "none", shape: [4], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    apply: (_, x, t) => add(multiply(x, 7), t),
  };
  const network = flowMap({ network: inner });
  const [x, s, e] = [numbers([1, 2, 3, -1, 0, 4], [2, 3]), numbers([0.25, 0.5], [2, 1]), numbers([1, 0.75], [2, 1])];
  const values = new Map([["none", numbers([0, 0, 0, 0])]]);
  const { velocity, divergence } = (network.average as AverageVelocity).at(values, x, s, e);
  const [u, a, v] = valuesOf([velocity, divergence ?? s, network.apply(values, x, s)]);
  expect([...u]).toEqual([7.25, 14.25, 21.25, -6.5, 0.5, 28.5]);
  expect(v).toEqual(u); // this network's velocity does not know the end
  expect([...a]).toEqual([3 * (7 * 1 + 0.25), 3 * (7 * 0.75 + 0.5)]);
});

describe("refused with a sentence", () => {
  test.each<[string, string, () => unknown]>([
    ["steps of flowMapSteps", "got 0", () => flowMapSteps({ steps: 0 })],
    ["density of flowMapSteps", "hutchinson", () => flowMapSteps({ density: "hutchinson" as never })],
    ["checks of flowMapSteps", "got 0", () => flowMapSteps({ checks: 0 })],
    ["solver flow-map", "a start s after the end e", () => planOf(gaussianNetwork({ reverse: false }), {}, [1, 0], 0)],
    [
      "density of flowMapSteps",
      "without one",
      () => planOf(gaussianNetwork({ divergence: false }), { density: "head" }),
    ],
    [
      "density of flowMapSteps",
      "65 dimensions",
      () =>
        planOf(
          linearNetwork(65, (e) => e),
          {},
        ),
    ],
    ["checks of flowMapSteps", "got 2", () => planOf(gaussianNetwork(), { checks: 2 })],
    ["logDensity beside flowMapSteps", "3 probes", () => planOf(gaussianNetwork(), {}, [0, 1], 3)],
    [
      "solver flow-map",
      "no flow map's",
      () =>
        flowMapSteps().plan({
          ...{ rows, dimension: 2, estimates: 0, stops: [0, 1] },
          field: velocityOnly((x) => x),
        }),
    ],
  ])("%s: %s", (subject, given, make) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(subject);
    expect(make).toThrow(given);
  });
});
