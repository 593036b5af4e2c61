/** From what is computed to what kernels compute: the passes before memory and order are decided. */
import type { Graph } from "../graph/graph.ts";
import { joinProducts } from "./join-products.ts";
import { lowerCalls } from "./lower-calls.ts";
import { lowerComposites } from "./lower-composites.ts";
import { lowerProducts } from "./lower-products.ts";
import { lowerReductions } from "./lower-reductions.ts";
import type { MorePasses } from "./more-passes.ts";
import { nestJoints } from "./nest-joints.ts";
import type { InParts } from "./parts.ts";
import type { PlanLimits } from "./program.ts";
import { readsRowsApart } from "./row-slices.ts";
import { splitColumns } from "./split-columns.ts";
import { stackMatmuls } from "./stack-matmuls.ts";
import { stackReductions } from "./stack-reductions.ts";
import { tidier } from "./tidy.ts";

/**
 * Contract: outputs agree up to rounding and the order of additions. What is left: states, constants and tables;
 * linearCall, reduceCall, random, gather, scatterAdd, replaceRow, and ops that say which call they are; elementwise ops;
 * reshape, broadcast, transpose, concat and slice. Undefined where it takes `more` passes.
 */
export function* lowering(
  graph: Graph,
  { maxEpilogueGroups, optionalKernels }: Pick<PlanLimits, "maxEpilogueGroups" | "optionalKernels">,
  more?: MorePasses,
): InParts<Graph | undefined> {
  const tidy = tidier();
  const passes: ((graph: Graph) => Graph | undefined)[] = [
    (given) => lowerComposites(given, optionalKernels, more?.shareCalls),
    (given) => joinProducts(given, maxEpilogueGroups),
    (joined) => stackMatmuls(joined, maxEpilogueGroups),
    splitColumns,
    (given) => (readsRowsApart(given) ? more?.splitRows(given) : given),
    lowerReductions,
    (reduced) => lowerCalls(lowerProducts(stackReductions(reduced))),
  ];
  let lowered = graph;
  for (const pass of passes) {
    lowered = yield* tidy(lowered);
    const next = pass(lowered);
    if (!next) return undefined;
    lowered = next;
    yield;
  }
  return nestJoints(yield* tidy(lowered));
}
