/**
 * The entry `divflow/networks`: networks beside the MLP, the layers that they are made of, how parameters start, and what
 * makes networks, paths, losses and data of a user's own, with the ops that they are written with. Apart from `divflow`, so
 * that a page which has none of it downloads none.
 */
export { jvp } from "./autodiff/jvp.ts";
export { gradient } from "./autodiff/vjp.ts";
export { type DataDefinition, type DrawInputs, defineData } from "./data/define-data.ts";
export { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "./flow/divergence.ts";
export { defineGuidance, type Guidance, type GuidanceDefinition } from "./flow/guidance/define-guidance.ts";
export { defineLoss, type LossDefinition } from "./flow/losses/define-loss.ts";
export { defineWeight, type WeightDefinition } from "./flow/losses/define-weight.ts";
export { definePath, type PathDefinition } from "./flow/paths/define-path.ts";
export { dilation, pathScore, pointOnPath, targetVelocity } from "./flow/paths/path.ts";
export { type CNNConfig, cnn } from "./nn/cnn.ts";
export { type ConditionOptions, classes, numbers } from "./nn/conditions.ts";
export { defineNetwork, type NetworkDefinition, type NetworkInputs } from "./nn/define-network.ts";
export { constant, normal, ones, torchLinear, uniform, xavierUniform, zeros } from "./nn/initial.ts";
export {
  activated,
  type ConvolutionLayerOptions,
  conv1dLayer,
  conv2dLayer,
  embeddingLayer,
  groupNormLayer,
  type Layer,
  layerNormLayer,
  linearLayer,
  parameterOf,
  parametersOf,
  parts,
  rmsNormLayer,
  type Start,
  startingAtZero,
  swish,
  type Values,
} from "./nn/layers.ts";
export { type MLPConfig, mlp } from "./nn/mlp.ts";
export type {
  ConditionDeclaration,
  ConditionDeclarations,
  Conditions,
  Initial,
  Network,
  ParameterDeclaration,
} from "./nn/network.ts";
export {
  attentionLayer,
  downsample1dLayer,
  downsample2dLayer,
  upsample1dLayer,
  upsample2dLayer,
} from "./nn/resample-layers.ts";
export { type ResidualMLPConfig, residualMlp } from "./nn/residual-mlp.ts";
export { sit } from "./nn/sit.ts";
export type { SiTConfig } from "./nn/sit-config.ts";
export {
  cosinesAndSines,
  filmLayer,
  type SteeredLayer,
  sinesAndCosines,
  type TimeFrequencies,
  type TimeLayerOptions,
  timeEmbeddingLayer,
  timeFrequencies,
} from "./nn/time-layers.ts";
export { type TransformerConfig, transformer } from "./nn/transformer.ts";
export { type UNet1dConfig, unet1d } from "./nn/unet1d.ts";
export { unet2d } from "./nn/unet2d.ts";
export type { UNet2dConfig } from "./nn/unet2d-config.ts";
export { selfAttention } from "./ops/attention.ts";
export * as ops from "./ops/public.ts";
