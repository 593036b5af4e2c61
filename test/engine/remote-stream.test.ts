// Data that come as they are made, where the engine is in a worker: the function stays on the page, which is asked for rows.
import { describe, expect, test, vi } from "vitest";
import {
  classes,
  DataError,
  evaluateLosses,
  mlp,
  type Runtime,
  type StreamDataOptions,
  type StreamedRows,
  type StreamStart,
  streamData,
  UnsupportedError,
} from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const BATCH = 8;
const row = (r: number): number[] => [Math.sin(r), Math.cos(1.7 * r)];
function* from(start: number, size: number, end = Number.POSITIVE_INFINITY): Generator<StreamedRows> {
  for (let r = start; r < end; r += size) yield Array.from({ length: Math.min(size, end - r) }, (_, i) => row(r + i));
}
const stream = (batches: StreamDataOptions["batches"]) => streamData({ shape: [2], batches });
const rowsFrom = (size: number) => stream(({ rows }) => from(rows, size));
const trainer = (runtime: Runtime, data: ReturnType<typeof streamData>) =>
  runtime.createTrainer(smallOptions({ data, batchSize: BATCH }));
const lossesOf = async (runtime: Runtime, data: ReturnType<typeof streamData>, steps: number) =>
  (await trainSteps(await trainer(runtime, data), steps)).map(({ loss }) => loss);
const here = (data: ReturnType<typeof streamData>, steps: number) =>
  withRuntime("wasm", (runtime) => lossesOf(runtime, data, steps));

test("have the bits that they have on this thread, however they come, through the ring and beyond", async () => {
  using remote = await remoteEngine("wasm");
  const wanted = await here(rowsFrom(BATCH), 150);
  async function* slowly() {
    for (const rows of from(0, 5)) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      yield rows;
    }
  }
  for (const data of [rowsFrom(3), rowsFrom(1000), stream(slowly()), stream(from(0, 7))]) {
    expect(await lossesOf(remote.runtime, data, 150)).toEqual(wanted);
  }
});

test("are asked for ahead, a bounded number, and begin anew where they end", async () => {
  using remote = await remoteEngine("wasm");
  const starts: StreamStart[] = [];
  let asked = 0;
  const data = stream((start) => {
    starts.push(start);
    return (function* () {
      for (const rows of from(0, 5, 20)) {
        asked += 5;
        yield rows;
      }
    })();
  });
  const epochs = stream(() => from(0, 5, 20));
  expect(await lossesOf(remote.runtime, data, 5)).toEqual(await here(epochs, 5));
  expect(starts.slice(0, 2)).toEqual([
    { step: 0, rows: 0 },
    { step: 2, rows: 20 },
  ]);
  expect(asked).toBeGreaterThanOrEqual(5 * BATCH);
  expect(asked).toBeLessThanOrEqual((2 * 64 + 6) * BATCH);
  const listed = stream([...from(0, 5, 20)]);
  expect(await lossesOf(remote.runtime, listed, 5)).toEqual(await here(epochs, 5));
});

test("bring what is told of them, in units and by name", async () => {
  const data = () =>
    streamData({
      shape: [2],
      standardization: { mean: [10, 20], std: [2, 4] },
      conditions: { kind: { names: ["a", "b"] } },
      *batches({ rows }) {
        for (let r = rows; ; r++) {
          yield { values: [[10 + Math.sin(r), 20 + Math.cos(r)]], conditions: { kind: [r % 2 === 0 ? "a" : "b"] } };
        }
      },
    });
  const network = mlp({ dimension: 2, hidden: [6], conditions: { kind: classes(2) } });
  const everything = async (runtime: Runtime) => {
    const made = await runtime.createTrainer(smallOptions({ data: data(), batchSize: BATCH, network }));
    const steps = await trainSteps(made, 12);
    const { values } = await made.model.sample({ count: 2, seed: 1, conditions: { kind: "b" } });
    return { steps, values, conditions: made.model.conditions, file: await made.checkpoint() };
  };
  using remote = await remoteEngine("wasm");
  expect(await everything(remote.runtime)).toEqual(await withRuntime("wasm", everything));
});

