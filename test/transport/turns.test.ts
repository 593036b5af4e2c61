// Searches in turns: what they give does not depend on how they are driven, and they stop often enough to be given up.
import { afterEach, expect, test, vi } from "vitest";
import type { DataStream } from "../../src/data/source.ts";
import { Feed } from "../../src/engine/feed.ts";
import { pairedData } from "../../src/engine/pairs.ts";
import { type Coupling, entropicTransport, optimalTransport } from "../../src/flows.ts";
import { eightGaussians, moons } from "../../src/index.ts";
import { assigning, assignment } from "../../src/transport/assignment.ts";
import { squaredDistances } from "../../src/transport/cost.ts";
import type { Pairs } from "../../src/transport/draw-pairs.ts";
import { planning, sinkhorn } from "../../src/transport/sinkhorn.ts";
import { cloud } from "./clouds.ts";

afterEach(() => vi.restoreAllMocks());

/** Each look at the clock is a second after the last: every part is then a turn. */
function slowly() {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 1000));
}

function driven<Result>(parts: Generator<undefined, Result, undefined>) {
  for (let turns = 0; ; turns++) {
    const { done, value } = parts.next();
    if (done) return { value, turns };
  }
}

test("an assignment and a plan stop now and then, and are what they are in one go", () => {
  // Clouds apart want the start from half of the rows, small regularisations Newton's method and a decomposition.
  for (const shift of [0, 6]) {
    const [first, second] = [cloud(300, 2, 1), cloud(300, 2, 2, { shift })];
    const { value, turns } = driven(assigning(squaredDistances(first, second)));
    expect(value).toEqual(assignment(first, second));
    expect(turns).toBeGreaterThan(20);
  }
  const [first, second] = [cloud(120, 2, 1), cloud(110, 2, 2)];
  const options = { regularisation: 0.003, tolerance: 1e-9 };
  const { value, turns } = driven(planning(squaredDistances(first, second), options));
  expect(value).toEqual(sinkhorn(first, second, options));
  expect(turns).toBeGreaterThan(value.iterations / 4);
});

const couplings: readonly (readonly [string, Coupling])[] = [
  ["exact", optimalTransport()],
  ["entropic", entropicTransport({ regularisation: 0.01, tolerance: 1e-6 })],
];

test.each(couplings)("%s pairs are given up between two turns when nobody waits for them", async (_, coupling) => {
  let asked = 0;
  slowly();
  const batches = {
    ...{ count: 64, dimension: 2, conditions: {}, step: 0, seed: 1 },
    start: cloud(64, 2, 1).values,
    data: cloud(64, 2, 2).values,
  };
  const whole = await coupling.pair?.(batches, () => void asked++);
  expect(whole?.rows).toHaveLength(64);
  expect(asked).toBeGreaterThan(4);
  const given = coupling.pair?.(batches, () => {
    throw new RangeError("enough");
  });
  await expect(given).rejects.toThrow("enough");
});

test("a feed that is closed ends the search for its batch", async () => {
  slowly();
  let ends: (reason: unknown) => void = () => {};
  const ended = new Promise((resolve) => {
    ends = resolve;
  });
  const exact = optimalTransport();
  const coupling: Coupling = {
    ...exact,
    async pair(batches, stillWanted) {
      feed.close();
      try {
        return (await exact.pair?.(batches, stillWanted)) as Pairs;
      } catch (error) {
        ends(error);
        throw error;
      }
    },
  };
  const source = pairedData({ data: moons(), start: eightGaussians(), coupling, batchSize: 64, seed: 1 });
  const feed = new Feed({ ...source, stream: source.stream as DataStream }, 64, 0);
  const filling = feed.fill(1, undefined).catch((error) => error);
  expect(await ended).toMatchObject({ message: "pairs that nobody waits for" });
  expect(await filling).toBeInstanceOf(Error);
});
