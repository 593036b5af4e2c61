/** Planning on a thread that others need too: between its parts they have their turn, and it can be given up. */

import { LimitError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { sizeOf } from "../graph/node.ts";
import type { CallMaker } from "../schedule/call-units.ts";
import { PASSES, planning } from "../schedule/compile.ts";
import type { PlanLimits, Program } from "../schedule/program.ts";
import { inTurns, nextTask } from "./pace.ts";

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
  return expectRoom(await inTurns(planning(graph, limits, optional), (passes) => stillWanted(passes, PASSES)), limits);
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
