/**
 * The entry `divflow/diagnostics`: optimal transport between samples, distances between them, and what checks posteriors. Apart
 * from `divflow`, so that a page which has none of it downloads none; it needs no runtime.
 */
export { type Assignment, assignment } from "./transport/assignment.ts";
export { type Cost, type Sample, squaredDistances } from "./transport/cost.ts";
export { type DrawPairsOptions, drawPairs, type Pairs } from "./transport/draw-pairs.ts";
export { type EntropicPlan, type SinkhornOptions, sinkhorn, type TransportPlan } from "./transport/sinkhorn.ts";
