// Data that come as they are made: each step takes the batch that is its own, however rows come and runs are cut.
import { describe, expect, test, vi } from "vitest";
import { Feed } from "../../src/engine/feed.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import {
  ConfigError,
  classes,
  createTrainer,
  DataError,
  evaluateLosses,
  mlp,
  numbers,
  type Runtime,
  resume,
  type StreamedRows,
  type StreamStart,
  sampleData,
  streamData,
  type TrainerOptions,
  UnsupportedError,
} from "../../src/index.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { meanAll, sumAll } from "../../src/ops/reduce.ts";
import { constant } from "../../src/ops/sources.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const BATCH = 8;
/** Row r of a stream without end. */
const row = (r: number): number[] => [Math.sin(r), Math.cos(1.7 * r)];

/** Rows from `from` on, `size` at a time, up to `end`. */
function* from(start: number, size: number, end = Number.POSITIVE_INFINITY): Generator<StreamedRows> {
  for (let r = start; r < end; r += size) {
    yield Array.from({ length: Math.min(size, end - r) }, (_, i) => row(r + i));
  }
}

const rowsFrom = (size: number) => streamData({ shape: [2], batches: ({ rows }) => from(rows, size) });
const trainer = (runtime: Runtime, data: TrainerOptions["data"], changes: Partial<TrainerOptions> = {}) =>
  createTrainer(runtime, smallOptions({ data, batchSize: BATCH, ...changes }));
const losses = async (runtime: Runtime, data: TrainerOptions["data"], steps: number) =>
  (await trainSteps(await trainer(runtime, data), steps)).map(({ loss }) => loss);

/** A loss that tells the mean of the points. */
const telling: Loss = {
  name: "telling",
  options: {},
  build({ network, x1, t }) {
    const loss = add(meanAll(x1), multiply(0, sumAll(network(x1, t))));
    return { loss, velocityLoss: loss, divergenceLoss: constant(0) };
  },
};

