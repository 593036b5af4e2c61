/**
 * The entry `divflow/diagnostics`: optimal transport between samples, distances between them, and what checks posteriors. Apart
 * from `divflow`, so that a page which has none of it downloads none; it needs no runtime.
 */
export { type Bands, uniformBands } from "./diagnostics/bands.ts";
export { type C2ST, type C2STOptions, c2st } from "./diagnostics/c2st.ts";
export {
  type CalibrationOptions,
  type CoordinateCalibration,
  type IntervalCoverage,
  type IntervalCoverageOptions,
  intervalCoverage,
  type PosteriorDraws,
  type SBCOptions,
  sbc,
  type TARP,
  type TARPOptions,
  type TestResult,
  tarp,
  type Uniformity,
} from "./diagnostics/calibration.ts";
export {
  energyDistance,
  type MMD,
  type MMDOptions,
  mmd,
  type PermutationOptions,
  type TwoSampleTest,
} from "./diagnostics/two-sample.ts";
export {
  type SlicedOptions,
  type SlicedWasserstein,
  slicedWasserstein,
  type Wasserstein,
  wasserstein,
} from "./diagnostics/wasserstein.ts";
export { type Assignment, assignment } from "./transport/assignment.ts";
export { type Cost, type Sample, squaredDistances } from "./transport/cost.ts";
export { type DrawPairsOptions, drawPairs, type Pairs } from "./transport/draw-pairs.ts";
export { type EntropicPlan, type SinkhornOptions, sinkhorn, type TransportPlan } from "./transport/sinkhorn.ts";
