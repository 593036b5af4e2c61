// Steps that are refused, and steps that there are not: what is kept, and what is said.
import { describe, expect, test } from "vitest";
import {
  adam,
  adamW,
  arrayData,
  CheckpointError,
  ConfigError,
  cfm,
  ema,
  exponential,
  gaussianMixture,
  LimitError,
  mlp,
  NumericError,
  type Optimizer,
  rk4,
  type TrainerOptions,
} from "../../src/index.ts";
import { add, divide, multiply, subtract } from "../../src/ops/arithmetic.ts";
import { readSafetensors } from "../../src/train/read-safetensors.ts";
import { writeSafetensors } from "../../src/train/safetensors.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const zeros = arrayData(new Float32Array(20), [10, 2]);
const relu = mlp({ dimension: 2, hidden: [6], activation: "relu" });

describe("new parameters", () => {
  /** Adam, but its third step gives a parameter that is not finite though loss, gradient and rate are. */
  const breaking = (value: number): Optimizer => {
    const inner = adam();
    return {
      ...inner,
      largestMove: undefined,
      update(inputs) {
        const stepped = inner.update(inputs);
        // 1 / (step - 2), once infinite.
        const away = subtract(inputs.step, 2);
        return { ...stepped, parameters: add(stepped.parameters, multiply(divide(value, away), 0)) };
      },
    };
  };

  test.each(["wasm", "reference"] as const)("that are not finite make a step a bad one, on %s", (backend) =>
    withRuntime(backend, async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions({ optimizer: breaking(1), loss: cfm() }));
      const told: number[] = [];
      const train = async () => {
        for await (const { steps } of trainer.run({ steps: 5 })) told.push(...steps.map(({ step }) => step));
      };
      const error = await train().catch((caught: unknown) => caught);
      expect(told).toEqual([1, 2]); // the steps before it, though no report was due
      expect(error).toBeInstanceOf(NumericError);
      expect((error as NumericError).facts.subject).toBe("new parameters of training step 3");
      expect(trainer.step).toBe(2);
      const good = await runtime.createTrainer(smallOptions({ optimizer: breaking(1), loss: cfm() }));
      await trainSteps(good, 2);
      expect(await trainer.checkpoint()).toEqual(await good.checkpoint());
      const { values } = await trainer.model.sample({ count: 4, solver: rk4({ steps: 2 }) });
      expect(values.every(Number.isFinite)).toBe(true);
    }),
  );

  test("that options prove to be finite are not looked at: the usual step has no further calls", () =>
    withRuntime("wasm", async (runtime) => {
      const calls = async (optimizer: Optimizer) => {
        const trainer = await runtime.createTrainer(smallOptions({ optimizer }));
        return Number(/(\d+) kernel calls/.exec(await trainer.describe())?.[1]);
      };
      const usual = await calls(adam());
      expect(await calls(adamW({ weightDecay: 0.1 }))).toBe(usual);
      for (const unsure of [
        adam({ learningRate: 1e30 }),
        adam({ epsilon: 1e-37, learningRate: 1e10 }),
        adam({ beta1: 0.99, beta2: 0.5 }),
        adam({ learningRate: exponential({ factor: 2 }) }),
        adamW({ weightDecay: 1e5 }),
      ]) {
        expect(await calls(unsure)).toBeGreaterThan(usual);
      }
    }));

  test.each<[string, Partial<TrainerOptions>]>([
    ["a tiny epsilon", { optimizer: adam({ epsilon: 2e-38 }) }],
    ["a momentum that outlives its scale", { optimizer: adam({ beta1: 0.999, beta2: 0, epsilon: 1e-37 }) }],
    ["decay that turns parameters over", { optimizer: adamW({ learningRate: 1, weightDecay: 1e20 }) }],
  ])("stay finite with %s, whatever the step makes of it", (_name, changes) =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer(
        smallOptions({ data: zeros, network: relu, loss: cfm(), ...changes }),
      );
      await trainSteps(trainer, 60).catch((error: unknown) => expect(error).toBeInstanceOf(NumericError));
      const { tensors } = readSafetensors(await trainer.checkpoint());
      for (const { data } of tensors.values())
        expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    }),
  );
});

