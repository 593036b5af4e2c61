// What the square of an estimated residual is in expectation: too large by a formula for one probe's, right for the product
// of two independent probes', and so is its gradient. One point, as many rows as there are draws of probes, in f64.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { type FDMOptions, fdm } from "../../src/flow/losses/fdm.ts";
import type { LossContext } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import type { Node } from "../../src/graph/node.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { numbers, valuesOf, variable } from "./evaluate.ts";

const time = 0.4;
const sigma = 1 - time;
const batches = 40;
/** Draws of probes in a batch: many numbers tell as much of few draws. */
const rowsOf = (dimension: number) => (dimension > 16 ? 60 : 400);

/** A linear field v = x A at one point, and what the residual's square is there. */
function pointOf(dimension: number) {
  const host = new HostRandom(dimension);
  const matrix = host.normal(dimension * dimension, 0).map((value) => value / Math.sqrt(dimension));
  const x0 = host.normal(dimension, 1);
  const x1 = host.normal(dimension, 2);
  const entry = (i: number, j: number) => matrix[i * dimension + j]; // dv_j / dx_i
  const indices = Array.from({ length: dimension }, (_, i) => i);
  const x = indices.map((i) => time * x1[i] + sigma * x0[i]);
  const v = indices.map((j) => indices.reduce((total, i) => total + x[i] * entry(i, j), 0));
  const trace = indices.reduce((total, i) => total + entry(i, i), 0);
  // cond-ot: u = x1 - x0, s = -x0 / sigma, dilation = -1 / sigma
  const excess = indices.reduce((total, j) => total + ((v[j] - (x1[j] - x0[j])) * -x0[j]) / sigma, 0);
  const scale = (sigma / dimension) ** 2;
  const square = scale * (trace + dimension / sigma + excess) ** 2;
  const symmetric = (i: number, j: number) => (entry(i, j) + entry(j, i)) / 2;
  let apart = 0;
  for (const i of indices) for (const j of indices) if (i !== j) apart += symmetric(i, j) ** 2;
  const diagonal = indices.reduce((total, i) => total + entry(i, i) ** 2, 0);
  return { matrix, x0, x1, square, bias: { rademacher: scale * 2 * apart, gaussian: scale * 2 * (apart + diagonal) } };
}

/** The divergence term at a point by draws of probes: its value and its gradient along the matrix, of each batch. */
function terms(dimension: number, options: FDMOptions): { value: number; slope: number }[] {
  const { matrix, x0, x1 } = pointOf(dimension);
  const rows = rowsOf(dimension);
  const repeated = (point: ArrayLike<number>) =>
    numbers(
      Array.from({ length: rows * dimension }, (_, i) => point[i % dimension]),
      [rows, dimension],
    );
  const flat = variable("matrix", [dimension, dimension]);
  const direction = new HostRandom(77).normal(dimension * dimension, 0);
  return Array.from({ length: batches }, (_, batch) => {
    const host = new HostRandom(1000 + batch);
    let draw = 0;
    const context: LossContext = {
      network: (x) => matmul(x, flat),
      path: condOT(),
      x0: repeated(x0),
      x1: repeated(x1),
      t: numbers(new Float64Array(rows).fill(time), [rows, 1]),
      random: (kind, shape) => numbers(host.draw(kind, rows * dimension, draw++), shape),
    };
    const loss = fdm({ divergence: 1, ...options }).build(context).divergenceLoss as Node;
    const [value, slope] = valuesOf([loss, ...gradient(loss, [flat])], new Map([["matrix", matrix]]));
    return { value: value[0], slope: direction.reduce((total, each, i) => total + each * slope[i], 0) };
  });
}

/** Mean and its standard error over batches. */
function summary(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

describe.each([2, 3, 8, 16, 64])("in %i dimensions", (dimension) => {
  const exact = terms(dimension, { estimator: "exact" })[0];
  const { square, bias } = pointOf(dimension);

  test("the exact residual's square is the formula's", () => {
    expect(Math.abs(exact.value - square)).toBeLessThan(1e-12 * square);
  });

  test.each(["rademacher", "gaussian"] as const)("%s probes: pairs give the square and its gradient", (probe) => {
    for (const probes of dimension > 16 ? [2] : [2, 3]) {
      const all = terms(dimension, { probe, probes, unbiased: true });
      const value = summary(all.map((each) => each.value - square));
      const slope = summary(all.map((each) => each.slope - exact.slope));
      expect(Math.abs(value.mean)).toBeLessThan(3 * value.error);
      expect(Math.abs(slope.mean)).toBeLessThan(3 * slope.error);
      // What one probe's square adds would be seen.
      expect(value.error).toBeLessThan(0.2 * bias[probe]);
    }
  });

  test.each(["rademacher", "gaussian"] as const)("%s probes: the square of an average is too large by", (probe) => {
    for (const probes of [1, 2]) {
      const { mean, error } = summary(terms(dimension, { probe, probes }).map(({ value }) => value - square));
      expect(Math.abs(mean - bias[probe] / probes)).toBeLessThan(3 * error);
      expect(mean).toBeGreaterThan(3 * error);
    }
  });
});
