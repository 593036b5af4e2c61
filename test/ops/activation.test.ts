// Activations and their derivatives, f64 reference: against multiple-precision values, closed forms far out, and the
// lists that kernels keep. That each order is the derivative of the one below is in derivatives.test.ts.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/graph/evaluate.ts";
import { activationKinds as kernelKinds } from "../../src/kernels/elementwise.ts";
import { type ActivationKind, activation, activationKinds } from "../../src/ops/activation.ts";
import { table } from "../../src/ops/sources.ts";
import { erf, erfc, normalCdf, sigmoid } from "../../src/ops/special.ts";

interface Fixture {
  readonly points: number[];
  /** By kind, point, order. */
  readonly derivatives: Record<ActivationKind, number[][]>;
}

const fixture: Fixture = JSON.parse(readFileSync(new URL("./activations.json", import.meta.url), "utf8"));

const LARGEST_F32 = 2 ** 128 - 2 ** 104;

function values(kind: ActivationKind, order: number, points: readonly number[]): Float64Array {
  return evaluate([activation([table(points, [points.length])], { kind, order })])[0].data;
}

test("kinds are the kernels', in their order: an op's kind and order are a kernel's function", () => {
  expect(activationKinds).toEqual([...kernelKinds]);
});

describe.each(Object.keys(fixture.derivatives) as ActivationKind[])("%s", (kind) => {
  test.each([0, 1, 2, 3])("order %i has the relative accuracy of f64, far out too", (order) => {
    values(kind, order, fixture.points).forEach((value, i) => {
      const expected = fixture.derivatives[kind][i][order];
      // 1e-13: what normalCdf promises. Values under f64's normal range have an absolute error instead.
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-13 * Math.abs(expected) + 1e-305);
    });
  });
});

const step = (x: number) => (x > 0 ? 1 : 0);
const ramp = (x: number) => (x > 0 ? x : 0);
/** As PyTorch's sources give them. */
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;
/** What each kind and its derivatives are, to every digit, at |x| >= 1000. */
const limits: Record<ActivationKind, readonly ((x: number) => number)[]> = {
  silu: [ramp, step, () => 0, () => 0],
  tanh: [Math.sign, () => 0, () => 0, () => 0],
  relu: [ramp, step, () => 0, () => 0],
  gelu: [ramp, step, () => 0, () => 0],
  geluTanh: [ramp, step, () => 0, () => 0],
  softplus: [ramp, step, () => 0, () => 0],
  sin: [Math.sin, Math.cos, (x) => -Math.sin(x), (x) => -Math.cos(x)],
  elu: [(x) => (x > 0 ? x : -1), step, () => 0, () => 0],
  selu: [(x) => (x > 0 ? seluScale * x : -seluScale * seluAlpha), (x) => seluScale * step(x), () => 0, () => 0],
};

const atZero: Record<ActivationKind, readonly number[]> = {
  silu: [0, 1 / 2, 1 / 2, 0],
  tanh: [0, 1, 0, -2],
  relu: [0, 0, 0, 0],
  gelu: [0, 1 / 2, 2 / Math.sqrt(2 * Math.PI), 0],
  geluTanh: [0, 1 / 2, Math.sqrt(2 / Math.PI), 0],
  softplus: [Math.LN2, 1 / 2, 1 / 4, 0],
  sin: [0, 1, 0, -1],
  elu: [0, 1, 1, 1],
  selu: [0, seluScale * seluAlpha, seluScale * seluAlpha, seluScale * seluAlpha],
};

describe.each(activationKinds)("%s", (kind) => {
  test.each([0, 1, 2, 3])("order %i has its limit at large x of f32, and no NaN", (order) => {
    const points = [1e3, 1e4, 1e8, 1e20, 1e30, LARGEST_F32].flatMap((x) => [x, -x]);
    values(kind, order, points).forEach((value, i) => {
      expect(value).toBeCloseTo(limits[kind][order](points[i]), 15);
    });
  });

  test.each([0, 1, 2, 3])("order %i at 0", (order) => {
    expect(values(kind, order, [0])[0]).toBeCloseTo(atZero[kind][order], 15);
  });
});

test("special functions: symmetry, and known values", () => {
  // erf(1), erfc(2), erfc(5): Abramowitz and Stegun, table 7.1, and DLMF 7.2.
  expect(erf(1)).toBeCloseTo(0.8427007929497149, 15);
  expect(erfc(2) / 0.004677734981047266).toBeCloseTo(1, 13);
  expect(erfc(5) / 1.537459794428035e-12).toBeCloseTo(1, 13);
  for (const x of [0, 0.3, 1.499, 1.5, 1.501, 3, 6]) {
    expect(erf(-x)).toBeCloseTo(-erf(x), 15);
    expect(erfc(x) + erf(x)).toBeCloseTo(1, 15);
    expect(normalCdf(x) + normalCdf(-x)).toBeCloseTo(1, 15);
    expect(sigmoid(x) + sigmoid(-x)).toBeCloseTo(1, 15);
  }
  // Both sides of where the series hands over.
  expect(erfc(1.5 - 1e-12) / erfc(1.5)).toBeCloseTo(1, 11);
});