test("go on from a file, in a worker or out of one", async () => {
  using remote = await remoteEngine("wasm");
  const wanted = await here(rowsFrom(6), 30);
  const first = await trainer(remote.runtime, rowsFrom(6));
  const found = await trainSteps(first, 13);
  const starts: StreamStart[] = [];
  const data = stream((start) => {
    starts.push(start);
    return from(start.rows, 6);
  });
  const file = await first.checkpoint();
  const second = await remote.runtime.resumeTrainer(file, { data });
  expect([...found, ...(await trainSteps(second, 17))].map(({ loss }) => loss)).toEqual(wanted);
  expect(starts).toEqual([{ step: 13, rows: 13 * BATCH }]);
  await withRuntime("wasm", async (runtime) => {
    const third = await runtime.resumeTrainer(file, { data: rowsFrom(6) });
    expect((await trainSteps(third, 17)).map(({ loss }) => loss)).toEqual(wanted.slice(13));
  });
});

describe("what goes wrong", () => {
  test("an error of the stream's own is the run's, the very same; steps before it are done, and a run goes on", async () => {
    using remote = await remoteEngine("wasm");
    const gone = { sensor: "gone" };
    let fails = true;
    const data = stream(async function* ({ rows: start }) {
      if (start < 16) yield* from(start, BATCH, 16);
      if (fails) throw gone;
      yield* from(16, BATCH);
    });
    const made = await trainer(remote.runtime, data);
    await expect(trainSteps(made, 9)).rejects.toBe(gone);
    await expect(trainSteps(made, 9)).rejects.toBe(gone);
    expect(made.step).toBe(2);
    fails = false;
    const rest = await trainSteps(made, 7);
    expect(rest.map(({ loss }) => loss)).toEqual((await here(rowsFrom(BATCH), 9)).slice(2));
  });

  test.each<[string, unknown, RegExp]>([
    ["half a point", [1, 2, 3], /rows of streamData from 0 on: got "3 numbers"/],
    ["a function", () => {}, /rows of streamData for an engine in a worker: got/],
    ["nothing", undefined, /rows of streamData from 0 on/],
  ])("%s is a DataError", async (_name, rows, message) => {
    using remote = await remoteEngine("wasm");
    const data = stream(() => [rows as StreamedRows]);
    const made = await trainer(remote.runtime, data);
    const error = await trainSteps(made, 1).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(message);
  });

  test("that rows end is told by number, and a function that fails at once is heard", async () => {
    using remote = await remoteEngine("wasm");
    await expect(trainSteps(await trainer(remote.runtime, stream(from(0, BATCH, 20))), 5)).rejects.toThrow(
      /none after 20/,
    );
    const broken = stream(() => {
      throw new RangeError("no such file");
    });
    await expect(trainSteps(await trainer(remote.runtime, broken), 1)).rejects.toThrow(RangeError);
  });

  test("a wait for rows ends with the signal, and an iterator is told when it is wanted no more", async () => {
    using remote = await remoteEngine("wasm");
    const controller = new AbortController();
    const waiting = stream(async function* () {
      yield* from(0, BATCH, BATCH);
      setTimeout(() => controller.abort(new Error("enough")), 20);
      await new Promise(() => {});
    });
    const run = (await trainer(remote.runtime, waiting)).run({ steps: 4, signal: controller.signal });
    await expect(
      (async () => {
        for await (const _ of run);
      })(),
    ).rejects.toThrow("enough");
    const returned = vi.fn();
    const data = stream(function* ({ rows }) {
      try {
        yield* from(rows, BATCH);
      } finally {
        returned();
      }
    });
    const made = await trainer(remote.runtime, data);
    await trainSteps(made, 1);
    expect(returned).not.toHaveBeenCalled();
    made.dispose();
    await vi.waitFor(() => expect(returned).toHaveBeenCalledOnce());
    await trainSteps(await trainer(remote.runtime, data), 1);
    remote.runtime.dispose();
    await vi.waitFor(() => expect(returned).toHaveBeenCalledTimes(2));
  });

  test("rows that come once are drawn in training alone", async () => {
    using remote = await remoteEngine("wasm");
    const data = rowsFrom(BATCH);
    const made = await trainer(remote.runtime, data);
    const { loss } = smallOptions();
    await expect(evaluateLosses(remote.runtime, made.model, { data, loss })).rejects.toThrow(UnsupportedError);
    await expect(remote.runtime.createTrainer(smallOptions({ data, validation: rowsFrom(1) }))).rejects.toThrow(
      UnsupportedError,
    );
  });
});
