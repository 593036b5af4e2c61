/** From what is computed to what kernels compute: the passes before memory and order are decided. */
import type { Graph } from "../graph/graph.ts";
import { joinProducts } from "./join-products.ts";
import { lowerProducts } from "./lower-products.ts";
import { lowerReductions } from "./lower-reductions.ts";
import { nestJoints } from "./nest-joints.ts";
import type { PlanLimits } from "./program.ts";
import { splitColumns } from "./split-columns.ts";
import { splitRows } from "./split-rows.ts";
import { stackMatmuls } from "./stack-matmuls.ts";
import { stackReductions } from "./stack-reductions.ts";
import { tidier } from "./tidy.ts";

/**
 * Contract: outputs agree up to rounding and the order of additions. What is left: states, constants and tables;
 * linearCall, reduceCall, random, gather, scatterAdd, replaceRow; elementwise ops; reshape, broadcast, transpose,
 * concat and slice.
 */
export function lower(graph: Graph, { maxEpilogueGroups }: Pick<PlanLimits, "maxEpilogueGroups">): Graph {
  const tidy = tidier();
  const joined = tidy(joinProducts(tidy(graph), maxEpilogueGroups));
  const stacked = tidy(stackMatmuls(joined, maxEpilogueGroups));
  const split = tidy(splitRows(tidy(splitColumns(stacked))));
  const reduced = stackReductions(tidy(lowerReductions(split)));
  return nestJoints(tidy(lowerProducts(reduced)));
}
