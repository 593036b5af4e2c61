/** What a user's training step takes: the public trainer, which draws batch, times, noise and probes on the device. */
import type { LocalRuntime } from "../../src/engine/runtime.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { adam, checkerboard, condOT, type StepMetrics } from "../../src/index.ts";
import { fullStepUnits, type Task, type Work } from "../session.ts";
import { adamOptions, divergenceWeight } from "../workload.mjs";
import { type Objective, workloadNetwork } from "./training.ts";

export async function fullStepWork(runtime: LocalRuntime, objective: Objective, { width, batch }: Task): Promise<Work> {
  const trainer = await runtime.createTrainer({
    network: workloadNetwork(width),
    path: condOT(),
    loss: objective === "cfm" ? cfm() : fdm({ divergence: divergenceWeight }),
    optimizer: adam(adamOptions),
    data: checkerboard(),
    batchSize: batch,
    seed: 1,
  });
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
