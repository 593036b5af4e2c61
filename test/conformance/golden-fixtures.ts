/** The golden cases of ops, of networks and of guidance, as JSON: a page has no files to read. A new one is two lines here. */
import doublePendulum from "../data/golden/double-pendulum.json" with { type: "json" };
import eventFitzHughNagumo from "../data/golden/event-fitzhugh-nagumo.json" with { type: "json" };
import eventLorenz from "../data/golden/event-lorenz.json" with { type: "json" };
import fitzHughNagumo from "../data/golden/fitzhugh-nagumo.json" with { type: "json" };
import harmonicOscillator from "../data/golden/harmonic-oscillator.json" with { type: "json" };
import lorenz from "../data/golden/lorenz.json" with { type: "json" };
import classifierCondOt from "../flow/golden/classifier-cond-ot.json" with { type: "json" };
import classifierCosine from "../flow/golden/classifier-cosine.json" with { type: "json" };
import classifierFree from "../flow/golden/classifier-free.json" with { type: "json" };
import classifierVe from "../flow/golden/classifier-ve.json" with { type: "json" };
import event from "../flow/golden/event.json" with { type: "json" };
import gaussianNarrow from "../flow/golden/gaussian-narrow.json" with { type: "json" };
import gaussianWide from "../flow/golden/gaussian-wide.json" with { type: "json" };
import logLikelihood from "../flow/golden/log-likelihood.json" with { type: "json" };
import meanFlowSilu from "../flow/golden/mean-flow-silu.json" with { type: "json" };
import meanFlowTanh from "../flow/golden/mean-flow-tanh.json" with { type: "json" };
import mixtureCondOt from "../flow/golden/mixture-cond-ot.json" with { type: "json" };
import mixtureCosine from "../flow/golden/mixture-cosine.json" with { type: "json" };
import mixtureVe from "../flow/golden/mixture-ve.json" with { type: "json" };
import totalVariation from "../flow/golden/total-variation.json" with { type: "json" };
import classifierK4 from "../flow/simplex/golden/classifier-k4.json" with { type: "json" };
import classifierK40 from "../flow/simplex/golden/classifier-k40.json" with { type: "json" };
import factorK4 from "../flow/simplex/golden/factor-k4.json" with { type: "json" };
import factorK40 from "../flow/simplex/golden/factor-k40.json" with { type: "json" };
import factorK80 from "../flow/simplex/golden/factor-k80.json" with { type: "json" };
import factorLimitsK4 from "../flow/simplex/golden/factor-limits-k4.json" with { type: "json" };
import factorLimitsK40 from "../flow/simplex/golden/factor-limits-k40.json" with { type: "json" };
import factorLimitsK80 from "../flow/simplex/golden/factor-limits-k80.json" with { type: "json" };
import linearK4 from "../flow/simplex/golden/linear-k4.json" with { type: "json" };
import linearK40 from "../flow/simplex/golden/linear-k40.json" with { type: "json" };
import pathK4 from "../flow/simplex/golden/path-k4.json" with { type: "json" };
import pathK40 from "../flow/simplex/golden/path-k40.json" with { type: "json" };
import pathK80 from "../flow/simplex/golden/path-k80.json" with { type: "json" };
import cnnClasses from "../networks/cnn-classes.json" with { type: "json" };
import sit from "../networks/sit.json" with { type: "json" };
import transformer from "../networks/transformer.json" with { type: "json" };
import unet1dConditioned from "../networks/unet1d-conditioned.json" with { type: "json" };
import unet2dClasses from "../networks/unet2d-classes.json" with { type: "json" };
import attention from "../ops/golden/attention.json" with { type: "json" };
import attentionLong from "../ops/golden/attention-long.json" with { type: "json" };
import attentionOne from "../ops/golden/attention-one.json" with { type: "json" };
import conv1dK2 from "../ops/golden/conv1d-k2.json" with { type: "json" };
import conv1dK2Stride2 from "../ops/golden/conv1d-k2-stride2.json" with { type: "json" };
import conv1dK3 from "../ops/golden/conv1d-k3.json" with { type: "json" };
import conv1dK3Stride2 from "../ops/golden/conv1d-k3-stride2.json" with { type: "json" };
import conv1dK3Stride2Dilation4 from "../ops/golden/conv1d-k3-stride2-dilation4.json" with { type: "json" };
import conv1dK3Wide from "../ops/golden/conv1d-k3-wide.json" with { type: "json" };
import conv1dK9 from "../ops/golden/conv1d-k9.json" with { type: "json" };
import conv1dK9Dilation4 from "../ops/golden/conv1d-k9-dilation4.json" with { type: "json" };
import conv1dK9Dilation16 from "../ops/golden/conv1d-k9-dilation16.json" with { type: "json" };
import conv2dK1 from "../ops/golden/conv2d-k1.json" with { type: "json" };
import conv2dK3 from "../ops/golden/conv2d-k3.json" with { type: "json" };
import conv2dK3Stride2 from "../ops/golden/conv2d-k3-stride2.json" with { type: "json" };
import conv2dK3Valid from "../ops/golden/conv2d-k3-valid.json" with { type: "json" };
import crossEntropyMean from "../ops/golden/cross-entropy-mean.json" with { type: "json" };
import crossEntropyNone from "../ops/golden/cross-entropy-none.json" with { type: "json" };
import embedding from "../ops/golden/embedding.json" with { type: "json" };
import film from "../ops/golden/film.json" with { type: "json" };
import geluExact from "../ops/golden/gelu-exact.json" with { type: "json" };
import geluTanh from "../ops/golden/gelu-tanh.json" with { type: "json" };
import groupNorm from "../ops/golden/group-norm.json" with { type: "json" };
import groupNorm1 from "../ops/golden/group-norm-1.json" with { type: "json" };
import groupNormAll from "../ops/golden/group-norm-all.json" with { type: "json" };
import layerNorm from "../ops/golden/layer-norm.json" with { type: "json" };
import layerNormRows from "../ops/golden/layer-norm-rows.json" with { type: "json" };
import logSoftmax from "../ops/golden/log-softmax.json" with { type: "json" };
import logSoftmaxLarge from "../ops/golden/log-softmax-large.json" with { type: "json" };
import rmsNorm from "../ops/golden/rms-norm.json" with { type: "json" };
import softmax from "../ops/golden/softmax.json" with { type: "json" };
import softmaxLarge from "../ops/golden/softmax-large.json" with { type: "json" };
import spaceFromChannelsChannelMajor from "../ops/golden/space-from-channels-channel-major.json" with { type: "json" };
import spaceFromChannelsFactorMajor from "../ops/golden/space-from-channels-factor-major.json" with { type: "json" };
import timeEmbedding from "../ops/golden/time-embedding.json" with { type: "json" };
import timeEmbeddingLow from "../ops/golden/time-embedding-low.json" with { type: "json" };
import assignment8 from "../transport/golden/assignment-8.json" with { type: "json" };
import assignment32 from "../transport/golden/assignment-32.json" with { type: "json" };
import assignment64 from "../transport/golden/assignment-64.json" with { type: "json" };
import brownianBridgeNarrow from "../transport/golden/brownian-bridge-0.125.json" with { type: "json" };
import brownianBridge from "../transport/golden/brownian-bridge-1.json" with { type: "json" };
import sinkhorn8 from "../transport/golden/sinkhorn-8.json" with { type: "json" };
import sinkhorn8Wide from "../transport/golden/sinkhorn-8-wide.json" with { type: "json" };
import sinkhorn16 from "../transport/golden/sinkhorn-16.json" with { type: "json" };

