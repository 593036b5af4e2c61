/** Sampling by Euler's method through the public API, with and without the log-density by one probe. */
import type { LocalRuntime } from "../../src/engine/runtime.ts";
import { condOT, euler, type Samples } from "../../src/index.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { deviationOf, eulerSolve } from "../reference.mjs";
import { solveUnits, type Task, type Work } from "../session.ts";
import { makeWorkload } from "../workload.mjs";
import { flatParameters, workloadNetwork } from "./training.ts";

/** Points and steps that are compared with f64. */
const EVIDENCE = { rows: 16, steps: 2 };

export async function solveWork(runtime: LocalRuntime, { workload, width, batch: count }: Task): Promise<Work> {
  const inputs = makeWorkload(width, 1, 1); // only the weights are used
  const network = workloadNetwork(width);
  const bytes = writeCheckpoint({
    network,
    path: condOT(),
    standardization: undefined,
    step: 0,
    backend: runtime.backend,
    parameters: flatParameters(network, inputs),
    average: undefined,
    training: undefined,
  });
  const model = await runtime.loadModel(bytes);
  const density = workload === "logdensity" ? ({ divergence: "hutchinson", probes: 1 } as const) : false;
  const sample = (steps: number, rest: { times?: number[] } = {}) =>
    model.sample({ count, seed: 1, solver: euler({ steps }), logDensity: density, ...rest });

  const shown = await sample(EVIDENCE.steps, { times: [0, 1] });
  return {
    ...solveUnits,
    evidence: { lossBefore: null, lossAfter: null, deviation: deviation(inputs, shown) },
    run: async (units) => {
      await sample(units);
    },
    dispose: () => model.dispose(),
  };
}

/** The worst of the ends and of the log-densities of some points against f64 from the same start. */
function deviation(network: Pick<ReturnType<typeof makeWorkload>, "weights" | "biases">, samples: Samples): number {
  const { rows, steps } = EVIDENCE;
  const { values, count, trajectory, logDensity } = samples;
  const start = trajectory?.values ?? new Float32Array(); // [2 times, count, 2]
  const ends: number[] = [];
  const densities: number[] = [];
  for (let row = 0; row < Math.min(rows, count); row++) {
    const point = [start[2 * row] as number, start[2 * row + 1] as number];
    const solved = (probe: number[]) => eulerSolve(network, point, probe, { steps, size: 1 / steps });
    ends.push(...solved([0, 0]).x);
    if (!logDensity) continue;
    // The probe is drawn on the device: one of two, as z and -z give the same.
    const prior = -Math.log(2 * Math.PI) - 0.5 * point.reduce((sum, value) => sum + value ** 2, 0);
    const actual = logDensity.values[row] as number;
    const [first, second] = [
      [1, 1],
      [1, -1],
    ].map((probe) => prior + solved(probe).logDensity) as [number, number];
    densities.push(Math.abs(first - actual) < Math.abs(second - actual) ? first : second);
  }
  return Math.max(
    deviationOf(values.subarray(0, ends.length), ends),
    logDensity ? deviationOf(logDensity.values.subarray(0, densities.length), densities) : 0,
  );
}
