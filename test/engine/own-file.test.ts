// Files of weights alone that a worker cannot read: the page makes files of divflow of them, with the same weights.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ownFile } from "../../src/engine/worker/own-file.ts";
import { createRuntime, load, type Runtime } from "../../src/index.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout } from "../../src/nn/network.ts";
import { toTorch } from "../../src/nn/torch.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { writeSafetensors } from "../../src/train/safetensors.ts";
import { remoteEngine } from "./worker.ts";

const bytes = new Uint8Array(readFileSync(new URL("../networks/cnn-classes.safetensors", import.meta.url)));
const config = { sample: [14, 4] };

test("a PyTorch file of another network becomes a file of divflow, with the same weights", async () => {
  const own = await ownFile(bytes, { config });
  const [record, direct] = [await readCheckpoint(own!.bytes), await readCheckpoint(bytes, { config })];
  expect(own!.network.config).toEqual(direct.network.config);
  expect(record.network.config).toEqual(direct.network.config);
  expect(record.parameters).toEqual(direct.parameters);
  expect(ownFile(own!.bytes, {})).toBeUndefined();
});

test("a worker reads plain MLPs itself, and says what is wrong with what is no file", () => {
  const layout = parameterLayout(mlp({ dimension: 2, hidden: [4] }));
  const tensors = [...toTorch(new Float32Array(layout.total), layout)].map(
    ([name, { shape, values }]) => [name, { dtype: "F32", shape, data: values }] as const,
  );
  expect(ownFile(writeSafetensors({ tensors: new Map(tensors), metadata: {} }), {})).toBeUndefined();
  expect(ownFile(new Uint8Array(3), {})).toBeUndefined();
});

test("what has to be said is said by the page", async () => {
  await expect(ownFile(bytes, {})).rejects.toThrow("sample [length, letters]");
});

test("a model of such a file has the same velocities in a worker as on this thread", { timeout: 60_000 }, async () => {
  const remote = await remoteEngine("wasm");
  const here = await createRuntime({ backend: "wasm" });
  const velocities = async (runtime: Runtime) => {
    const model = await load(runtime, bytes, { config });
    return model.velocity(new Float32Array(56).fill(0.1), [0.5], { conditions: { label: 1 } });
  };
  expect(await velocities(remote.runtime)).toEqual(await velocities(here));
  here.dispose();
  remote.runtime.dispose();
});
