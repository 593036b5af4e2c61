/** Devices that are lost at any moment, and GPUs that give no other at first or for good. */
import { cfm, condOT, createRuntime, DeviceLostError, euler, gaussianMixture, mlp } from "../../src/index.ts";
import { assert, assertEqual, assertRejects } from "./assert.ts";
import type { Check } from "./check.ts";
import { RandomLosses } from "./random-losses.ts";
import { through, watched } from "./watched-gpu.ts";

/** Seeds that are tried here; test/reliability/losses.mjs tries hundreds. */
const SEEDS = [1];

const options = {
  network: mlp({ dimension: 2, hidden: [5] }),
  path: condOT(),
  loss: cfm(),
  data: gaussianMixture({ weights: [1], means: [[1, -1]], variances: [0.1] }),
  batchSize: 7,
};
const sampling = { count: 4, solver: euler({ steps: 3 }) };

/** `gpu`, but it answers by `answers` as long as there are some; a device that it gives is put into `devices`. */
function reluctant(gpu: GPU, devices: GPUDevice[], answers: (() => Promise<GPUAdapter | null>)[]): GPU {
  const seen = watched(gpu, devices);
  return through(seen, {
    requestAdapter: (given: GPURequestAdapterOptions) => answers.shift()?.() ?? seen.requestAdapter(given),
  });
}

const none = async () => null;

export const checks: Check[] = [
  {
    name: "devices that are lost at random, in calls and between them, change no bit",
    backend: "webgpu",
    seconds: 240,
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      const random = new RandomLosses(gpu);
      try {
        for (const seed of SEEDS) {
          await random.tryOne(seed).catch((cause) => {
            throw new Error(`seed ${seed}: ${cause.message}`, { cause });
          });
        }
      } finally {
        await random.dispose();
      }
    },
  },
  {
    name: "a GPU that gives no adapter, refuses, and does not answer is asked again",
    backend: "webgpu",
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      const devices: GPUDevice[] = [];
      const answers: (() => Promise<GPUAdapter | null>)[] = [];
      using runtime = await createRuntime({ backend: "webgpu", gpu: reluctant(gpu, devices, answers) });
      using trainer = await runtime.createTrainer(options);
      for await (const _ of trainer.run({ steps: 5 })) void _;
      const expected = await trainer.model.sample(sampling);
      answers.push(none, () => Promise.reject(new DOMException("not now", "OperationError")), none);
      devices[0]?.destroy();
      assertEqual((await trainer.model.sample(sampling)).values, expected.values, "samples");
      assertEqual([devices.length, answers.length], [2, 0], "devices, and answers that are left");
    },
  },
  {
    name: "without another device files are those of the last step of a run, and WebAssembly goes on where it may",
    backend: "webgpu",
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      for (const fallback of [undefined, "wasm"] as const) {
        const devices: GPUDevice[] = [];
        const answers: (() => Promise<GPUAdapter | null>)[] = [];
        const source = reluctant(gpu, devices, answers);
        const given = { backend: "webgpu", gpu: source, startSeconds: 8, ...(fallback && { fallback }) } as const;
        using runtime = await createRuntime(given);
        using trainer = await runtime.createTrainer(options);
        for await (const _ of trainer.run({ steps: 5 })) void _;
        const file = await trainer.checkpoint();
        answers.push(...Array.from({ length: 100 }, () => none));
        devices[0]?.destroy();
        assertEqual(await trainer.checkpoint(), file, "the file after the loss");
        if (fallback) {
          assertEqual((await trainer.model.sample(sampling)).count, 4, "samples");
          assertEqual(runtime.backend, "wasm", "the backend");
          assert(/the GPU was lost.*no adapter/.test(runtime.reason), `the reason is: ${runtime.reason}`);
          assertEqual(trainer.step, 5, "step");
        } else {
          await assertRejects(() => trainer.model.sample(sampling), DeviceLostError, "sampling without a device");
          assertEqual(await trainer.checkpoint(), file, "the file after the error");
          answers.length = 0; // a device is there again
          assertEqual((await trainer.model.sample(sampling)).count, 4, "samples");
        }
      }
    },
  },
];
