// Promises about training that no backend changes, on the f64 reference: how a run is cut, resumed, aborted or refused.
import { describe, expect, test, vi } from "vitest";
import {
  adam,
  arrayData,
  ConfigError,
  cfm,
  checkerboard,
  DataError,
  DisposedError,
  ema,
  fdm,
  mlp,
  NumericError,
  product,
  rk4,
  type TrainerOptions,
} from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const numbers = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i * i) * (i % 2 === 0 ? 3 : 1) + (i % 2));
const ownPoints = (standardize: boolean) => arrayData(numbers, [20, 2], { standardize });

const variants: Readonly<Record<string, () => TrainerOptions>> = {
  plain: () => smallOptions(),
  "averaged and clipped": () => smallOptions({ ema: ema({ decay: 0.9 }), maximumGradientNorm: 0.5 }),
  "a user's points": () => smallOptions({ data: ownPoints(true) }),
};

describe.each(Object.keys(variants))("a run (%s)", (name) => {
  const options = variants[name] as () => TrainerOptions;

  test("has the same bits however it is cut, and another seed has others", () =>
    withRuntime("reference", async (runtime) => {
      const whole = await runtime.createTrainer(options());
      const rows = await trainSteps(whole, 12);
      const cut = await runtime.createTrainer(options());
      const pieces = [await trainSteps(cut, 1), await trainSteps(cut, 7, 2), await trainSteps(cut, 4, 1)].flat();
      expect(pieces).toEqual(rows);
      expect(await cut.checkpoint()).toEqual(await whole.checkpoint());
      const other = await runtime.createTrainer({ ...options(), seed: 4 });
      expect((await trainSteps(other, 1))[0]?.loss).not.toBe(rows[0]?.loss);
    }));

  test("goes on from a file bit for bit", () =>
    withRuntime("reference", async (runtime) => {
      const whole = await runtime.createTrainer(options());
      const rows = await trainSteps(whole, 5);
      const { data } = options();
      const again = await runtime.resumeTrainer(await whole.checkpoint(), data.name === "array" ? { data } : {});
      expect(again.step).toBe(5);
      expect(again.model.step).toBe(5);
      expect(await trainSteps(again, 6)).toEqual(await trainSteps(whole, 6));
      expect(await again.checkpoint()).toEqual(await whole.checkpoint());
      expect(rows.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    }));
});

test("reports come at multiples of progressEvery and at the end, with every step in between", () =>
  withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions());
    const reports = [];
    for await (const progress of trainer.run({ steps: 10, progressEvery: 4 })) reports.push(progress);
    expect(reports.map(({ step }) => step)).toEqual([4, 8, 10]);
    expect(reports.map(({ steps }) => steps.length)).toEqual([4, 4, 2]);
    for (const { steps, ...last } of reports) expect(last).toMatchObject({ ...steps.at(-1) });
    expect(trainer.step).toBe(10);
  }));

test("a report may hold more steps than the device's ring of metrics", () =>
  withRuntime("reference", async (runtime) => {
    const network = mlp({ dimension: 2, hidden: [1], activation: "tanh" });
    const trainer = await runtime.createTrainer(smallOptions({ network, batchSize: 1, loss: cfm() }));
    const reports = [];
    for await (const { steps } of trainer.run({ steps: 1500, progressEvery: 1400 })) reports.push(steps);
    expect(reports.map(({ length }) => length)).toEqual([1400, 100]);
    expect(reports.flat().map(({ step }) => step)).toEqual(Array.from({ length: 1500 }, (_, i) => i + 1));
  }));

test("the loss of a run falls", () =>
  withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions({ batchSize: 32 }));
    const rows = await trainSteps(trainer, 250);
    const mean = (part: typeof rows) => part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    expect(mean(rows.slice(-40))).toBeLessThan(0.85 * mean(rows.slice(0, 10)));
  }));

test("divergence weight 0 gives the bits of cfm", () =>
  withRuntime("reference", async (runtime) => {
    const one = await runtime.createTrainer(smallOptions({ loss: fdm({ divergence: 0 }) }));
    const other = await runtime.createTrainer(smallOptions({ loss: cfm() }));
    expect(await trainSteps(one, 4)).toEqual(await trainSteps(other, 4));
  }));

