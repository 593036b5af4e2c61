/** Training, sampling and judging on a real backend, against the f64 reference and against themselves. */
import {
  adam,
  adamW,
  arrayData,
  condOT,
  cosineDecay,
  createRuntime,
  DeviceLostError,
  ema,
  euler,
  fdm,
  gaussianMixture,
  load,
  mlp,
  NumericError,
  product,
  type Runtime,
  resume,
  rk4,
  type StepMetrics,
  type Trainer,
  type TrainerOptions,
  warmUp,
} from "../../src/index.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { assert, assertClose, assertEqual, assertRejects } from "./assert.ts";
import type { Check, Context } from "./check.ts";
import { watched } from "./watched-gpu.ts";

/** Odd sizes on purpose: rows and widths that are no multiple of any tile. */
function options(changes: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    network: mlp({ dimension: 3, hidden: [17, 13], activation: "silu" }),
    path: condOT(),
    loss: fdm({ divergence: 0.2 }),
    optimizer: adam({ learningRate: 1e-3 }),
    data: gaussianMixture({
      weights: [1, 2],
      means: [
        [1, 0, -1],
        [-1, 0.5, 0],
      ],
      variances: [0.1, 0.3],
    }),
    batchSize: 37,
    seed: 5,
    ...changes,
  };
}

const values = Float32Array.from({ length: 3 * 29 }, (_, i) => 3 * Math.sin(i * i) + (i % 3));
const ownPoints = () => arrayData(values, [29, 3], { standardize: true });

const variants: Readonly<Record<string, () => TrainerOptions>> = {
  "adam and the mean of two probes": () => options({ loss: fdm({ divergence: 0.2, probes: 2 }) }),
  "adamW, clipped, averaged, with a rate that changes": () =>
    options({
      optimizer: adamW({
        learningRate: product(1e-2, warmUp({ steps: 3 }), cosineDecay({ steps: 20 })),
        weightDecay: 0.1,
      }),
      maximumGradientNorm: 0.3,
      ema: ema({ decay: 0.8 }),
    }),
  "a user's points, standardised": () => options({ data: ownPoints() }),
};

async function withRuntime(context: Context, work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const runtime = await createRuntime({ backend: context.backend, ...(context.gpu ? { gpu: context.gpu } : {}) });
  try {
    await work(runtime);
  } finally {
    runtime.dispose();
  }
}

async function train(trainer: Trainer, steps: number, progressEvery = steps): Promise<StepMetrics[]> {
  const rows: StepMetrics[] = [];
  for await (const progress of trainer.run({ steps, progressEvery })) rows.push(...progress.steps);
  return rows;
}

const column = (rows: readonly StepMetrics[], name: keyof StepMetrics) => rows.map((row) => row[name]);

/**
 * Sums of f32 products round by some 1e-6; Adam divides by the gradient's own size, so that parameters follow by the
 * same relative error of a step of size 1e-2 at most.
 */
const tolerance = 2e-5;

const agreement = Object.entries(variants).map(
  ([name, make]): Check => ({
    name: `training agrees with the f64 reference: ${name}`,
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const reference = await createRuntime({ backend: "reference" });
        try {
          const [ours, oracle] = [await runtime.createTrainer(make()), await reference.createTrainer(make())];
          const [rows, expected] = [await train(ours, 6), await train(oracle, 6)];
          for (const metric of ["loss", "velocityLoss", "divergenceLoss", "gradientNorm", "learningRate"] as const) {
            assertClose(column(rows, metric), column(expected, metric), 5 * tolerance, metric);
          }
          const records = [ours, oracle].map(async (each) => readCheckpoint(await each.checkpoint()));
          const [got, wanted] = await Promise.all(records);
          assertClose(got.parameters, wanted.parameters, 5 * tolerance, "parameters");
          if (wanted.average) assertClose(got.average ?? [], wanted.average, 5 * tolerance, "average");
          for (const [moment, vector] of wanted.training?.moments ?? []) {
            assertClose(got.training?.moments.get(moment) ?? [], vector, 10 * tolerance, moment);
          }
        } finally {
          reference.dispose();
        }
      });
    },
  }),
);

