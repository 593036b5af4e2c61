// A model's own velocities and samples against those of its exported file.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import {
  arrayData,
  CheckpointError,
  ConfigError,
  ema,
  euler,
  exportOnnx,
  load,
  type Model,
  type Trainer,
  VERSION,
  ve,
} from "../../src/index.ts";
import { readSafetensors } from "../../src/train/read-safetensors.ts";
import { writeSafetensors } from "../../src/train/safetensors.ts";
import { relativeError } from "../differences.ts";
import { smallOptions, trainSteps, withRuntime } from "../engine/small.ts";
import { remoteEngine } from "../engine/worker.ts";
import { goldenNetwork } from "./golden.ts";
import { type Given, runBatches } from "./onnx-runtime.ts";
import { readModel } from "./read-protobuf.ts";

const points = Float64Array.from({ length: 2 * 20 }, (_, i) => Math.fround(50 + 3 * Math.sin(i * i + 1)));
const options = () =>
  smallOptions({
    path: ve({ sigmaMin: 0.1, sigmaMax: 5 }),
    data: arrayData(points, [20, 2], { standardize: true, columns: ["a", "b"] }),
    validation: 0.2,
    validateEvery: 2,
    ema: ema({ decay: 0.5 }),
  });

const floats = (shape: readonly number[], data: ArrayLike<number>): Given => ({ type: "float", shape, data });

/** Trains on WebAssembly. */
const trained = (use: (trainer: Trainer) => Promise<void>, steps = 7) =>
  withRuntime("wasm", async (runtime) => {
    const trainer = await runtime.createTrainer(options());
    await trainSteps(trainer, steps);
    await use(trainer);
  });

/** Velocities of the file at the points, at t = 0.4. */
async function velocitiesOf(file: Uint8Array): Promise<readonly number[]> {
  const [result] = await runBatches(file, [{ x: floats([20, 2], points), t: floats([20], new Array(20).fill(0.4)) }]);
  return result?.["velocity"]?.data ?? [];
}

const own = (model: Model, choice = {}) => model.velocity(points, new Array(20).fill(0.4), choice);

describe("exportOnnx", () => {
  test("has the model's velocities, by the parameters that are asked for", () =>
    trained(async ({ model }) => {
      const choices = [{}, { best: true }, { ema: true }, { best: false, ema: false }];
      const velocities = [];
      for (const choice of choices) {
        velocities.push(await velocitiesOf(await exportOnnx(model, choice)));
        expect(relativeError(velocities.at(-1) as number[], await own(model, choice))).toBeLessThan(1e-5);
      }
      expect(velocities[0]).toEqual(velocities[1]); // the best ones by default
      expect(relativeError(velocities[2] as number[], velocities[3] as number[])).toBeGreaterThan(1e-4);
      await expect(exportOnnx(model, { best: true, ema: true })).rejects.toThrow(ConfigError);
    }));

  test("solved by Euler's steps from the same noise, leads to the model's samples", () =>
    trained(async ({ model }) => {
      const noise = Float64Array.from({ length: 12 }, (_, i) => Math.fround(Math.sin(3 * i + 1)));
      const file = await exportOnnx(model);
      const [start] = await runBatches(file, [{ x: floats([6, 2], noise), t: floats([6], new Array(6).fill(0)) }]);
      let x = start?.["noise"]?.data ?? [];
      const steps = 20;
      for (let step = 0; step < steps; step++) {
        const t = new Array(6).fill(step / steps);
        const [result] = await runBatches(file, [{ x: floats([6, 2], x), t: floats([6], t) }]);
        x = x.map((value, i) => value + (result?.["velocity"]?.data[i] as number) / steps);
      }
      const samples = await model.sample({ noise: noise.map((value) => 5 * value), solver: euler({ steps }) });
      expect(relativeError(x, samples.values)).toBeLessThan(1e-5);
      expect(
        relativeError(
          x.map((value) => value - 50),
          samples.values.map((value) => value - 50),
        ),
      ).toBeLessThan(1e-4);
    }));

  test("takes the bytes of a file, without a runtime, and a model behind a worker", () =>
    trained(async ({ model }) => {
      const file = await exportOnnx(model);
      const bytes = await model.checkpoint();
      expect(await exportOnnx(bytes)).toEqual(file);
      expect(await exportOnnx(bytes.slice().buffer)).toEqual(file);
      using engine = await remoteEngine("reference");
      expect(await exportOnnx(await load(engine.runtime, bytes))).toEqual(file);
    }));

  test("says what it is, for people and for programs", () =>
    trained(async ({ model }) => {
      const read = readModel(await exportOnnx(model));
      expect(read.opset).toEqual(["", 17]);
      expect(read.producer).toEqual(["divflow", VERSION]);
      expect(read.description).toMatch(/data units.*standardisation is inside/);
      expect(read.metadata).toMatchObject({
        "divflow.version": VERSION,
        "divflow.network": "mlp",
        "divflow.path": JSON.stringify({ name: "ve", options: { sigmaMin: 0.1, sigmaMax: 5 } }),
        "divflow.units": "data",
        "divflow.sample": "[2]",
        "divflow.columns": '["a","b"]',
        "divflow.parameters": "best",
      });
      expect(Object.fromEntries(read.inputs)).toEqual({ x: ["batch", 2], t: ["batch"] });
      expect(Object.fromEntries(read.outputs)).toEqual({ velocity: ["batch", 2], noise: ["batch", 2] });
      expect(read.domains).toEqual(new Set([""])); // of the standard set, every one
    }));

  test("weights alone, as PyTorch saves them, take what a file of them does not say", () =>
    trained(async ({ model }) => {
      const bytes = await exportedWeights(model);
      const file = await exportOnnx(bytes, { activation: "tanh" });
      expect(readModel(file).metadata["divflow.network"]).toBe("mlp");
      await expect(exportOnnx(bytes)).rejects.toThrow("activation");
    }));

  test("weights of another network, told which one or what shapes do not tell", async () => {
    const bytes = new Uint8Array(await readFile(new URL("../networks/cnn-classes.safetensors", import.meta.url)));
    const { network } = goldenNetwork("cnn-classes");
    const { inputs, metadata } = readModel(await exportOnnx(bytes, { network }));
    expect(metadata["divflow.network"]).toBe("cnn");
    expect(Object.fromEntries(inputs)).toEqual({
      x: ["batch", ...(network.sample ?? [])],
      t: ["batch"],
      label: ["batch"],
    });
    await expect(exportOnnx(bytes, { network: {} as never })).rejects.toThrow("network of exportOnnx");
  });

  test("refuses what is no model, damaged bytes, and options that say nothing", () =>
    trained(async ({ model }) => {
      await expect(exportOnnx({} as Model)).rejects.toThrow(ConfigError);
      await expect(exportOnnx(new Uint8Array(40))).rejects.toThrow(CheckpointError);
      await expect(exportOnnx(model, { activation: "tanh" })).rejects.toThrow("activation of exportOnnx");
      await expect(exportOnnx(model, { opset: 20 } as never)).rejects.toThrow(ConfigError);
    }, 1));
});

/** Weights alone, under PyTorch's names. */
async function exportedWeights(model: Model): Promise<Uint8Array> {
  const { tensors } = readSafetensors(await model.checkpoint(), "file");
  const weights = [...tensors].filter(([name]) => !name.startsWith("divflow."));
  return writeSafetensors({ tensors: new Map(weights) as never, metadata: {} });
}
