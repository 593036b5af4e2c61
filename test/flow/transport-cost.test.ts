// The cost of a pair in a coupling by transport: squared distance, and what conditions add.
import { expect, test } from "vitest";
import { costOfPairs } from "../../src/flow/couplings/transport.ts";

const batches = {
  ...{ count: 2, dimension: 2, step: 0, seed: 0 },
  start: Float64Array.of(0, 0, 1, 2),
  data: Float64Array.of(1, 1, -1, 0),
  conditions: {
    label: { width: 1, isLabel: true, start: Float64Array.of(4, 2), data: Float64Array.of(2, 9) },
    place: { width: 2, isLabel: false, start: Float64Array.of(0, 0, 1, 0), data: Float64Array.of(0, 2, 1, 1) },
  },
};

test("it is the squared distance, and weight times those of conditions: 1 where labels differ", () => {
  expect([...costOfPairs(batches, 0).values]).toEqual([2, 1, 1, 8]);
  // Labels: differ, differ, alike, differ. Places: 4, 2; 5, 1.
  expect([...costOfPairs(batches, 10).values]).toEqual([2 + 50, 1 + 30, 1 + 50, 8 + 20]);
});
