// What people hand in for numbers and bytes, of every kind: taken as what it is, or refused with a sentence; with and
// without a worker.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, createRuntime, DataError, euler, type Runtime, type Trainer } from "../../src/index.ts";
import { smallOptions } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const solver = euler({ steps: 2 });
const made = new Map<string, { runtime: Runtime; trainer: Trainer; file: Uint8Array<ArrayBuffer> }>();

beforeAll(async () => {
  const engines = {
    "on this thread": await createRuntime({ backend: "wasm" }),
    "in a worker": (await remoteEngine("wasm")).runtime,
  };
  for (const [name, runtime] of Object.entries(engines)) {
    const trainer = await runtime.createTrainer(smallOptions());
    made.set(name, { runtime, trainer, file: new Uint8Array(await trainer.checkpoint()) });
  }
});
afterAll(() => {
  for (const { runtime } of made.values()) runtime.dispose();
});

/** The points (1, 2) and (3, 4). */
const right: Readonly<Record<string, unknown>> = {
  Float32Array: Float32Array.of(1, 2, 3, 4),
  Float64Array: Float64Array.of(1, 2, 3, 4),
  "integers of 8 bits": Uint8Array.of(1, 2, 3, 4),
  "integers of 32 bits": Int32Array.of(1, 2, 3, 4),
  "a plain array": [1, 2, 3, 4],
  rows: [
    [1, 2],
    [3, 4],
  ],
  "typed rows": [Float32Array.of(1, 2), Float64Array.of(3, 4)],
};

const wrong: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  null: null,
  "a number": 5,
  text: "1, 2, 3, 4",
  "an object": { 0: 1, length: 1 },
  "a DataView": new DataView(new ArrayBuffer(16)),
  "an ArrayBuffer": new ArrayBuffer(16),
  "64-bit integers": BigInt64Array.of(1n, 2n),
  bigints: [1n, 2n],
  "text in an array": ["1", "2"],
  "text in rows": [["1", "2"]],
  holes: new Array(4),
  "rows of another width": [[1, 2, 3]],
  "half a point": [1, 2, 3],
  "a promise": Promise.resolve([1, 2]),
  "not a number": [1, Number.NaN],
  "no points": [],
};

describe.each(["on this thread", "in a worker"])("%s", (where) => {
  const there = () => made.get(where) as { runtime: Runtime; trainer: Trainer; file: Uint8Array<ArrayBuffer> };

  test.each(Object.entries(right))("points as %s", async (_name, given) => {
    const { model } = there().trainer;
    const points = given as number[];
    const expected = await model.logDensity(right["Float64Array"] as Float64Array, { solver });
    expect(await model.logDensity(points, { solver })).toEqual(expected);
    const times = [0.5, 0.5];
    expect(await model.velocity(points, times)).toEqual(
      await model.velocity(right["Float64Array"] as Float64Array, Float32Array.from(times)),
    );
    expect((await model.encode(points, { solver })).count).toBe(2);
    expect((await model.sample({ noise: points, solver, times: Float32Array.of(0.5) })).count).toBe(2);
  });

  test.each(Object.entries(wrong))("points as %s: DataError", async (name, given) => {
    const { model } = there().trainer;
    const points = given as number[];
    await expect(model.logDensity(points, { solver })).rejects.toThrow(DataError);
    await expect(model.velocity(points, [0.5])).rejects.toThrow(DataError);
    await expect(model.velocity([1, 2], points)).rejects.toThrow(DataError);
    await expect(model.encode(points, { solver })).rejects.toThrow(DataError);
    const sampled = model.sample({ noise: points, solver });
    await expect(sampled).rejects.toThrow(name === "nothing" ? ConfigError : DataError); // then there is no count
  });

  test("more plain numbers than a call's stack holds", async () => {
    const { model } = there().trainer;
    const many = Array.from({ length: 2 * 130_000 }, (_, i) => Math.sin(i));
    expect((await model.velocity(many, new Array(130_000).fill(0.5))).length).toBe(many.length);
  });

  test("counts that are none", async () => {
    const { model } = there().trainer;
    for (const count of [Number.NaN, 0, -1, 1.5, "4", 4n, null, Number.POSITIVE_INFINITY] as number[]) {
      await expect(model.sample({ count }), String(count)).rejects.toThrow(ConfigError);
    }
    for (const options of [undefined, 5, null, "4", [4]] as never[]) {
      await expect(model.sample(options), String(options)).rejects.toThrow(ConfigError);
    }
  });

  test("files as bytes of any kind, and of no kind", async () => {
    const { runtime, file } = there();
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    for (const bytes of [file, file.buffer, Buffer.from(file), shared, shared.buffer as unknown as ArrayBuffer]) {
      (await runtime.loadModel(bytes)).dispose();
      (await runtime.resumeTrainer(bytes)).dispose();
    }
    const none = [undefined, null, 5, "model.safetensors", [1, 2], {}, new Blob([file]), new DataView(file.buffer)];
    for (const bytes of [...none, Float32Array.of(1), Promise.resolve(file)] as never[]) {
      await expect(runtime.loadModel(bytes)).rejects.toThrow(DataError);
      await expect(runtime.resumeTrainer(bytes)).rejects.toThrow(DataError);
    }
    await expect(runtime.loadModel(new Blob([file]) as never)).rejects.toThrow("arrayBuffer()");
  });
});
