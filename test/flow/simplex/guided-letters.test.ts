// Letters guided by weights, where all is known: E[w | x] is w(p) where w is a product of what is linear in each position's letter, and
// guided velocities are those of the weighted letters.
import { describe, expect, test } from "vitest";
import { rowGradient } from "../../../src/flow/guidance/by-function.ts";
import { guidedLetters } from "../../../src/flow/guidance/guided-letters.ts";
import { lettersVelocity } from "../../../src/flow/simplex/dirichlet-field.ts";
import { factorGraph } from "../../../src/flow/simplex/factor-graph.ts";
import { factorNodes } from "../../../src/flow/simplex/factor-nodes.ts";
import { factorTable } from "../../../src/flow/simplex/factor-table.ts";
import { factorAt } from "../../../src/flow/simplex/letters-of.ts";
import { evaluate } from "../../../src/graph/evaluate.ts";
import type { Node } from "../../../src/graph/node.ts";
import { ops } from "../../../src/networks.ts";
import { HostRandom } from "../../../src/ops/threefry.ts";

const { add, log, maximum, multiply, reshape, softmax, sum, table } = ops;
const [rows, places, letters, largest] = [32, 3, 5, 8];
const size = places * letters;
const random = new HostRandom(11);
const positive = (count: number, stream: number) => Array.from(random.uniform(count, stream), (u) => u + 0.05);
const shares = positive(size, 1);
const weights = positive(size, 2);
const points = (() => {
  const values = Array.from(random.uniform(rows * size, 3), (u) => -Math.log(u));
  const total = (i: number) => values.slice(i - (i % letters), i - (i % letters) + letters).reduce((a, b) => a + b);
  return values.map((value, i) => value / total(i));
})();

/** Velocities by t of the exact posterior, whose letters have shares proportional to these. */
const fieldOf = (own: readonly number[]) => (x: Node, t: Node) => {
  const above = multiply(t, largest - 1);
  const at = reshape(x, [rows, places, letters]);
  const logits = add(
    table(own.map(Math.log), [1, places, letters]),
    multiply(reshape(above, [rows, 1, 1]), log(maximum(at, 1e-30))),
  );
  const { factor } = factorNodes(factorTable(letters), at, add(above, 1));
  return reshape(multiply(lettersVelocity(softmax(logits), factor, at), largest - 1), x.shape);
};

const guidedBy = (strength: number) =>
  guidedLetters(fieldOf(shares), { sample: [places, letters], largest }, factorGraph([places, letters]), (p, x) => {
    const expected = sum(multiply(reshape(p, [rows, places, letters]), table(weights, [1, places, letters])), [2]);
    return multiply(rowGradient(sum(log(expected), [1]), x), strength);
  });

function velocities(field: (x: Node, t: Node) => Node, time: number, values = points): Float64Array {
  const [tensor] = evaluate([field(table(values, [rows, size]), table(Array(rows).fill(time), [rows, 1]))]);
  return tensor?.data as Float64Array;
}
const off = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));

describe("letters guided by weights", () => {
  const weighted = fieldOf(shares.map((share, i) => share * (weights[i] as number)));

  test.each([0.01, 0.1, 0.4, 0.8, 1])("have the velocities of the weighted letters at t = %f", (time) => {
    const exact = velocities(weighted, time);
    expect(off(velocities(guidedBy(1), time), exact)).toBeLessThan(2e-6); // of velocities up to 20: the tables' 3.4e-10 and their slopes'
    expect(off(velocities(guidedBy(0), time), exact)).toBeGreaterThan(0.1);
  });

  test("are as at a = 1.05 before, where a - 1 divides nothing by 0", () => {
    const exact = velocities(weighted, 0);
    const found = velocities(guidedBy(1), 0);
    const scale = Math.max(...exact.map(Math.abs));
    expect(off(found, exact) / scale).toBeLessThan(0.1);
    expect(off(found, exact) / scale).toBeLessThan(0.3 * (off(velocities(guidedBy(0), 0), exact) / scale));
  });

  test("of strength 0 are as they were", () => {
    for (const time of [0.01, 0.5, 1]) {
      expect(off(velocities(guidedBy(0), time), velocities(fieldOf(shares), time))).toBeLessThan(1e-9);
    }
  });

  test("stay on the simplex however strong, and with letters that are gone", () => {
    const corner = points.map((_, i) => (i % letters === 2 ? 1 : 0));
    for (const values of [points, corner]) {
      const found = velocities(guidedBy(1000), 0.3, values);
      expect(found.every(Number.isFinite)).toBe(true);
      // No coordinate falls faster than to 0 by a mean with corners: v_j >= -x_j S, and their sum is 0.
      for (let i = 0; i < found.length; i += letters) {
        expect(Math.abs(found.subarray(i, i + letters).reduce((a, b) => a + b))).toBeLessThan(1e-9);
      }
      expect(found.every((v, i) => (values[i] as number) > 0 || v >= 0)).toBe(true);
    }
  });

  const shape = { sample: [places, letters], largest } as const;

  test("do not ask what a function says beside the simplex: the same number more for all letters of a place is nothing", () => {
    const own = (more: number) =>
      guidedLetters(fieldOf(shares), shape, factorGraph([places, letters]), (_, x) =>
        add(
          table(
            weights.map((one) => 0.3 * one + more),
            [1, size],
          ),
          multiply(x, 0),
        ),
      );
    expect(off(velocities(own(3), 0.4), velocities(own(0), 0.4))).toBeLessThan(1e-9);
    expect(off(velocities(own(0), 0.4), velocities(fieldOf(shares), 0.4))).toBeGreaterThan(1e-3);
  });

  test("drawn by force to one letter they have its own velocity, and no more", () => {
    const [time, chosen] = [0.4, 3];
    const one = Array.from({ length: size }, (_, i) => (i % letters === chosen ? 1e6 : 0));
    const forced = guidedLetters(fieldOf(shares), shape, factorGraph([places, letters]), (_, x) =>
      add(table(one, [1, size]), multiply(x, 0)),
    );
    const factor = factorAt(factorTable(letters), 1 + (largest - 1) * time);
    const expected = points.map((x, i) => {
      const first = i - (i % letters);
      const speed = (largest - 1) * factor(points[first + chosen] as number).factor;
      return speed * ((i % letters === chosen ? 1 : 0) - x);
    });
    expect(off(velocities(forced, time), expected)).toBeLessThan(1e-6);
  });

  test("show functions no probability below 0, such as guidance without a classifier makes", () => {
    const told = fieldOf(weights);
    const strong = (x: Node, t: Node) => add(multiply(told(x, t), 6), multiply(fieldOf(shares)(x, t), -5));
    const found = guidedLetters(strong, shape, factorGraph([places, letters]), (p) => log(add(p, 1e-6)));
    expect(velocities(found, 0.4).every(Number.isFinite)).toBe(true);
  });
});