describe("an abort", () => {
  test("stops within one submission, keeps what was done, and the trainer goes on", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      const controller = new AbortController();
      const reason = new Error("enough");
      const seen: number[] = [];
      const run = async () => {
        for await (const { step } of trainer.run({ steps: 1000, signal: controller.signal, progressEvery: 3 })) {
          seen.push(step);
          if (step === 6) controller.abort(reason);
        }
      };
      await expect(run()).rejects.toBe(reason);
      expect(seen).toEqual([3, 6]);
      expect(trainer.step).toBe(6);
      const uncut = await runtime.createTrainer(smallOptions());
      await trainSteps(uncut, 8);
      await trainSteps(trainer, 2);
      expect(await trainer.checkpoint()).toEqual(await uncut.checkpoint());
    }));

  test("is seen between submissions, not only between reports", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      const run = trainer.run({ steps: 1e6, signal: controller.signal, progressEvery: 1e6 });
      const last = await run.next();
      expect(controller.signal.aborted).toBe(true);
      const { step } = trainer; // whole steps were done, and they count
      expect(step).toBeLessThan(1e6);
      expect(last.value?.steps.map((row) => row.step)).toEqual(Array.from({ length: step }, (_, i) => i + 1));
      await expect(run.next()).rejects.toBe(controller.signal.reason);
      const uncut = await runtime.createTrainer(smallOptions());
      await trainSteps(uncut, step + 1);
      await trainSteps(trainer, 1);
      expect(await trainer.checkpoint()).toEqual(await uncut.checkpoint());
    }));

  test("before the start does nothing", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      const signal = AbortSignal.abort();
      await expect(trainer.run({ steps: 5, signal }).next()).rejects.toThrow();
      await expect(trainer.model.sample({ count: 2, signal })).rejects.toThrow();
      await expect(trainer.model.logDensity(new Float32Array(2), { signal })).rejects.toThrow();
      expect(trainer.step).toBe(0);
    }));
});

test("leaving the loop stops the run at the step reported last", () =>
  withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions());
    for await (const { step } of trainer.run({ steps: 100, progressEvery: 2 })) if (step === 4) break;
    expect(trainer.step).toBe(4);
    await trainSteps(trainer, 1);
    expect(trainer.step).toBe(5);
  }));

test("two runs at once are refused, and the first goes on", () =>
  withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions());
    const first = trainer.run({ steps: 4, progressEvery: 2 });
    await first.next();
    await expect(trainer.run({ steps: 1 }).next()).rejects.toThrow(ConfigError);
    await first.next();
    expect(trainer.step).toBe(4);
  }));

describe("numbers that are not finite", () => {
  // Six layers of weights near 1e30 take the loss past even f64's range.
  const network = mlp({ dimension: 2, hidden: [4, 4, 4, 4, 4], activation: "relu" });
  const diverging = smallOptions({ network, optimizer: adam({ learningRate: 1e30 }) });

  test("are an error that names the step, and the last good state stays", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(diverging);
      const error = await trainSteps(trainer, 50).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(NumericError);
      const step = trainer.step + 1;
      expect((error as NumericError).facts.subject).toMatch(
        new RegExp(`^(loss|gradientNorm) of training step ${step}$`),
      );
      const good = await runtime.createTrainer(diverging);
      if (step > 1) await trainSteps(good, step - 1);
      expect(await trainer.checkpoint()).toEqual(await good.checkpoint());
      await expect(trainSteps(trainer, 1)).rejects.toThrow(NumericError); // the same step again
      expect(trainer.step).toBe(step - 1);
    }));

  test("of a learning rate that grows without bound are found too", () =>
    withRuntime("reference", async (runtime) => {
      const runaway = { name: "runaway", options: {}, at: product(1e30, 1e30).at };
      const far = product(1e30, ...Array.from({ length: 12 }, () => runaway));
      const trainer = await runtime.createTrainer(smallOptions({ optimizer: adam({ learningRate: far }) }));
      await expect(trainSteps(trainer, 3)).rejects.toThrow("learningRate of training step 1");
      expect(trainer.step).toBe(0);
    }));
});

test("a report lists 65,536 steps at most, however seldom it is asked for", () =>
  withRuntime("wasm", async (runtime) => {
    const network = mlp({ dimension: 2, hidden: [1] });
    const trainer = await runtime.createTrainer(smallOptions({ network, loss: cfm(), batchSize: 1 }));
    const steps: number[] = [];
    const lengths: number[] = [];
    for await (const progress of trainer.run({ steps: 70_000, progressEvery: 70_000 })) {
      for (const { step } of progress.steps) steps.push(step);
      lengths.push(progress.steps.length);
    }
    expect(lengths).toEqual([65_536, 70_000 - 65_536]);
    expect(steps).toEqual(Array.from({ length: 70_000 }, (_, i) => i + 1));
  }));

