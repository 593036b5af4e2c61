/** Judges what goes on with films: frames against the true ones, films as a set, and how likely true frames are. */
import type { Judgement, LossJob, Metric } from "../experiment.ts";
import { frechetWithError, totalVariance } from "../frechet.ts";
import { estimateOf } from "../trajectories/measures.ts";
import type { VideoData } from "./data.ts";
import { cut } from "./latents.ts";
import { frameErrors } from "./measures.ts";
import { continueFilms, natsOfFrames } from "./predict.ts";
import { MADE, type VideoSettings } from "./settings.ts";

/** The array of held-out frames' negative log-likelihoods per dimension. */
const NATS = "negative-log-likelihoods";

type VideoJob = LossJob<VideoSettings, VideoData>;

export async function judgeVideos(job: VideoJob): Promise<Judgement> {
  const { data, input, loss, kept, settings, evaluationSeed: seed, signal, progress } = job;
  const { seen, predicted, given, heldOut } = data;
  const made = input === MADE;
  if (loss === "decoded" && !made)
    return { metrics: [{ name: "frameError", title: ERROR.latents, value: Number.NaN }] };
  const { data: frames } = await kept("frames", async () => {
    const side = Math.sqrt(seen.size);
    const shape = [heldOut.count, predicted, ...(made ? [side, side] : heldOut.shape)];
    return { values: Float32Array.from(await framesOf(job)), shape };
  });
  const errors = frameErrors(frames, seen.truth, { frames: predicted, size: seen.size });
  const features = await seen.featuresOf(Float32Array.from(frames));
  const distance = frechetWithError(features, seen.reference, seed);
  const variance = totalVariance(seen.reference);
  const metrics: Metric[] = [
    { name: "frameError", title: made ? ERROR.pixels : ERROR.latents, better: "lower", ...estimateOf(errors.byFilm) },
    {
      name: "featureDistance",
      title: "feature distance of films (Fréchet, no FVD), in their variance",
      better: "lower",
      value: distance.value / variance,
      error: distance.error / variance,
    },
  ];
  const x = errors.byFrame.map((_, i) => given + i + 1);
  const series = [
    {
      ...{ name: "error", title: "Error by frame", across: "frame", x, y: errors.byFrame },
      note: `mean squared error of ${made ? "pixels, from 0 to 1" : "latents, in their variance"}, of predicted frames`,
    },
  ];
  if (!isModel(loss)) return { metrics, series };
  using model = await job.model();
  const { data: nats } = await kept(NATS, async () => {
    const { probes, tolerance } = settings;
    const count = Math.min(settings.likelihoods, heldOut.count);
    const values = await natsOfFrames(model, heldOut, { count, given, probes, tolerance, seed, signal });
    return { values, shape: [values.length] };
  });
  await progress(1, "likelihoods");
  const likelihood: Metric = {
    ...{
      name: "nats",
      title: "negative log-likelihood per dimension of true latents",
      unit: "nats",
      better: "lower",
      each: NATS,
    },
    ...estimateOf(nats),
  };
  return { metrics: [metrics[0] as Metric, likelihood, ...metrics.slice(1)], series };
}

const ERROR = {
  pixels: "squared error of predicted pixels, from 0 to 1",
  latents: "squared error of predicted latents, in their variance",
};

const isModel = (loss: string) => !["last", "decoded", "others"].includes(loss);

/** Predicted frames of all held-out films, as they are looked at: [films, predicted, size]. */
async function framesOf(job: VideoJob): Promise<ArrayLike<number>> {
  const { data, loss, settings, evaluationSeed: seed, signal, progress } = job;
  const { seen, given, predicted, heldOut } = data;
  const { size } = seen;
  if (loss === "others") return seen.others;
  if (loss === "last")
    return seen.truth.map((_, i) => seen.lastGiven[Math.floor(i / (predicted * size)) * size + (i % size)] as number);
  if (loss === "decoded") return seen.decode(cut(heldOut, given, given + predicted));
  using model = await job.model();
  const continued = await continueFilms(model, heldOut, {
    ...{ given, predicted, steps: settings.solver, seed, signal },
    progress: (done) => progress(0.8 * done, "films gone on with"),
  });
  return await seen.decode(continued);
}
