/** What a user's training step takes: the public trainer, which draws batch, times, noise and probes on the device. */
import type { LocalRuntime } from "../../src/engine/runtime.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { adam, checkerboard, condOT, type StepMetrics } from "../../src/index.ts";
import { fullStepUnits, type Task, type Work } from "../session.ts";
import { adamOptions, batchOf, divergenceWeight } from "../workload.mjs";
import { workloadNetwork } from "./training.ts";

const losses = {
  "cfm-full": () => cfm(),
  "fdm-full": () => fdm({ divergence: divergenceWeight }),
  "fraction-full": () => fdm({ divergence: divergenceWeight, fraction: 0.5 }),
};
export type FullStep = keyof typeof losses;

function trainerOf(runtime: LocalRuntime, step: FullStep, width: number, batch: number) {
  return runtime.createTrainer({
    network: workloadNetwork(width),
    path: condOT(),
    loss: losses[step](),
    optimizer: adam(adamOptions),
    data: checkerboard(),
    batchSize: batch,
    seed: 1,
  });
}

export async function firstStep(runtime: LocalRuntime, step: FullStep, width: number): Promise<number> {
  const start = performance.now();
  const trainer = await trainerOf(runtime, step, width, batchOf(width));
  for await (const _ of trainer.run({ steps: 1 })); // waits for the step's loss
  const milliseconds = performance.now() - start;
  trainer.dispose();
  return milliseconds;
}

export async function fullStepWork(runtime: LocalRuntime, step: FullStep, { width, batch }: Task): Promise<Work> {
  const trainer = await trainerOf(runtime, step, width, batch);
  const train = async (steps: number): Promise<StepMetrics[]> => {
    const metrics: StepMetrics[] = [];
    for await (const { steps: seen } of trainer.run({ steps })) metrics.push(...seen);
    return metrics;
  };
  const [first, , , fourth] = await train(4);
  return {
    ...fullStepUnits,
    // Of batches drawn here: shown, but there is nothing that they must equal.
    evidence: { lossBefore: first?.loss ?? null, lossAfter: fourth?.loss ?? null, deviation: null },
    run: async (units) => {
      await train(units);
    },
    dispose: () => trainer.dispose(),
  };
}