describe("steps", () => {
  test.each(["reference", "wasm"] as const)("take their own batches on %s, through the ring and beyond", (backend) =>
    withRuntime(backend, async (runtime) => {
      const made = await trainer(runtime, rowsFrom(5), { loss: telling });
      const found = await trainSteps(made, 150);
      expect(found.map(({ step }) => step)).toEqual(Array.from({ length: 150 }, (_, i) => i + 1));
      for (const { step, loss } of found) {
        const batch = Array.from({ length: BATCH }, (_, i) => row((step - 1) * BATCH + i)).flat();
        expect(loss).toBeCloseTo(batch.reduce((sum, value) => sum + value, 0) / batch.length, 5);
      }
    }),
  );

  test("have the same bits however rows come, one by one, in a file or in time", () =>
    withRuntime("wasm", async (runtime) => {
      const wanted = await losses(runtime, rowsFrom(BATCH), 80);
      async function* slowly() {
        for (const rows of from(0, 3)) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          yield rows;
        }
      }
      for (const data of [rowsFrom(1), rowsFrom(1000), streamData({ shape: [2], batches: slowly() })]) {
        expect(await losses(runtime, data, 80)).toEqual(wanted);
      }
      const cut = await trainer(runtime, rowsFrom(7));
      const parts = [...(await trainSteps(cut, 1)), ...(await trainSteps(cut, 70)), ...(await trainSteps(cut, 9))];
      expect(parts.map(({ loss }) => loss)).toEqual(wanted);
    }));

  test("begin anew where rows end", () =>
    withRuntime("wasm", async (runtime) => {
      const starts: StreamStart[] = [];
      const epochs = streamData({
        shape: [2],
        batches: (start) => {
          starts.push(start);
          return from(0, 5, 20);
        },
      });
      const found = await trainSteps(await trainer(runtime, epochs, { loss: telling }), 5);
      const mean = (rows: readonly number[]) => rows.flatMap(row).reduce((sum, value) => sum + value, 0) / (2 * BATCH);
      const order = Array.from({ length: 40 }, (_, i) => i % 20);
      for (const { step, loss } of found) {
        expect(loss).toBeCloseTo(mean(order.slice((step - 1) * BATCH, step * BATCH)), 5);
      }
      expect(starts.slice(0, 2)).toEqual([
        { step: 0, rows: 0 },
        { step: 2, rows: 20 },
      ]);
      const again = streamData({ shape: [2], batches: [...from(0, 5, 20)] });
      expect(await losses(runtime, again, 5)).toEqual(await losses(runtime, epochs, 5));
    }));

  test("are told what comes with their rows, in model units", () =>
    withRuntime("wasm", async (runtime) => {
      const told: Loss = {
        ...telling,
        // v = the network's at [x, t, told]; what it is told is checked by the mean of x1 - age.
        build: ({ network, x1, t }) => telling.build({ network, x1, t } as never),
      };
      const data = streamData({
        shape: [2],
        standardization: { mean: [10, 20], std: [2, 4] },
        conditions: {
          kind: { names: ["a", "b"] },
          age: { standardization: { mean: [5], std: [5] } },
        },
        batches: ({ rows }) =>
          (function* () {
            for (let r = rows; ; r++) {
              yield {
                values: [[10 + 2 * Math.sin(r), 20 + 4 * Math.cos(r)]],
                conditions: { kind: [r % 2 === 0 ? "a" : "b"], age: [5 + 5 * r] },
              };
            }
          })(),
      });
      const network = mlp({
        dimension: 2,
        hidden: [6],
        conditions: { kind: classes(2), age: numbers() },
      });
      const made = await trainer(runtime, data, { network, loss: told });
      const [first] = await trainSteps(made, 1);
      const batch = Array.from({ length: BATCH }, (_, r) => [Math.sin(r), Math.cos(r)]).flat();
      expect(first?.loss).toBeCloseTo(batch.reduce((sum, value) => sum + value, 0) / batch.length, 5);
      expect(made.model.conditions["kind"]).toMatchObject({ classes: 2, names: ["a", "b"] });
      const feed = new Feed(data as ConstructorParameters<typeof Feed>[0], 4, 0);
      feed.ahead();
      await vi.waitFor(async () => expect((await feed.fill(2, undefined)).count).toBe(2));
      const { states } = await feed.fill(2, undefined);
      expect(states.get("data.ring.kind")).toEqual(Uint32Array.of(0, 1, 0, 1, 0, 1, 0, 1));
      expect(states.get("data.ring.age")).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
      expect([...(states.get("data.ring") ?? [])].map((value) => value.toFixed(5))).toEqual(
        Array.from({ length: 8 }, (_, r) => [Math.sin(r).toFixed(5), Math.cos(r).toFixed(5)]).flat(),
      );
      const { values } = await made.model.sample({ count: 2, conditions: { kind: "b", age: 10 } });
      expect(values).toBeInstanceOf(Float64Array);
    }));

  test("ask for a bounded number of rows ahead", () =>
    withRuntime("wasm", async (runtime) => {
      let asked = 0;
      const data = streamData({
        shape: [2],
        batches: () =>
          (function* () {
            for (; ; asked += BATCH) yield* from(asked, BATCH, asked + BATCH);
          })(),
      });
      await trainSteps(await trainer(runtime, data), 3);
      expect(asked).toBeGreaterThanOrEqual(3 * BATCH);
      expect(asked).toBeLessThanOrEqual((2 * 64 + 3) * BATCH);
    }));
});

describe("resumed runs", () => {
  test("go on with the bits of one that was never ended, where the stream begins where it is told", () =>
    withRuntime("wasm", async (runtime) => {
      const wanted = await losses(runtime, rowsFrom(6), 30);
      const first = await trainer(runtime, rowsFrom(6));
      const found = await trainSteps(first, 13);
      const starts: StreamStart[] = [];
      const data = streamData({
        shape: [2],
        batches: (start) => {
          starts.push(start);
          return from(start.rows, 6);
        },
      });
      const second = await resume(runtime, await first.checkpoint(), { data });
      found.push(...(await trainSteps(second, 17)));
      expect(found.map(({ loss }) => loss)).toEqual(wanted);
      expect(starts).toEqual([{ step: 13, rows: 13 * BATCH }]);
      const other = streamData({ shape: [1, 2], batches: () => from(0, 6) });
      await expect(resume(runtime, await first.checkpoint(), { data: other })).rejects.toThrow(DataError);
    }));
});

