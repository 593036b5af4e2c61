/**
 * The entry `divflow/flows`: couplings of starts with data, solvers, paths and losses beside the usual ones, and flow maps. Apart
 * from `divflow`, so that a page which has none of it downloads none; a page's worker imports it when one of these is first asked
 * for.
 */

export { pairedWith } from "./engine/paired-with.ts";
export {
  type Reflow,
  type ReflowOptions,
  reflow,
  type Straightness,
  type StraightnessOptions,
  straightness,
} from "./engine/reflow.ts";
export { type DivergenceWeight, type SuggestOptions, suggestDivergenceWeight } from "./engine/suggest-weight.ts";
export {
  type ConsistencyOptions,
  type DensityError,
  type DensityWay,
  flowMapConsistency,
  type JudgedModel,
  type StepsConsistency,
} from "./flow/consistency.ts";
export type { FieldKind } from "./flow/conversions.ts";
export type { Batches, Coupling, PairedCondition } from "./flow/couplings/coupling.ts";
export { type CouplingDefinition, defineCoupling } from "./flow/couplings/define-coupling.ts";
export { independent } from "./flow/couplings/independent.ts";
export {
  type EntropicTransportOptions,
  entropicTransport,
  type OptimalTransportOptions,
  optimalTransport,
} from "./flow/couplings/transport.ts";
export type { AdaptiveWeights } from "./flow/flow-map.ts";
export { type HutchPlusPlusOptions, hutchPlusPlus } from "./flow/losses/hutch-plus-plus.ts";
export {
  type FrozenField,
  type LogitNormalTimes,
  type MeanFlowOptions,
  meanFlow,
} from "./flow/losses/mean-flow.ts";
export { scoreMatching } from "./flow/losses/score-matching.ts";
export { type TimeWeight, type WeightedOptions, weighted } from "./flow/losses/weighted.ts";
export { brownianBridge } from "./flow/paths/brownian-bridge.ts";
export { veSDE } from "./flow/paths/ve-sde.ts";
export { type OutputOptions, withOutput } from "./flow/paths/with-output.ts";
export type { AdaptiveOptions } from "./flow/solvers/adaptive.ts";
export { adaptiveHeun } from "./flow/solvers/adaptive-heun.ts";
export type { Diffusion } from "./flow/solvers/diffusion.ts";
export { type FlowMapStepsOptions, flowMapSteps } from "./flow/solvers/flow-map.ts";
export { onGrid } from "./flow/solvers/on-grid.ts";
export { eulerMaruyama, type SDEOptions, stochasticHeun } from "./flow/solvers/sde.ts";
export type { Solver } from "./flow/solvers/solver.ts";
export { cosineTimes, type KarrasTimesOptions, karrasTimes, midpointTimes } from "./flow/solvers/times.ts";
export { tsit5 } from "./flow/solvers/tsit5.ts";
export { type FlowMapOptions, flowMap } from "./nn/flow-map.ts";
export { withScore } from "./nn/with-score.ts";
export { frozenField } from "./train/frozen-field.ts";
export type { Pairs } from "./transport/draw-pairs.ts";
