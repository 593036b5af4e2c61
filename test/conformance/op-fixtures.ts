/** The golden cases of ops, as JSON: a page has no files to read. A new one is two lines here. */
import attention from "../fixtures/ops/attention.json" with { type: "json" };
import attentionLong from "../fixtures/ops/attention-long.json" with { type: "json" };
import attentionOne from "../fixtures/ops/attention-one.json" with { type: "json" };
import conv1dK2 from "../fixtures/ops/conv1d-k2.json" with { type: "json" };
import conv1dK2Stride2 from "../fixtures/ops/conv1d-k2-stride2.json" with { type: "json" };
import conv1dK3 from "../fixtures/ops/conv1d-k3.json" with { type: "json" };
import conv1dK3Stride2 from "../fixtures/ops/conv1d-k3-stride2.json" with { type: "json" };
import conv1dK3Stride2Dilation4 from "../fixtures/ops/conv1d-k3-stride2-dilation4.json" with { type: "json" };
import conv1dK3Wide from "../fixtures/ops/conv1d-k3-wide.json" with { type: "json" };
import conv1dK9 from "../fixtures/ops/conv1d-k9.json" with { type: "json" };
import conv1dK9Dilation4 from "../fixtures/ops/conv1d-k9-dilation4.json" with { type: "json" };
import conv1dK9Dilation16 from "../fixtures/ops/conv1d-k9-dilation16.json" with { type: "json" };
import conv2dK1 from "../fixtures/ops/conv2d-k1.json" with { type: "json" };
import conv2dK3 from "../fixtures/ops/conv2d-k3.json" with { type: "json" };
import conv2dK3Stride2 from "../fixtures/ops/conv2d-k3-stride2.json" with { type: "json" };
import conv2dK3Valid from "../fixtures/ops/conv2d-k3-valid.json" with { type: "json" };
import crossEntropyMean from "../fixtures/ops/cross-entropy-mean.json" with { type: "json" };
import crossEntropyNone from "../fixtures/ops/cross-entropy-none.json" with { type: "json" };
import embedding from "../fixtures/ops/embedding.json" with { type: "json" };
import film from "../fixtures/ops/film.json" with { type: "json" };
import groupNorm from "../fixtures/ops/group-norm.json" with { type: "json" };
import groupNorm1 from "../fixtures/ops/group-norm-1.json" with { type: "json" };
import groupNormAll from "../fixtures/ops/group-norm-all.json" with { type: "json" };
import layerNorm from "../fixtures/ops/layer-norm.json" with { type: "json" };
import layerNormRows from "../fixtures/ops/layer-norm-rows.json" with { type: "json" };
import logSoftmax from "../fixtures/ops/log-softmax.json" with { type: "json" };
import logSoftmaxLarge from "../fixtures/ops/log-softmax-large.json" with { type: "json" };
import rmsNorm from "../fixtures/ops/rms-norm.json" with { type: "json" };
import softmax from "../fixtures/ops/softmax.json" with { type: "json" };
import softmaxLarge from "../fixtures/ops/softmax-large.json" with { type: "json" };
import spaceFromChannelsChannelMajor from "../fixtures/ops/space-from-channels-channel-major.json" with {
  type: "json",
};
import spaceFromChannelsFactorMajor from "../fixtures/ops/space-from-channels-factor-major.json" with { type: "json" };
import timeEmbedding from "../fixtures/ops/time-embedding.json" with { type: "json" };
import timeEmbeddingLow from "../fixtures/ops/time-embedding-low.json" with { type: "json" };
import type { OpFixture } from "./op-fixture.ts";

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
] as unknown as readonly OpFixture[];