describe("what goes wrong", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["half a point", [1, 2, 3], /rows of streamData from 16 on: got "3 numbers", expected a multiple of 2/],
    [
      "NaN",
      [
        [1, 2],
        [3, Number.NaN],
      ],
      /from 16 on, row 1, column 1/,
    ],
    ["text", ["a"], /from 16 on/],
    ["nothing", undefined, /from 16 on/],
    ["conditions that nobody declared", { values: [[1, 2]], conditions: { age: [1] } }, /got "age", expected none/],
  ];
  test.each(wrong)("%s ends the run before that step, and what is learnt stays", (_name, rows, message) =>
    withRuntime("wasm", async (runtime) => {
      let fails = true;
      const data = streamData({
        shape: [2],
        *batches({ rows: start }) {
          if (start < 16) yield* from(start, BATCH, 16);
          if (fails) yield rows as StreamedRows;
          yield* from(16, BATCH);
        },
      });
      const made = await trainer(runtime, data);
      await expect(trainSteps(made, 9)).rejects.toThrow(DataError);
      await expect(trainSteps(made, 9)).rejects.toThrow(message);
      fails = false;
      expect(made.step).toBe(2); // the steps before it are done
      const rest = await trainSteps(made, 7);
      expect(rest.map(({ loss }) => loss)).toEqual((await losses(runtime, rowsFrom(BATCH), 9)).slice(2));
    }),
  );

  test("an error of the stream's own is the run's; at its end rows are missed by number", () =>
    withRuntime("wasm", async (runtime) => {
      const failing = streamData({
        shape: [2],
        async *batches() {
          yield* from(0, BATCH, 2 * BATCH);
          throw new Error("the sensor is gone");
        },
      });
      await expect(trainSteps(await trainer(runtime, failing), 5)).rejects.toThrow("the sensor is gone");
      const ended = streamData({ shape: [2], batches: from(0, BATCH, 20) });
      await expect(trainSteps(await trainer(runtime, ended), 5)).rejects.toThrow(/none after 20/);
    }));

  test("a wait for rows ends with the signal", () =>
    withRuntime("wasm", async (runtime) => {
      const controller = new AbortController();
      const returned = vi.fn();
      const data = streamData({
        shape: [2],
        async *batches() {
          try {
            yield* from(0, BATCH, BATCH);
            setTimeout(() => controller.abort(new Error("enough")), 20);
            await new Promise(() => {});
          } finally {
            returned();
          }
        },
      });
      const made = await trainer(runtime, data);
      const run = made.run({ steps: 4, signal: controller.signal });
      expect((await run.next()).value?.step).toBe(1);
      await expect(run.next()).rejects.toThrow("enough");
    }));

  test("an iterator is told when it is wanted no more", () =>
    withRuntime("wasm", async (runtime) => {
      const returned = vi.fn();
      const data = streamData({
        shape: [2],
        *batches() {
          try {
            yield* from(0, BATCH);
          } finally {
            returned();
          }
        },
      });
      const made = await trainer(runtime, data);
      await trainSteps(made, 1);
      made.dispose();
      await vi.waitFor(() => expect(returned).toHaveBeenCalledOnce());
    }));
});

describe("refused", () => {
  test.each<[string, unknown]>([
    ["no shape", { batches: [] }],
    ["a size of 0", { shape: [0], batches: [] }],
    ["no batches", { shape: [2] }],
    ["batches that are none", { shape: [2], batches: 3 }],
    ["an unknown option", { shape: [2], batches: [], count: 3 }],
    ["names for other classes", { shape: [2], batches: [], conditions: { a: { classes: 2, names: ["b"] } } }],
    ["labels of a shape", { shape: [2], batches: [], conditions: { a: { classes: 2, shape: [2] } } }],
  ])("%s", (_name, options) => {
    expect(() => streamData(options as never)).toThrow(ConfigError);
  });

  test("what rows that come once cannot do", () =>
    withRuntime("wasm", async (runtime) => {
      const data = rowsFrom(BATCH);
      expect(() => sampleData(data, 3)).toThrow(UnsupportedError);
      const made = await trainer(runtime, data);
      const { loss } = smallOptions();
      await expect(evaluateLosses(runtime, made.model, { data, loss })).rejects.toThrow(UnsupportedError);
      await expect(trainer(runtime, data, { validation: rowsFrom(1) })).rejects.toThrow(UnsupportedError);
      await expect(trainer(runtime, data, { validation: 0.1 })).rejects.toThrow(ConfigError);
      await expect(trainer(runtime, data, { jitter: 0.1 })).rejects.toThrow(ConfigError);
    }));
});
