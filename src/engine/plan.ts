/** Planning on a thread that others need too: between its parts they have their turn, and it can be given up. */
import type { Graph } from "../graph/graph.ts";
import { PASSES, planning } from "../schedule/compile.ts";
import type { PlanLimits, Program } from "../schedule/program.ts";
import { nextTask, TURN_SECONDS } from "./pace.ts";

/** Asked now and then, with the passes done of how many: throws where the plan is wanted no more. */
export type StillWanted = (done: number, passes: number) => void;

/** The graph's program: see `compile`. */
export async function planned(graph: Graph, limits: PlanLimits, stillWanted: StillWanted): Promise<Program> {
  await nextTask(); // building the graph took a while
  let passes = 0;
  stillWanted(passes, PASSES);
  const parts = planning(graph, limits);
  for (let begun = performance.now(); ; ) {
    const { done, value } = parts.next();
    if (done) return value;
    passes = Math.max(passes, value ?? 0); // some passes may come again
    if (performance.now() - begun < 1000 * TURN_SECONDS) continue;
    await nextTask();
    stillWanted(passes, PASSES);
    begun = performance.now();
  }
}
