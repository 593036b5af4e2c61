/** From what is computed to what kernels compute: the passes before memory and order are decided. */
import type { Graph } from "../graph/graph.ts";
import { joinProducts } from "./join-products.ts";
import { lowerCalls } from "./lower-calls.ts";
import { lowerComposites } from "./lower-composites.ts";
import { lowerProducts } from "./lower-products.ts";
import { lowerReductions } from "./lower-reductions.ts";
import { nestJoints } from "./nest-joints.ts";
import type { InParts } from "./parts.ts";
import type { PlanLimits } from "./program.ts";
import { splitColumns } from "./split-columns.ts";
import { splitRows } from "./split-rows.ts";
import { stackMatmuls } from "./stack-matmuls.ts";
import { stackReductions } from "./stack-reductions.ts";
import { tidier } from "./tidy.ts";

/**
 * Contract: outputs agree up to rounding and the order of additions. What is left: states, constants and tables;
 * linearCall, reduceCall, random, gather, scatterAdd, replaceRow, and ops that say which call they are; elementwise ops;
 * reshape, broadcast, transpose, concat and slice.
 */
export function* lowering(
  graph: Graph,
  { maxEpilogueGroups, optionalKernels }: Pick<PlanLimits, "maxEpilogueGroups" | "optionalKernels">,
): InParts<Graph> {
  const tidy = tidier();
  const passes: ((graph: Graph) => Graph)[] = [
    (given) => lowerComposites(given, optionalKernels),
    (given) => joinProducts(given, maxEpilogueGroups),
    (joined) => stackMatmuls(joined, maxEpilogueGroups),
    splitColumns,
    splitRows,
    lowerReductions,
    (reduced) => lowerCalls(lowerProducts(stackReductions(reduced))),
  ];
  let lowered = graph;
  for (const pass of passes) {
    lowered = yield* tidy(lowered);
    lowered = pass(lowered);
    yield;
  }
  return nestJoints(yield* tidy(lowered));
}