export const checks: Check[] = [
  ...agreement,
  {
    name: "a run has the same bits however it is cut, and goes on from a file bit for bit",
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const make = () => options({ data: ownPoints(), ema: ema({ decay: 0.9 }) });
        const whole = await runtime.createTrainer(make());
        const rows = await train(whole, 24);
        const cut = await runtime.createTrainer(make());
        const pieces = [...(await train(cut, 1)), ...(await train(cut, 10, 3))];
        const resumed = await resume(runtime, await cut.checkpoint(), { data: ownPoints() });
        pieces.push(...(await train(resumed, 13)));
        assertEqual(JSON.stringify(pieces), JSON.stringify(rows), "metrics");
        assertEqual(await resumed.checkpoint(), await whole.checkpoint(), "files");
      });
    },
  },
  {
    name: "an abort stops training within one submission, and the trainer goes on",
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const trainer = await runtime.createTrainer(options());
        const controller = new AbortController();
        const reason = new Error("enough");
        setTimeout(() => controller.abort(reason), 100);
        let told = 0;
        const run = async () => {
          const reports = trainer.run({ steps: 1_000_000, progressEvery: 1_000_000, signal: controller.signal });
          for await (const report of reports) told = report.step; // the steps before the abort, then its reason
        };
        assertEqual(await assertRejects(run, Error, "the run"), reason, "its error");
        const { step } = trainer;
        assertEqual(told, step, "the last step told");
        assert(step > 0 && step < 1_000_000, `${step} steps were done.`);
        await train(trainer, 2);
        assertEqual(trainer.step, step + 2, "steps after going on");
      });
    },
  },
  {
    name: "a loss that is not finite is an error that names the step, and the last good state stays",
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const diverging = options({ optimizer: adam({ learningRate: 1e15 }) });
        const trainer = await runtime.createTrainer(diverging);
        const error = await assertRejects(() => train(trainer, 40), NumericError, "training");
        assertEqual(error.facts.subject.endsWith(` of training step ${trainer.step + 1}`), true, error.message);
        assert(trainer.step > 0 && trainer.step < 40, `${trainer.step} steps were done.`);
        const good = await runtime.createTrainer(diverging);
        await train(good, trainer.step);
        assertEqual(await trainer.checkpoint(), await good.checkpoint(), "states");
      });
    },
  },
  {
    name: "buffers and bytes on the device stay what they were after the first step, for 200 steps",
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const trainer = await runtime.createTrainer(options());
        const work = async (steps: number) => {
          await train(trainer, steps, 50);
          await trainer.model.sample({ count: 11, solver: euler({ steps: 2 }) });
          return runtime.memory();
        };
        const first = await work(1);
        const last = await work(199);
        assertEqual(last.buffers, first.buffers, "buffers");
        assertEqual(last.bytes, first.bytes, "bytes");
        trainer.dispose();
        assertEqual((await runtime.memory()).buffers < first.buffers, true, "fewer buffers after dispose");
      });
    },
  },
  {
    name: "samples, log-densities, velocities and losses of a model agree with the f64 reference",
    async run(context) {
      await withRuntime(context, async (runtime) => {
        const reference = await createRuntime({ backend: "reference" });
        try {
          const data = ownPoints();
          const bytes = await (await reference.createTrainer(options({ data }))).model.checkpoint();
          const [ours, oracle] = [await load(runtime, bytes), await load(reference, bytes)];
          const solver = rk4({ steps: 8 });
          const times = [0, 0.3, 1];
          const sampling = { count: 21, solver, times, seed: 9, logDensity: true };
          const [samples, expected] = [await ours.sample(sampling), await oracle.sample(sampling)];
          assertClose(samples.values, expected.values, tolerance, "samples");
          assertClose(samples.trajectory?.values ?? [], expected.trajectory?.values ?? [], tolerance, "trajectory");
          assertClose(
            samples.logDensity?.values ?? [],
            expected.logDensity?.values ?? [],
            tolerance,
            "their densities",
          );
          const points = expected.values;
          for (const judging of [
            { solver, divergence: "exact" },
            { solver, divergence: "hutchinson", probes: 3, seed: 2 },
            { divergence: "exact" }, // dopri5: tolerance 1e-5, both ways
          ] as const) {
            const [density, truth] = [await ours.logDensity(points, judging), await oracle.logDensity(points, judging)];
            assertClose(density.values, truth.values, 2 * tolerance, `log-densities, ${JSON.stringify(judging)}`);
            const scale = Math.max(...truth.values.map(Math.abs));
            const [got, wanted] = [density.standardError, truth.standardError].map((errors) => [...errors, scale]);
            assertClose(got ?? [], wanted ?? [], 2 * tolerance, "standard errors");
          }
          const at = Float32Array.from({ length: 21 }, (_, i) => i / 20);
          assertClose(await ours.velocity(points, at), await oracle.velocity(points, at), tolerance, "velocities");
          const judged = { data, loss: fdm(), batchSize: 19, batches: 3, seed: 4 };
          const [losses, truth] = [
            await runtime.evaluateLosses(ours, judged),
            await reference.evaluateLosses(oracle, judged),
          ];
          for (const name of ["loss", "velocityLoss", "divergenceLoss"] as const) {
            assertClose([losses[name]], [truth[name]], tolerance, name);
          }
        } finally {
          reference.dispose();
        }
      });
    },
  },
  {
    name: "a device that is destroyed in the middle of a run does not lose it",
    backend: "webgpu",
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      const expected = await lossless(gpu, options(), 40);
      const devices: GPUDevice[] = [];
      const runtime = await createRuntime({ backend: "webgpu", gpu: watched(gpu, devices) });
      try {
        const trainer = await runtime.createTrainer(options({ snapshotEvery: 6 }));
        const rows: StepMetrics[] = [];
        for await (const { steps, step } of trainer.run({ steps: 40, progressEvery: 5 })) {
          rows.push(...steps);
          if (step === 15) devices[0]?.destroy();
        }
        assertEqual(devices.length, 2, "devices used");
        assertEqual(JSON.stringify(rows), JSON.stringify(expected), "metrics");
        assert((await trainer.model.sample({ count: 5 })).count === 5, "The model samples on the new device.");
      } finally {
        runtime.dispose();
      }
    },
  },
  {
    name: "a device handed in that is lost is an error, and the runtime does not destroy one that stays",
    backend: "webgpu",
    async run({ gpu }) {
      const device = await (await gpu?.requestAdapter())?.requestDevice();
      assert(device, "This platform has no WebGPU device.");
      const first = await createRuntime({ backend: "webgpu", device });
      await train(await first.createTrainer(options()), 2);
      first.dispose();
      const second = await createRuntime({ backend: "webgpu", device }); // it is still there
      const trainer = await second.createTrainer(options());
      await train(trainer, 2);
      device.destroy();
      await assertRejects(() => train(trainer, 2), DeviceLostError, "training on a lost device");
      second.dispose();
    },
  },
];

/** The metrics of a run whose device stays. */
async function lossless(gpu: GPU, settings: TrainerOptions, steps: number): Promise<StepMetrics[]> {
  const runtime = await createRuntime({ backend: "webgpu", gpu });
  try {
    return await train(await runtime.createTrainer(settings), steps);
  } finally {
    runtime.dispose();
  }
}
