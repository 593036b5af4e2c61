import type { Graph } from "../graph/graph.ts";
import { atOnce } from "../turns.ts";
import type { CallMaker } from "./call-units.ts";
import { morePasses } from "./network-passes.ts";
import { planning } from "./planning.ts";
import type { PlanLimits, Program } from "./program.ts";

/** A graph's program, with all passes at hand and all at once: see {@link planning}. */
export function compile(graph: Graph, limits: PlanLimits, optional?: CallMaker): Program {
  return atOnce(planning(graph, limits, optional, morePasses)) as Program;
}
