/** Films gone on with in the latents of an autoencoder, as the paper's on KTH and BAIR: digits that move and bounce, or latents of yours. */
import { adamW, cfm, condOT, cosineDecay, ema, fdm, product, warmUp } from "../../index.ts";
import { numbers, transformer } from "../../networks.ts";
import { type Contender, defineExperiment } from "./experiment.ts";
import { prepareVideos, type VideoData } from "./videos/data.ts";
import { judgeVideos } from "./videos/judge.ts";
import { DISTANCE, EARLIER, LAST, pairsOf } from "./videos/latents.ts";
import { readLatents } from "./videos/latents-file.ts";
import { videoPictures } from "./videos/pictures.ts";
import {
  checkVideoSettings,
  differencesFromVideos,
  MADE,
  type VideoSettings,
  videoPresets,
} from "./videos/settings.ts";

const contenders: Readonly<Record<string, Contender>> = {
  cfm: {
    title: "Latent CFM",
    about: "flow matching of a frame's latents, told the frame before it and an earlier one",
    cost: 1,
  },
  fdm: {
    title: "Latent FDM",
    about: "the same with the divergence term in the paper's slice form, of the weight and power of the settings",
    cost: 2,
  },
  last: { title: "Last frame", about: "no model: the last frame given, again and again", cost: 0, isBaseline: true },
  decoded: {
    ...{ title: "Decoded truth", cost: 0, isBaseline: true },
    about: "no model: the true frames' latents decoded, which is what the autoencoder alone costs",
  },
  others: {
    ...{ title: "Other films", cost: 0, isBaseline: true },
    about: "no model: what films that were trained on go on like, which is what chance leaves of the feature distance",
  },
};

const isModel = (loss: string) => (contenders[loss]?.cost ?? 1) > 0;

export const movingDigits = defineExperiment<VideoSettings, VideoData>({
  name: "moving-digits",
  summary: "films of digits that move and bounce, gone on with in an autoencoder's latents, or latents of yours",
  question:
    "A film's first frames are given: how does it go on? A transformer makes each next frame's latents by a flow, told the frame before " +
    "it and an earlier one, as the paper's models of KTH and BAIR do; made frames are told to it in turn. Judged on films that were held " +
    "out, of digits that were: the error of each frame, how likely true frames are, and how far the films as a set are from true ones.",
  input: { what: `FILE.npy of latents, [films, frames, h, w, c] or [films, frames, d], or ${MADE}`, default: MADE },
  presets: videoPresets,
  contenders,
  losses: ["cfm", "fdm", "last", "decoded", "others"],
  headline: ["frameError", "nats", "featureDistance"],
  shares: { prepare: 0.4, judge: 0.3 },
  paper: [
    {
      measure: "KTH, 30 frames from 10: FVD, lower is better",
      figures: { cfm: "180", fdm: "155.5 ± 5" },
      metric: "featureDistance",
      source: "arXiv 2602.00869, from summaries of it",
    },
    {
      measure: "BAIR, 15 frames from 1: FVD, lower is better",
      figures: {
        ...{ cfm: "146", fdm: "123 ± 4.5", "TriVD-GAN-FP": "103", "Video Transformer": "94", LVT: "126", RaMViD: "84" },
      },
      source: "the authors' answer to review",
    },
    {
      measure: "BAIR: memory, GB",
      figures: {
        ...{ cfm: "24.2", fdm: "35", "TriVD-GAN-FP": "1024", "Video Transformer": "512", LVT: "128", RaMViD: "320" },
      },
      source: "the authors' answer to review",
    },
    {
      measure: "BAIR: hours of training",
      figures: {
        ...{ cfm: "25", fdm: "36", "TriVD-GAN-FP": "280", "Video Transformer": "336", LVT: "48", RaMViD: "72" },
      },
      source: "the authors' answer to review",
    },
  ],
  differences: differencesFromVideos,
  check(settings, input) {
    checkVideoSettings(settings, input);
    if (input !== MADE) readLatents(input, settings);
  },
  steps: ({ steps }, loss) => (isModel(loss) ? steps : 0),
  prepare: prepareVideos,
  async train({ settings, data: { training }, loss, seed, fitModel }) {
    if (!isModel(loss)) return;
    const { width, heads, outer, middle, steps, batch, rate, decay, weightDecay, average, weight, power } = settings;
    const beside = numbers([...training.shape]);
    const falls = decay === "cosine" ? [cosineDecay({ steps, final: 0.01 })] : [];
    await fitModel({
      steps,
      options: {
        network: transformer({
          ...{ sample: training.shape, width, heads, outerBlocks: outer, middleBlocks: middle, conditionHidden: 256 },
          conditions: { [LAST]: beside, [EARLIER]: beside, [DISTANCE]: numbers() },
          logarithms: [DISTANCE],
        }),
        path: condOT({ sigmaMin: 1e-7 }),
        loss: loss === "cfm" ? cfm() : fdm({ form: "slice", power: power === 1 ? 1 : 2, divergence: weight }),
        optimizer: adamW({ learningRate: product(rate, warmUp({ steps: settings.warmUp }), ...falls), weightDecay }),
        ...{
          data: pairsOf(training, seed),
          batchSize: batch,
          maximumGradientNorm: 1,
          ema: ema({ decay: 1 - 1 / average }),
        },
      },
    });
  },
  judge: judgeVideos,
  pictures: (showing) => (showing.input === MADE ? videoPictures(showing) : Promise.resolve("")),
});
