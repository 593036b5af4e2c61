// A device that goes away in the middle of work: the run goes on, bit for bit, on the next one, or says that it cannot.
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { LocalRuntime } from "../../src/engine/runtime.ts";
import { DeviceLostError, euler, load } from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

/** How a lost device answers what is asked of it after the loss: both occur. */
type Manner = "rejects" | "hangs";

/** The reference as a device that can be lost, and is after so many runs. */
function mortal(runs: number, manner: Manner) {
  const inner = createReferenceBackend();
  let lose: (reason: string) => void = () => {};
  let left = runs;
  const fate = () => (manner === "hangs" ? new Promise<never>(() => {}) : Promise.reject(new Error("mapAsync failed")));
  const backend: Backend = {
    ...inner,
    lost: new Promise((resolve) => {
      lose = resolve;
    }),
    async load(program, state) {
      const executable = await inner.load(program, state);
      return {
        dispose: executable.dispose,
        run(times) {
          if (left > 0 && left <= times) setTimeout(lose, 5, "the driver was reset");
          left -= times;
          if (left > 0) executable.run(times);
        },
      };
    },
    finished: () => (left > 0 ? inner.finished() : fate()),
    read: (...args) => (left > 0 ? inner.read(...args) : fate()),
  };
  return backend;
}

/** A runtime whose devices live for so many runs each, the last one for ever. */
function runtimeOf(lives: readonly number[], manner: Manner): LocalRuntime {
  const left = [...lives];
  const next = async () => {
    const life = left.shift();
    return life === undefined ? createReferenceBackend() : mortal(life, manner);
  };
  return new LocalRuntime({ backend: mortal(left.shift() as number, manner), reason: "a test", renew: next });
}

describe.each<Manner>(["rejects", "hangs"])("a device that is lost and then %s", (manner) => {
  test("does not lose a training run: its steps and bits are those of an uninterrupted one", async () => {
    const expected = await withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      return { rows: await trainSteps(trainer, 30), bytes: await trainer.checkpoint() };
    });
    using runtime = runtimeOf([13, 9], manner);
    const trainer = await runtime.createTrainer(smallOptions({ snapshotEvery: 4 }));
    expect(await trainSteps(trainer, 30, 3)).toEqual(expected.rows);
    expect(await trainer.checkpoint()).toEqual(expected.bytes);
  });

  test("does not lose a model: a solve begins again", async () => {
    const bytes = await withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      return trainer.model.checkpoint();
    });
    const solver = euler({ steps: 20 });
    const expected = await withRuntime("reference", async (runtime) =>
      (await load(runtime, bytes)).sample({ count: 3, solver }),
    );
    using runtime = runtimeOf([7], manner);
    const model = await load(runtime, bytes);
    expect((await model.sample({ count: 3, solver })).values).toEqual(expected.values);
  });

  test("again and again is an error, after which the trainer still has its last snapshot", async () => {
    using runtime = runtimeOf([6, 1, 1, 1], manner);
    const trainer = await runtime.createTrainer(smallOptions({ snapshotEvery: 2 }));
    await expect(trainSteps(trainer, 30, 1)).rejects.toThrow(DeviceLostError);
    await trainSteps(trainer, 2, 1); // a device that lives
    expect(trainer.step).toBeGreaterThanOrEqual(2);
  });

  test("and cannot be replaced is an error", async () => {
    using runtime = new LocalRuntime({ backend: mortal(3, manner), reason: "a test" });
    const trainer = await runtime.createTrainer(smallOptions());
    await expect(trainSteps(trainer, 30, 1)).rejects.toThrow(DeviceLostError);
    await expect(trainSteps(trainer, 1)).rejects.toThrow(DeviceLostError);
  });
});

test("an error that is no loss passes as it is", async () => {
  using runtime = runtimeOf([1000], "rejects");
  const fault = new TypeError("a fault of our own");
  await expect(runtime.use(() => Promise.reject(fault))).rejects.toBe(fault);
});
