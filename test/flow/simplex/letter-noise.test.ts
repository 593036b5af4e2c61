// Points of the simplex as training draws them, 20,000 of them with fixed seeds, held to their distributions by Kolmogorov
// and Smirnov's test: what is right falls below 1e-4 once in 10,000 tests, a shape that is 4 % off is below 1e-5.
import { expect, test } from "vitest";
import { chiSquareTail, kolmogorovTail } from "../../../src/diagnostics/distributions.ts";
import { drawn } from "../../../src/flow/losses/cross-entropy.ts";
import { exponentials, gammas, shares } from "../../../src/flow/simplex/letter-noise.ts";
import { random } from "../../../src/ops/random.ts";
import { table } from "../../../src/ops/sources.ts";
import { seedOf } from "../../../src/ops/threefry.ts";
import { valuesOf } from "../evaluate.ts";

/** Draws of one seed, each from a stream of its own. */
function draws(seed: number) {
  let stream = 0;
  const source = { seed: table([...seedOf(seed)], [2], "u32"), counter: table([0], [1], "u32") };
  return (kind: "uniform" | "normal" | "rademacher", shape: readonly number[]) =>
    random(kind, shape, { ...source, stream: stream++ });
}

/** The probability of so large a distance between the draws and their distribution. */
function tailOf(values: ArrayLike<number>, distribution: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    const at = distribution(x);
    distance = Math.max(distance, at - i / count, (i + 1) / count - at);
  });
  return kolmogorovTail(distance, count);
}

const gammaDistribution = (a: number) => (x: number) => 1 - chiSquareTail(2 * x, 2 * a);
const count = 20_000;

test.each([1, 1.0001, 1.3, 2, 5.5, 8, 34])("gammas of shape %f", (a) => {
  const [values] = valuesOf([gammas(draws(3), table([a], [1, 1]), count)], new Map(), "f32");
  expect(tailOf(values as Float64Array, gammaDistribution(a))).toBeGreaterThan(1e-4);
  // A shape that is 4 % off is found.
  expect(tailOf(values as Float64Array, gammaDistribution(a * 1.04))).toBeLessThan(1e-5);
});

test("exponentials: none is 0 or infinite", () => {
  const [values] = valuesOf([exponentials(draws(5), [count])], new Map(), "f32") as [Float64Array];
  expect(tailOf(values, (x) => -Math.expm1(-x))).toBeGreaterThan(1e-4);
  const ends = { uniform: table([0, 1 - 2 ** -24], [2]) };
  const [extremes] = valuesOf([exponentials(() => ends.uniform, [2])], new Map(), "f32") as [Float64Array];
  expect(extremes[0]).toBeCloseTo(25 * Math.LN2, 4);
  expect(extremes[1]).toBeGreaterThan(5e-8);
});

test("shares of exponentials are even on the simplex: each is Beta(1, K - 1)", () => {
  const [values] = valuesOf([shares(exponentials(draws(7), [count, 5]))], new Map(), "f32") as [Float64Array];
  for (let k = 0; k < 5; k++) {
    const column = values.filter((_, i) => i % 5 === k);
    expect(tailOf(column, (x) => 1 - (1 - x) ** 4)).toBeGreaterThan(1e-4);
  }
});

test("a letter's own coordinate on the Dirichlet path is Beta(a, K - 1), the others share the rest evenly", () => {
  const letters = 4;
  // One letter, whose time is the same in all rows: a = 1 - 2 ln(1 - t) = 3.
  const t = table(new Array<number>(count).fill(1 - Math.exp(-1)), [count, 1]);
  const labels = table(
    Array.from({ length: count * letters }, (_, i) => (i % letters === 2 ? 1 : 0)),
    [count, 1, letters],
  );
  const { point, a, time } = drawn({ kind: "dirichlet", largest: 5 }, labels, t, draws(11));
  const [values, times, own] = valuesOf([point, time, a as never], new Map(), "f32") as Float64Array[];
  expect(own?.[0]).toBeCloseTo(3, 6);
  expect(times?.[0]).toBeCloseTo(0.5, 6);
  const column = (k: number) => (values as Float64Array).filter((_, i) => i % letters === k);
  // I_x(3, 3) = x^3 (10 - 15 x + 6 x^2)
  expect(tailOf(column(2), (x) => x ** 3 * (10 - 15 * x + 6 * x * x))).toBeGreaterThan(1e-4);
  const [first, chosen] = [column(0), column(2)];
  expect(
    tailOf(
      first.map((x, i) => x / (1 - (chosen[i] as number))),
      (x) => 1 - (1 - x) ** 2,
    ),
  ).toBeGreaterThan(1e-4);
  // And they are independent of it: of a correlation of 0.03, 4 deviations, nothing is seen.
  const ratios = first.map((x, i) => x / (1 - (chosen[i] as number)) - 1 / 3);
  const middle = chosen.map((x) => x - 0.5);
  const sum = (list: Float64Array) => list.reduce((a, b) => a + b, 0);
  const correlation =
    sum(ratios.map((x, i) => x * (middle[i] as number))) /
    Math.sqrt(sum(ratios.map((x) => x * x)) * sum(middle.map((x) => x * x)));
  expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(count));
});

test("training draws a = 1 + 2 Exp(1), which tables reach", () => {
  const uniform = random("uniform", [count, 1], {
    ...{ seed: table([1, 2], [2], "u32"), counter: table([0], [1], "u32"), stream: 99 },
  });
  const labels = table(
    Array.from({ length: count * 2 }, (_, i) => i % 2),
    [count, 1, 2],
  );
  const { a } = drawn({ kind: "dirichlet", largest: 8 }, labels, uniform, draws(13));
  const [values] = valuesOf([a as never], new Map(), "f32") as [Float64Array];
  expect(tailOf(values, (x) => -Math.expm1((1 - x) / 2))).toBeGreaterThan(1e-4);
  const last = drawn(
    { kind: "dirichlet", largest: 8 },
    table([0, 1], [1, 1, 2]),
    table([1 - 2 ** -24], [1, 1]),
    draws(13),
  );
  expect(valuesOf([last.a as never], new Map(), "f32")[0]?.[0]).toBeLessThan(36);
});
