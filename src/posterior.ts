/**
 * The entry `divflow/posterior`: simulation-based inference, from a prior and a simulator to the posterior of parameters. Apart from
 * `divflow`, so that a page which has none of it downloads none.
 */
export { type Inference, type InferenceOptions, inference, type SimulationProgress } from "./posterior/inference.ts";
export type { ParameterPlace, ParametersGiven } from "./posterior/parameters.ts";
export {
  type InferredPosterior,
  type LoadPosteriorOptions,
  loadPosterior,
  type PosteriorOptions,
  posterior,
} from "./posterior/posterior.ts";
export {
  type DefinePriorOptions,
  definePrior,
  logNormal,
  logUniform,
  normal,
  type ParametersOf,
  type ParameterValue,
  type Prior,
  type Priors,
  type Random,
  uniform,
} from "./posterior/priors.ts";
export type {
  AskOptions,
  ParameterSummary,
  PosteriorCalibration,
  PosteriorCalibrationOptions,
  PosteriorMode,
  PosteriorModeOptions,
  PosteriorSampleOptions,
  PosteriorSamples,
  PosteriorSummaryOptions,
} from "./posterior/questions.ts";
export type { Simulated, SimulationContext, SimulationsGiven, Simulator } from "./posterior/simulate.ts";
export type { PosteriorTraining, PosteriorTrainingOptions, TrainingProgress } from "./posterior/train.ts";
export type { Posterior } from "./posterior/trained.ts";
export type { Bounds, Transform } from "./posterior/transforms.ts";
