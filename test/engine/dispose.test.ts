// dispose() at any await of any call: a DisposedError, nothing left on the device, and no error that nobody hears.
import { expect, test } from "vitest";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { arrayData, DisposedError, ema, type Model, type Runtime, rk4, type Trainer } from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const data = arrayData(Array.from({ length: 30 }, (_, i) => [Math.sin(i * i), Math.cos(i)]));
const options = () =>
  smallOptions({ data, validation: 0.5, validateEvery: 2, ema: ema({ decay: 0.9 }), snapshotEvery: 1, seed: 1 });

/** Lets timers run: promises that are there already would not. */
const task = () => new Promise((resolve) => setTimeout(resolve));

/** What a call may be in the middle of. */
const works: Readonly<Record<string, (trainer: Trainer, model: Model) => Promise<unknown>>> = {
  "a run": (trainer) => trainSteps(trainer, 100_000, 1),
  "a run without reports": (trainer) => trainSteps(trainer, 100_000),
  checkpoints: async (trainer) => {
    for (; ; await task()) await trainer.checkpoint();
  },
  samples: async (trainer) => {
    for (; ; await task()) await trainer.model.sample({ count: 3, solver: rk4({ steps: 2 }) });
  },
  "log-densities": async (trainer) => {
    for (let i = 1; ; i++, await task())
      await trainer.model.logDensity(new Float32Array(2 * (1 + (i % 5))), { solver: rk4({ steps: 2 }) });
  },
  "a run, samples and checkpoints at once": (trainer) =>
    Promise.all([
      trainSteps(trainer, 100_000, 1),
      works["samples"]?.(trainer, trainer.model),
      works["checkpoints"]?.(trainer, trainer.model),
    ]),
  "a description": async (trainer) => {
    for (; ; await task()) await trainer.describe();
  },
  "a loaded model's samples": async (_trainer, model) => {
    for (; ; await task()) await model.sample({ count: 3, solver: rk4({ steps: 2 }) });
  },
};

/** Lets so many rounds of waiting tasks go by. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await (i % 3 === 2 ? task() : undefined);
}

const disposals: Readonly<Record<string, (runtime: Runtime, trainer: Trainer, model: Model) => void>> = {
  trainer: (_runtime, trainer, model) => {
    trainer.dispose();
    model.dispose();
  },
  runtime: (runtime) => runtime.dispose(),
};

/** Turns before dispose(). The reference, for tests only, has few of them. */
const tries = { wasm: [0, 1, 2, 3, 4], reference: [1, 3] } as const;

for (const backend of ["wasm", "reference"] as const) {
  test.each(Object.keys(works))(`in the middle of %s, on ${backend}`, async (name) => {
    for (const disposal of Object.values(disposals)) {
      for (const wait of tries[backend]) {
        await withRuntime(backend, async (runtime) => {
          const before = await runtime.memory();
          const trainer = await runtime.createTrainer(options());
          const model = await runtime.loadModel(await trainer.model.checkpoint());
          const outcome = works[name]?.(trainer, model).then(
            () => "an end",
            (error: unknown) => error,
          );
          await turns(wait);
          disposal(runtime, trainer, model);
          expect(await outcome).toBeInstanceOf(DisposedError);
          if (disposal === disposals["trainer"]) expect(await runtime.memory()).toEqual(before);
        });
      }
    }
  });

  test(`of the runtime while a trainer, a model or a run to resume is made, on ${backend}`, async () => {
    const file = await withRuntime(backend, async (runtime) => (await runtime.createTrainer(options())).checkpoint());
    const makers: readonly ((runtime: Runtime) => Promise<unknown>)[] = [
      (runtime) => runtime.createTrainer(options()),
      (runtime) => runtime.createTrainer({ ...options(), initial: file }),
      (runtime) => runtime.resumeTrainer(file, { data }),
      (runtime) => runtime.loadModel(file),
    ];
    for (const make of makers) {
      for (const wait of tries[backend]) {
        await withRuntime(backend, async (runtime) => {
          const outcome = make(runtime).then(
            () => "made",
            (error: unknown) => error,
          );
          await turns(wait);
          runtime.dispose();
          const result = await outcome;
          if (result !== "made") expect(result).toBeInstanceOf(DisposedError);
        });
      }
    }
  });
}

test("of the runtime while a device owes an answer that never comes", async () => {
  const runtime = await createLocalRuntime({ backend: "wasm" });
  const call = runtime.use(() => new Promise<never>(() => {}));
  await turns(1);
  runtime.dispose();
  await expect(call).rejects.toThrow(DisposedError);
});