describe("options that f32 does not hold are refused", () => {
  test.each<[string, () => unknown]>([
    ["epsilon 1e-50", () => adam({ epsilon: 1e-50 })],
    ["epsilon that devices take for 0", () => adam({ epsilon: 1e-40 })],
    ["beta1 that rounds to 1", () => adam({ beta1: 1 - 1e-9 })],
    ["beta2 that rounds to 1", () => adam({ beta2: 1 - 1e-9 })],
    ["a rate that rounds to 0", () => adam({ learningRate: 1e-50 })],
    ["an infinite weight decay", () => adamW({ weightDecay: 1e39 })],
    ["an average that never changes", () => ema({ decay: 1 - 1e-9 })],
  ])("%s", (_name, make) => expect(make).toThrow(ConfigError));

  test.each<[string, Partial<TrainerOptions>]>([
    ["maximumGradientNorm 1e-50", { maximumGradientNorm: 1e-50 }],
    ["maximumGradientNorm 1e39", { maximumGradientNorm: 1e39 }],
    ["an average of one's own that never changes", { ema: { decay: 1 - 1e-9 } }],
    ["an average that is none", { ema: 5 as never }],
  ])("%s", (_name, changes) =>
    withRuntime("wasm", (runtime) => expect(runtime.createTrainer(smallOptions(changes))).rejects.toThrow(ConfigError)),
  );
});

test("data of size 1e10 are to be standardised, not trained more slowly", () =>
  withRuntime("wasm", async (runtime) => {
    const data = arrayData(Array.from({ length: 20 }, (_, i) => [1e20 * Math.sin(i), 1e20 * Math.cos(i)]));
    const trainer = await runtime.createTrainer(smallOptions({ data, maximumGradientNorm: 1 }));
    const error = (await trainSteps(trainer, 50).catch((caught: unknown) => caught)) as NumericError;
    expect(error).toBeInstanceOf(NumericError);
    expect(error.facts.remedy).toMatch(/standardise the data/);
    expect(error.facts.remedy).not.toMatch(/learning rate/);
  }));

test("so are data that a source draws", () =>
  withRuntime("wasm", async (runtime) => {
    const data = gaussianMixture({ means: [[1e20, -1e20]], variances: [1e38] });
    const trainer = await runtime.createTrainer(smallOptions({ data, maximumGradientNorm: 1 }));
    const error = (await trainSteps(trainer, 50).catch((caught: unknown) => caught)) as NumericError;
    expect(error).toBeInstanceOf(NumericError);
    expect(error.facts.remedy).toMatch(/standardise the data.*arrayData\(sampleData/);
  }));

describe("steps near 2^32", () => {
  /** The trainer's file, as if it had done so many steps. */
  function movedTo(bytes: Uint8Array, step: number): Uint8Array {
    const file = readSafetensors(bytes);
    const facts = JSON.parse(file.metadata["divflow"] as string);
    const metadata = { format: "pt", divflow: JSON.stringify({ ...facts, step }) }; // a change that is meant: no checksum
    return writeSafetensors({ ...file, metadata } as Parameters<typeof writeSafetensors>[0]);
  }

  test.each(["wasm", "reference"] as const)("end there, before any work, on %s", (backend) =>
    withRuntime(backend, async (runtime) => {
      const end = 2 ** 32 - 1;
      const bytes = await (await runtime.createTrainer(smallOptions())).checkpoint();
      const trainer = await runtime.resumeTrainer(movedTo(bytes, end - 5));
      await expect(trainSteps(trainer, 6)).rejects.toThrow(LimitError);
      expect(trainer.step).toBe(end - 5);
      const rows = await trainSteps(trainer, 5, 2);
      expect(rows.map(({ step }) => step)).toEqual([4, 3, 2, 1, 0].map((back) => end - back));
      expect(rows.every(({ loss, learningRate }) => Number.isFinite(loss) && learningRate > 0)).toBe(true);
      await expect(trainSteps(trainer, 1)).rejects.toThrow(LimitError);
      for (const past of [end + 1, 2 ** 40]) {
        await expect(runtime.resumeTrainer(movedTo(bytes, past))).rejects.toThrow(CheckpointError);
      }
    }),
  );
});
