/** What the peers' Euler solves share: where they start, and the comparison of some points with f64. */
import { deviationOf, eulerSolve } from "./reference.mjs";
import type { Evidence } from "./session.ts";
import { eulerSteps, type makeWorkload } from "./workload.mjs";

type Workload = ReturnType<typeof makeWorkload>;

/** Points and steps that are compared. */
const EVIDENCE = { rows: 16, steps: 2 };

/** Noise [S, 2], probes [S, 2], and these as directions of the network's input [S, 3]. */
export function solveStart({ noise, noiseProbes }: Workload) {
  const directions = Float32Array.from({ length: 1.5 * noise.length }, (_, i) =>
    i % 3 === 2 ? 0 : (noiseProbes[2 * Math.floor(i / 3) + (i % 3)] as number),
  );
  return { start: noise, probes: noiseProbes, directions };
}

/** Steps of 1/100 from t = 0: points [S, 2], and what the log-densities [S] have gained. */
export type Solve = (steps: number) => Promise<{ points: ArrayLike<number>; densities: ArrayLike<number> }>;

/** Where two steps lead, against f64: the ways made, as the points themselves hardly move. */
export async function eulerEvidence(values: Workload, workload: string, solve: Solve): Promise<Evidence> {
  const { rows, steps } = EVIDENCE;
  const { points, densities } = await solve(steps);
  const [ways, expectedWays, gains]: [number[], number[], number[]] = [[], [], []];
  for (let row = 0; row < rows; row++) {
    const point = [...values.noise.subarray(2 * row, 2 * row + 2)];
    const probe = [...values.noiseProbes.subarray(2 * row, 2 * row + 2)];
    const end = eulerSolve(values, point, probe, { steps, size: 1 / eulerSteps });
    for (const j of [0, 1]) {
      ways.push((points[2 * row + j] as number) - (point[j] as number));
      expectedWays.push((end.x[j] as number) - (point[j] as number));
    }
    gains.push(end.logDensity);
  }
  const deviation = Math.max(
    deviationOf(ways, expectedWays),
    workload === "logdensity"
      ? deviationOf(
          gains.map((_, row) => densities[row] as number),
          gains,
        )
      : 0,
  );
  return { lossBefore: null, lossAfter: null, deviation };
}
