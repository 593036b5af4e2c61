/** A training run small enough for the f64 reference. */
import {
  adam,
  condOT,
  createRuntime,
  fdm,
  gaussianMixture,
  mlp,
  type Runtime,
  type RuntimeOptions,
  type Trainer,
  type TrainerOptions,
} from "../../src/index.ts";

export const dimension = 2;

export function smallOptions(changes: Partial<TrainerOptions> = {}): TrainerOptions {
  return {
    network: mlp({ dimension, hidden: [6, 5], activation: "tanh" }),
    path: condOT(),
    loss: fdm({ divergence: 0.1 }),
    optimizer: adam({ learningRate: 1e-2 }),
    data: gaussianMixture({
      weights: [0.5, 0.5],
      means: [
        [-1, 0],
        [1, 0.5],
      ],
      variances: [0.1, 0.2],
    }),
    batchSize: 8,
    seed: 3,
    ...changes,
  };
}

/** Runs `use` with a runtime of this backend, and frees it whatever happens. */
export async function withRuntime<Result>(
  backend: RuntimeOptions["backend"],
  use: (runtime: Runtime) => Promise<Result>,
): Promise<Result> {
  const runtime = await createRuntime({ backend });
  try {
    return await use(runtime);
  } finally {
    runtime.dispose();
  }
}

/** Trains and returns the metrics of every step. */
export async function trainSteps(trainer: Trainer, steps: number, progressEvery?: number) {
  const rows = [];
  for await (const progress of trainer.run({ steps, ...(progressEvery === undefined ? {} : { progressEvery }) })) {
    rows.push(...progress.steps);
  }
  return rows;
}
