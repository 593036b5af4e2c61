/** Planning on a thread that others need too: between its parts they have their turn, and it can be given up. */

import { onDemand } from "../backends/on-demand.ts";
import { LimitError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { sizeOf } from "../graph/node.ts";
import type { CallMaker } from "../schedule/call-units.ts";
import type { MorePasses } from "../schedule/more-passes.ts";
import { PASSES, planning } from "../schedule/planning.ts";
import type { PlanLimits, Program } from "../schedule/program.ts";
import { readsRowsApart } from "../schedule/row-slices.ts";
import { sumsWithin } from "../schedule/sums-within.ts";
import { inTurns, nextTask } from "../turns.ts";

/** Asked now and then, with the passes done of how many: throws where the plan is wanted no more. */
export type StillWanted = (done: number, passes: number) => void;

/** The graph's program: see `compile`. */
export async function planned(
  graph: Graph,
  limits: PlanLimits,
  stillWanted: StillWanted,
  optional?: CallMaker,
): Promise<Program> {
  await nextTask(); // building the graph took a while
  stillWanted(0, PASSES);
  const program = (more?: MorePasses) =>
    inTurns(planning(graph, limits, optional, more), (passes) => stillWanted(passes, PASSES));
  const passes = () =>
    sumsWithin(graph) ? import("../schedule/network-passes.ts") : import("../schedule/more-passes.ts");
  const more = async () => (await onDemand<{ readonly morePasses: MorePasses }>(passes())).morePasses;
  const early = limits.halvesFrom !== undefined || readsRowsApart(graph); // what else wants them is found on the way
  const made = (early ? undefined : await program()) ?? (await program(await more()));
  return expectRoom(made as Program, limits);
}

/** What is known before anything is allocated. What programs share is counted for each. */
function expectRoom(program: Program, { maxTotalBytes = Number.POSITIVE_INFINITY }: PlanLimits): Program {
  const bytes = program.peakBytes + 4 * program.state.reduce((total, { shape }) => total + sizeOf(shape), 0);
  if (bytes <= maxTotalBytes) return program;
  throw new LimitError({
    subject: `program "${program.name}"`,
    given: `${bytes} bytes`,
    expected: `at most ${maxTotalBytes}, which the backend has in all`,
    remedy: "Use a smaller batch, network or data set, or fewer probes.",
  });
}
