// onProgress tells how far a solve is: points, in order, from none to all, the same through a worker.
import { describe, expect, test } from "vitest";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { ConfigError, dopri5, euler, type Model, type Runtime } from "../../src/index.ts";
import { smallOptions } from "./small.ts";
import { remoteEngine } from "./worker.ts";

/** More than fit into one chunk. */
const COUNT = 9000;

async function reports(solve: (onProgress: (done: number, total: number) => void) => Promise<unknown>) {
  const seen: number[] = [];
  await solve((done, total) => {
    expect(total).toBe(COUNT);
    seen.push(done);
  });
  return seen;
}

const whereabouts: Readonly<Record<string, () => Promise<Disposable & { readonly runtime: Runtime }>>> = {
  "on this thread": async () => {
    const runtime = await createLocalRuntime({ backend: "wasm" });
    return { runtime, [Symbol.dispose]: () => runtime.dispose() };
  },
  "through a worker": () => remoteEngine("wasm"),
};

describe.each(Object.entries(whereabouts))("%s", (_name, open) => {
  const withModel = async (test: (model: Model) => Promise<void>) => {
    using engine = await open();
    using trainer = await engine.runtime.createTrainer(smallOptions());
    await test(trainer.model);
  };

  test.each([
    ["euler", euler({ steps: 50 })],
    ["dopri5", dopri5()],
  ])("%s rises from 0 to all, whatever it is asked for", (_solver, solver) =>
    withModel(async (model) => {
      const points = new Float32Array(2 * COUNT).map((_, i) => Math.sin(i));
      for (const seen of [
        await reports((onProgress) => model.sample({ count: COUNT, solver, onProgress })),
        await reports((onProgress) => model.sample({ count: COUNT, solver, onProgress, times: [0.1, 0.7] })),
        await reports((onProgress) => model.logDensity(points, { solver, onProgress })),
      ]) {
        expect(seen[0]).toBe(0);
        expect(seen.at(-1)).toBe(COUNT);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
        const chunks = [3000, 6000, 9000];
        expect(seen).toEqual(expect.arrayContaining(chunks));
        expect(seen.some((done) => done % 3000 !== 0)).toBe(true); // also on the way through a chunk
      }
    }),
  );

  test("it changes no bit of the result", () =>
    withModel(async (model) => {
      const options = { count: 100, logDensity: true };
      const told = await model.sample({ ...options, onProgress: () => {} });
      expect({ ...told, seconds: 0 }).toEqual({ ...(await model.sample(options)), seconds: 0 });
    }));

  test("an error that it throws ends the call, and the model can go on", () =>
    withModel(async (model) => {
      const wrong = new Error("mine");
      const onProgress = () => {
        throw wrong;
      };
      await expect(model.sample({ count: 10, onProgress })).rejects.toBe(wrong);
      expect((await model.sample({ count: 10 })).count).toBe(10);
    }));

  test("what is no function is refused", () =>
    withModel(async (model) => {
      const refused = async () => model.sample({ count: 10, onProgress: 5 as never });
      await expect(refused()).rejects.toThrow(ConfigError);
    }));
});