export const opFixtures = [
  attention,
  attentionLong,
  attentionOne,
  conv1dK2,
  conv1dK2Stride2,
  conv1dK3,
  conv1dK3Stride2,
  conv1dK3Stride2Dilation4,
  conv1dK3Wide,
  conv1dK9,
  conv1dK9Dilation16,
  conv1dK9Dilation4,
  conv2dK1,
  conv2dK3,
  conv2dK3Stride2,
  conv2dK3Valid,
  crossEntropyMean,
  crossEntropyNone,
  embedding,
  film,
  geluExact,
  geluTanh,
  groupNorm,
  groupNorm1,
  groupNormAll,
  layerNorm,
  layerNormRows,
  logSoftmax,
  logSoftmaxLarge,
  rmsNorm,
  softmax,
  softmaxLarge,
  spaceFromChannelsChannelMajor,
  spaceFromChannelsFactorMajor,
  timeEmbedding,
  timeEmbeddingLow,
];

/** Of each network the case that has most in it; test/nn/networks.test.ts has them all. */
export const networkFixtures = [cnnClasses, sit, transformer, unet1dConditioned, unet2dClasses];

/** Guidance, and mixtures whose fields are known. */
export const guidanceFixtures = [
  classifierCondOt,
  classifierCosine,
  classifierFree,
  classifierVe,
  event,
  logLikelihood,
  mixtureCondOt,
  mixtureCosine,
  mixtureVe,
  totalVariation,
];

/** Couplings, which the host computes, and the Brownian bridge between pairs. */
export const couplingFixtures = [
  assignment32,
  assignment64,
  assignment8,
  brownianBridgeNarrow,
  brownianBridge,
  sinkhorn16,
  sinkhorn8,
  sinkhorn8Wide,
];

/** Flow maps: the losses of a small network with all gradients, and the map between Gaussians. */
export const flowMapFixtures = [gaussianNarrow, gaussianWide, meanFlowSilu, meanFlowTanh];
/** Letters on the simplex: the Dirichlet path with its factor and a classifier on it, and the linear path. */
export const simplexFixtures = [
  classifierK4,
  classifierK40,
  factorK4,
  factorK40,
  factorK80,
  factorLimitsK4,
  factorLimitsK40,
  factorLimitsK80,
  linearK4,
  linearK40,
  pathK4,
  pathK40,
  pathK80,
];

/** Dynamical systems, which the host solves, and events of their trajectories. */
export const dynamicsFixtures = [
  doublePendulum,
  eventFitzHughNagumo,
  eventLorenz,
  fitzHughNagumo,
  harmonicOscillator,
  lorenz,
];
