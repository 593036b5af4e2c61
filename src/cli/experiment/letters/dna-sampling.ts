/** Samples of classes from a model of sequences, part by part. */
import type { Model } from "../../../index.ts";
import { type SampleLettersOptions, sampleLetters } from "../../../letters.ts";
import type { DnaSettings } from "../dna.ts";
import type { LossJob } from "../experiment.ts";
import type { DnaData, LabelledLetters } from "./dna-data.ts";

export type DnaJob = LossJob<DnaSettings, DnaData>;

/** Sequences drawn at once, so that progress is seen. */
const CHUNK = 256;

/** @param by - how strongly they are told their classes, or what guides them beside. */
export async function sampled(
  { data, settings, evaluationSeed, signal }: DnaJob,
  model: Model,
  labels: Uint8Array,
  by: Pick<SampleLettersOptions, "guidance" | "guide">,
  progress: (done: number) => Promise<void>,
): Promise<LabelledLetters> {
  const { training, classes: kinds } = data;
  const { places } = training;
  const values = new Uint8Array(labels.length * places);
  for (let from = 0; from < labels.length; from += CHUNK) {
    const own = labels.subarray(from, from + CHUNK);
    const told = kinds ? { conditions: { label: Array.from(own, (kind) => kinds[kind] as string) }, ...by } : {};
    const seed = evaluationSeed + 1_000_003 * (from / CHUNK);
    const { letters } = await sampleLetters(model, {
      count: own.length,
      ...told,
      steps: settings.solver,
      seed,
      signal,
    });
    values.set(letters, from * places);
    await progress((from + own.length) / labels.length);
  }
  return { values, count: labels.length, places, labels };
}
