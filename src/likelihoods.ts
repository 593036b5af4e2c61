/**
 * The entry `divflow/likelihoods`: what a model's densities are worth and lead to, beyond `model.logDensity`; samples in chunks.
 * Apart from `divflow`, so that a page which has none of it downloads none; a page's worker has the answers.
 */
export {
  type CheckedPath,
  continuityError,
  type PathCheckOptions,
  type SteinIdentity,
  type SteinOptions,
  steinIdentity,
} from "./likelihoods/checks.ts";
export { type SampleChunksOptions, sampleChunks } from "./likelihoods/chunks.ts";
export { type ModeOptions, type Modes, mode } from "./likelihoods/mode.ts";
export {
  type LogDensityContributions,
  type LogDensityGradient,
  type LogDensityGradientOptions,
  type LogDensityInterval,
  type LogDensityIntervalOptions,
  logDensityContributions,
  logDensityGradient,
  logDensityInterval,
} from "./likelihoods/parts.ts";
export type { RowRange } from "./likelihoods/row-range.ts";
export {
  type LogDensityOfRowsOptions,
  logDensityOfRows,
  type Shard,
  type ShardRows,
  type ShardRowsOptions,
  shardRows,
} from "./likelihoods/shards.ts";
export {
  type TotalVariation,
  type TotalVariationBound,
  type TotalVariationBoundOptions,
  type TotalVariationOptions,
  totalVariation,
  totalVariationBound,
} from "./likelihoods/total-variation.ts";
