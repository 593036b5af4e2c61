/**
 * Storage in f16, where shaders have it. Its tolerance: what is stored is off by up to 2^-11 of itself (11 bits, to the
 * nearest; WGSL lets devices round towards 0, 2^-10), and a quantity comes of a few such roundings one after another,
 * one in each layer's product, activation and cotangent: 2^-8. test/schedule/ holds gradients to 2^-11.
 */
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import type { LinearKernel } from "../../src/backends/webgpu/linear-choice.ts";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { runPrograms } from "../../src/engine/cases/run-programs.ts";
import { verifyTolerances } from "../../src/engine/verify.ts";
import {
  adam,
  arrayData,
  cfm,
  checkerboard,
  condOT,
  createRuntime,
  fdm,
  mlp,
  NumericError,
  type Trainer,
} from "../../src/index.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import cosineSoftplus from "../fixtures/cosine-softplus.json" with { type: "json" };
import poly3Silu from "../fixtures/poly3-silu.json" with { type: "json" };
import veSin from "../fixtures/ve-sin.json" with { type: "json" };
import { assert, assertClose, assertEqual, assertRejects } from "./assert.ts";
import { type Check, type Context, Skipped } from "./check.ts";

/** With the segments of their depth. */
const kernels: readonly (readonly [LinearKernel, number])[] = [
  ["tile", 1],
  ["small", 2],
  ["registers", 1],
  ["strip", 1],
];

async function gpuWithHalves({ gpu }: Context): Promise<GPU> {
  const adapter = await gpu?.requestAdapter();
  if (!gpu || !adapter?.features.has("shader-f16")) throw new Skipped("no adapter with shader-f16");
  return gpu;
}

/** The last loss and the length of the gradient's first moment, which is what a step made of the gradient. */
async function stepped(trainer: Trainer) {
  let loss = Number.NaN;
  for await (const progress of trainer.run({ steps: 1 })) loss = progress.loss;
  const { training } = await readCheckpoint(await trainer.checkpoint());
  return { loss, gradient: [...(training?.moments.values() ?? [])][0] as ArrayLike<number> };
}

export const checks: Check[] = [
  ...kernels.map(
    ([kernel, segments]): Check => ({
      name: `f16 storage: golden cases, products by linear-${kernel}`,
      backend: "webgpu",
      seconds: 180,
      async run(context) {
        const gpu = await gpuWithHalves(context);
        const backend = await createWebGPUBackend({ gpu, storage: "f16", linear: () => ({ kernel, segments }) });
        try {
          for (const golden of [cosineSoftplus, poly3Silu, veSin]) {
            const opened = openCase(JSON.stringify(golden), golden.name);
            const errors = opened.errors(await runPrograms(backend, opened));
            const off = Object.entries(errors).filter(([, error]) => !(error <= verifyTolerances.f16));
            assert(
              off.length === 0,
              `${golden.name}: off by more than ${verifyTolerances.f16}: ${JSON.stringify(off)}`,
            );
            assert(errors["weightGrads"]! > verifyTolerances.webgpu, `${golden.name}: nothing was rounded to f16.`);
          }
        } finally {
          backend.dispose();
        }
      },
    }),
  ),
  {
    name: "f16 storage: a training step's loss and gradient agree with the f64 reference",
    backend: "webgpu",
    seconds: 180,
    async run(context) {
      const gpu = await gpuWithHalves(context);
      using runtime = await createRuntime({ backend: "webgpu", gpu, storage: "f16", worker: false });
      using reference = await createRuntime({ backend: "reference" });
      const options = {
        network: mlp({ dimension: 2, hidden: [96, 64, 72], activation: "silu" }),
        path: condOT(),
        loss: fdm({ divergence: 0.2 }),
        optimizer: adam({ learningRate: 1e-3 }),
        data: checkerboard(),
        batchSize: 256,
        seed: 3,
      };
      const ours = await runtime.createTrainer(options);
      assert((await ours.describe()).includes(" of them f16"), "The step has no f16.");
      const [got, wanted] = [await stepped(ours), await stepped(await reference.createTrainer(options))];
      assertClose([got.loss], [wanted.loss], verifyTolerances.f16, "loss");
      const off = Math.hypot(...Array.from(wanted.gradient, (value, i) => value - got.gradient[i]!));
      const length = Math.hypot(...Array.from(wanted.gradient));
      assert(off <= verifyTolerances.f16 * length, `The gradient is off by ${off / length} of its length.`);
    },
  },
  {
    name: "f16 storage: what is beyond f16 makes a bad step, which changes nothing",
    backend: "webgpu",
    seconds: 180,
    async run(context) {
      const gpu = await gpuWithHalves(context);
      using runtime = await createRuntime({ backend: "webgpu", gpu, storage: "f16", worker: false });
      const options = (size: number) => ({
        network: mlp({ dimension: 2, hidden: [128, 128], activation: "silu" }),
        path: condOT(),
        loss: cfm(),
        data: arrayData(Float32Array.of(size, -size, -size, size), [2, 2]),
        batchSize: 256,
      });
      const large = await runtime.createTrainer(options(1e6));
      const before = await large.checkpoint();
      await assertRejects(() => stepped(large), NumericError, "a step on millions");
      assertEqual(await large.checkpoint(), before, "the state");
      assert(Number.isFinite((await stepped(await runtime.createTrainer(options(1e3)))).loss), "Thousands are not.");
    },
  },
];
