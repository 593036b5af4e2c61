/** What all solvers share about their problem: its states, and the check of its stops. */
import { ConfigError } from "../../errors.ts";
import type { StateDeclaration } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { broadcast, reshape } from "../../ops/shape.ts";
import type { SolveProblem } from "./solver.ts";

/** State "solve.x" [S, D]: the points. */
export function pointState({ rows, dimension }: Pick<SolveProblem, "rows" | "dimension">): StateDeclaration {
  return { name: "solve.x", shape: [rows, dimension], dtype: "f32" };
}

/** State "solve.logDensity" [S, P]: the estimates carried along. */
export function logDensityState({ rows, estimates }: Pick<SolveProblem, "rows" | "estimates">): StateDeclaration {
  return { name: "solve.logDensity", shape: [rows, estimates], dtype: "f32" };
}

/** State "solve.noise" u32 [2], of solvers that add noise on the way: the seed of it, another for each batch of points. */
export const noiseState: StateDeclaration = { name: "solve.noise", shape: [2], dtype: "u32" };

/** A time [1] for each of the points: [S, 1]. */
export function timeColumn(time: Node, rows: number): Node {
  return broadcast(reshape(time, [1, 1]), [rows, 1]);
}

export function checkStops(stops: readonly number[]): void {
  const direction = Math.sign((stops[1] ?? Number.NaN) - (stops[0] ?? Number.NaN));
  const ordered = stops.every((stop, i) => i === 0 || Math.sign(stop - (stops[i - 1] as number)) === direction);
  if (stops.length >= 2 && stops.every(Number.isFinite) && direction !== 0 && ordered) return;
  throw new ConfigError({
    subject: "stops of a solve",
    given: stops,
    expected: "at least two finite times, all rising or all falling",
    remedy: "Give [0, 1] to sample, [1, 0] for log-densities, or more times between for a trajectory.",
  });
}
