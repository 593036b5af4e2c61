/** Validation, early stopping, the best parameters and jitter on a real backend, against the f64 reference. */
import {
  adam,
  arrayData,
  condOT,
  createRuntime,
  ema,
  fdm,
  mlp,
  type Trainer,
  type TrainerOptions,
  type ValidationMetrics,
} from "../../src/index.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { assert, assertClose, assertEqual } from "./assert.ts";
import type { Check } from "./check.ts";
import { watched } from "./watched-gpu.ts";

const values = Float32Array.from({ length: 2 * 29 }, (_, i) => 3 * Math.sin(i * i) + (i % 2));

/** A rate so high that models become worse, by much more than f32 rounds by. */
const options: TrainerOptions = {
  network: mlp({ dimension: 2, hidden: [9] }),
  path: condOT(),
  loss: fdm({ divergence: 0.2 }),
  optimizer: adam({ learningRate: 0.05 }),
  data: arrayData(values, [29, 2], { standardize: true }),
  validation: 0.25,
  validateEvery: 2,
  earlyStopping: { patience: 2, by: "negativeLogLikelihood" },
  jitter: 0.1,
  ema: ema({ decay: 0.3 }),
  batchSize: 7,
  seed: 6,
};

/** Losses are means over thousands of f32 values; parameters follow by steps of a size of their own. */
const tolerance = 5e-5;

/** Trains until it stops early, at most so many steps. */
async function validations(trainer: Trainer, steps: number): Promise<ValidationMetrics[]> {
  const made: ValidationMetrics[] = [];
  for await (const report of trainer.run({ steps })) made.push(...(report.validations ?? []));
  return made;
}

const numbersOf = (made: readonly ValidationMetrics[], name: "velocityLoss" | "divergenceLoss" | "standardError") =>
  made.map((metrics) => metrics[name] ?? Number.NaN);

export const checks: Check[] = [
  {
    name: "validation, early stopping, best parameters and jitter agree with the f64 reference",
    seconds: 120,
    async run({ backend, gpu }) {
      const runtime = await createRuntime({ backend, ...(gpu ? { gpu } : {}) });
      const reference = await createRuntime({ backend: "reference" });
      try {
        const [ours, oracle] = [await runtime.createTrainer(options), await reference.createTrainer(options)];
        const [made, expected] = [await validations(ours, 40), await validations(oracle, 40)];
        const facts = (of: Trainer, all: readonly ValidationMetrics[]) =>
          JSON.stringify([
            of.step,
            of.stopped,
            of.best?.step,
            of.model.step,
            all.map(({ step, best }) => [step, best]),
          ]);
        assertEqual(facts(ours, made), facts(oracle, expected), "steps and which was best");
        assert(oracle.stopped && oracle.step < 40, `the run went on to step ${oracle.step}: nothing to see.`);
        for (const name of ["velocityLoss", "divergenceLoss", "standardError"] as const) {
          assertClose(numbersOf(made, name), numbersOf(expected, name), tolerance, name);
        }
        const likelihoods = (all: readonly ValidationMetrics[]) => all.map((one) => one.negativeLogLikelihood ?? 0);
        assertClose(likelihoods(made), likelihoods(expected), tolerance, "negative log-likelihoods");
        const records = [ours, oracle].map(async (each) => readCheckpoint(await each.checkpoint()));
        const [got, wanted] = await Promise.all(records);
        assertClose(got.best?.parameters ?? [], wanted.best?.parameters ?? [0], 2 * tolerance, "best parameters");
      } finally {
        reference.dispose();
        runtime.dispose();
      }
    },
  },
  {
    name: "a device that is destroyed in the middle of a validation does not lose it",
    backend: "webgpu",
    seconds: 120,
    async run({ gpu }) {
      assert(gpu, "This platform has no navigator.gpu.");
      const settings = { ...options, earlyStopping: false, snapshotEvery: 4 };
      const whole = await createRuntime({ backend: "webgpu", gpu });
      const devices: GPUDevice[] = [];
      const runtime = await createRuntime({ backend: "webgpu", gpu: watched(gpu, devices) });
      try {
        const expected = await whole.createTrainer(settings);
        const trainer = await runtime.createTrainer(settings);
        destroyAt(devices[0] as GPUDevice, (label) => label === "fdm-evaluation" && trainer.step >= 4);
        const [made, wanted] = [await validations(trainer, 7), await validations(expected, 7)];
        assertEqual(devices.length, 2, "devices used");
        assertEqual(JSON.stringify(made), JSON.stringify(wanted), "validations");
        assertEqual(await trainer.checkpoint(), await expected.checkpoint(), "files");
      } finally {
        whole.dispose();
        runtime.dispose();
      }
    },
  },
];

/** Destroys the device while it does the first work that `isTime` says it of, by its label. */
function destroyAt(device: GPUDevice, isTime: (label: string | undefined) => boolean): void {
  const create = device.createCommandEncoder.bind(device);
  device.createCommandEncoder = (descriptor) => {
    if (isTime(descriptor?.label)) setTimeout(() => device.destroy());
    return create(descriptor);
  };
}