describe("dispose", () => {
  test("frees all memory, works twice, and later use says so", async () => {
    await withRuntime("reference", async (runtime) => {
      const before = await runtime.memory();
      const trainer = await runtime.createTrainer(smallOptions());
      await trainer.model.sample({ count: 3, solver: rk4({ steps: 2 }) });
      expect((await runtime.memory()).buffers).toBeGreaterThan(before.buffers);
      trainer.dispose();
      trainer.dispose();
      expect(await runtime.memory()).toEqual(before);
      await expect(trainer.run({ steps: 1 }).next()).rejects.toThrow(DisposedError);
      await expect(trainer.checkpoint()).rejects.toThrow(DisposedError);
      await expect(trainer.describe()).rejects.toThrow(DisposedError);
      await expect(trainer.model.sample({ count: 1 })).rejects.toThrow(DisposedError);
    });
  });

  test("of the runtime disposes of what was made on it", async () => {
    const kept = await withRuntime("reference", async (runtime) => ({
      runtime,
      trainer: await runtime.createTrainer(smallOptions()),
    }));
    kept.runtime.dispose();
    await expect(kept.runtime.createTrainer(smallOptions())).rejects.toThrow(DisposedError);
    await expect(kept.runtime.memory()).rejects.toThrow(DisposedError);
    await expect(kept.trainer.run({ steps: 1 }).next()).rejects.toThrow(DisposedError);
  });

  test("in the middle of a run ends it with that error", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      const run = trainer.run({ steps: 1e6, progressEvery: 1e6 }).next();
      setTimeout(() => trainer.dispose(), 30);
      await expect(run).rejects.toThrow(DisposedError);
    }));
});

describe("bad options", () => {
  test.each<[string, Partial<Record<keyof TrainerOptions | "epochs", unknown>>]>([
    ["batchSize 0", { batchSize: 0 }],
    ["batchSize 1.5", { batchSize: 1.5 }],
    ["seed -1", { seed: -1 }],
    ["snapshotEvery 0", { snapshotEvery: 0 }],
    ["maximumGradientNorm 0", { maximumGradientNorm: 0 }],
    ["maximumGradientNorm NaN", { maximumGradientNorm: Number.NaN }],
    ["a network of another dimension", { network: mlp({ dimension: 3, hidden: [4] }) }],
    ["no data", { data: undefined }],
    ["an option that is not one", { epochs: 3 }],
  ])("%s: ConfigError, and nothing is left on the device", (_name, changes) =>
    withRuntime("reference", async (runtime) => {
      const before = await runtime.memory();
      await expect(runtime.createTrainer({ ...smallOptions(), ...changes } as TrainerOptions)).rejects.toThrow(
        ConfigError,
      );
      expect(await runtime.memory()).toEqual(before);
    }),
  );

  test("of run", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      await expect(trainer.run({ steps: -1 }).next()).rejects.toThrow(ConfigError);
      await expect(trainer.run({ steps: 1, progressEvery: 0 }).next()).rejects.toThrow(ConfigError);
      expect((await trainer.run({ steps: 0 }).next()).done).toBe(true);
    }));

  test("of resume: a model's file, no points, other points", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions({ data: ownPoints(true) }));
      const bytes = await trainer.checkpoint();
      await expect(runtime.resumeTrainer(await trainer.model.checkpoint())).rejects.toThrow("training state");
      await expect(runtime.resumeTrainer(bytes)).rejects.toThrow(DataError);
      await expect(runtime.resumeTrainer(bytes, { data: checkerboard() })).rejects.toThrow(DataError);
      await expect(runtime.resumeTrainer(bytes, { data: ownPoints(false) })).rejects.toThrow(DataError);
      expect((await runtime.resumeTrainer(bytes, { data: ownPoints(true) })).step).toBe(0);
    }));
});

test("a run goes on when the time for a report is over before its first step, as after a wait or a new device", () =>
  withRuntime("reference", async (runtime) => {
    const trainer = await runtime.createTrainer(smallOptions());
    let asked = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => {
      if (++asked > 1000) throw new Error("the clock is asked again and again");
      return 1000 * asked; // each look is a second after the one before
    });
    try {
      expect((await trainSteps(trainer, 3)).map(({ step }) => step)).toEqual([1, 2, 3]);
    } finally {
      clock.mockRestore();
    }
  }));
