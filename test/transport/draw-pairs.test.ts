// Pairs of a plan: each with its probability, whichever way they are drawn. Power is stated where it is tested.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { drawPairs } from "../../src/transport/draw-pairs.ts";
import { sinkhorn } from "../../src/transport/sinkhorn.ts";
import { cloud } from "./clouds.ts";

const n = 6;
const plan = sinkhorn(cloud(n, 2, 1), cloud(n, 2, 2), { regularisation: 0.7, tolerance: 1e-12 });

/** How often each pair came in so many draws of n. */
function countsOf(draws: number, replacement: boolean): Float64Array {
  const counts = new Float64Array(n * n);
  for (let seed = 0; seed < draws; seed++) {
    const { rows, columns } = drawPairs(plan, { seed, replacement });
    for (const [k, row] of rows.entries()) counts[row * n + columns[k]]++;
  }
  return counts;
}

// 4,000 draws of 6: the standard error of a pair's share is at most 0.0079 of 1/6 each. Shares that were off by 0.03 (what
// drawing row after row from what is left does to the last rows of this plan) would be 4 deviations off or more.
test.each([true, false])("each pair comes as often as the plan says, with replacement %s", (replacement) => {
  const draws = 4000;
  const counts = countsOf(draws, replacement);
  let chiSquare = 0;
  counts.forEach((count, at) => {
    const share = n * plan.plan[at];
    const variance = replacement ? n * plan.plan[at] * (1 - plan.plan[at]) : share * (1 - share);
    const z = (count / draws - share) / Math.sqrt(variance / draws + 1e-9);
    expect(Math.abs(z), `pair ${at}`).toBeLessThan(4.2); // 36 pairs: by chance once in 1,000 times
    chiSquare += z * z;
  });
  expect(chiSquare).toBeLessThan(75); // 36 squares at most: beyond it by chance once in 5,000 times
});

test("without replacement every row and every column comes once", () => {
  for (const [count, regularisation] of [
    [1, 1],
    [5, 1],
    [64, 0.05],
    [100, 1e9],
  ] as const) {
    const one = sinkhorn(cloud(count, 2, 1), cloud(count, 2, 2), { regularisation });
    for (let seed = 0; seed < 5; seed++) {
      const { rows, columns } = drawPairs(one, { seed, replacement: false });
      const all = Array.from({ length: count }, (_, i) => i);
      expect([...rows]).toEqual(all);
      expect([...columns].sort((a, b) => a - b)).toEqual(all);
    }
  }
});

test("fewer pairs without replacement are of different rows and columns, each row as likely", () => {
  const seen = new Float64Array(n);
  for (let seed = 0; seed < 3000; seed++) {
    const { rows, columns } = drawPairs(plan, { seed, count: 2, replacement: false });
    expect(new Set(rows).size + new Set(columns).size).toBe(4);
    for (const row of rows) seen[row]++;
  }
  // 1,000 each, deviation 26.
  for (const count of seen) expect(Math.abs(count - 1000)).toBeLessThan(110);
});

test("a plan that is a permutation is drawn as it is", () => {
  const swapped = { plan: Float64Array.of(0, 0.5, 0.5, 0), shape: [2, 2] as const };
  for (const replacement of [true, false]) {
    const { rows, columns } = drawPairs(swapped, { seed: 3, replacement });
    for (const [k, row] of rows.entries()) expect(columns[k]).toBe(1 - row);
  }
});

test("with replacement any plan, of any count, and weights that are not equal", () => {
  const uneven = { plan: Float64Array.of(0.7, 0.1, 0, 0.05, 0.05, 0.1), shape: [2, 3] as const };
  const { rows, columns } = drawPairs(uneven, { count: 20_000 });
  const counts = new Float64Array(6);
  for (const [k, row] of rows.entries()) counts[row * 3 + columns[k]]++;
  // 4.5 deviations of the most uncertain.
  for (const [at, share] of uneven.plan.entries()) expect(Math.abs(counts[at] / 20_000 - share)).toBeLessThan(0.015);
});

test("equal seeds give equal pairs, others others", () => {
  for (const replacement of [true, false]) {
    expect(drawPairs(plan, { seed: 5, replacement })).toEqual(drawPairs(plan, { seed: 5, replacement }));
    const many = Array.from({ length: 20 }, (_, seed) => drawPairs(plan, { seed, replacement }).columns.join());
    expect(new Set(many).size).toBeGreaterThan(4);
  }
});

describe("refuses", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["what is no plan", () => drawPairs([[1]] as never), /plan of drawPairs/],
    [
      "a plan of another size",
      () => drawPairs({ plan: new Float64Array(3).fill(1), shape: [2, 2] }),
      /Float64Array of rows/,
    ],
    ["negative shares", () => drawPairs({ plan: Float64Array.of(-1, 2), shape: [1, 2] }), /negative/],
    [
      "unequal counts without replacement",
      () => drawPairs({ plan: Float64Array.of(1, 1), shape: [1, 2] }, { replacement: false }),
      /1 rows and 2 columns.*Draw with replacement/,
    ],
    [
      "unequal weights without replacement",
      () => drawPairs({ plan: Float64Array.of(0.9, 0, 0, 0.1), shape: [2, 2] }, { replacement: false }),
      /unequal weights/,
    ],
    [
      "more pairs than rows without replacement",
      () => drawPairs(plan, { count: 7, replacement: false }),
      /count.*from 1 to 6/,
    ],
    ["a misspelt option", () => drawPairs(plan, { replace: true } as never), /replacement\?/],
    ["a negative seed", () => drawPairs(plan, { seed: -1 }), /seed of drawPairs/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(message);
  });
});
