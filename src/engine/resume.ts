/** Training that goes on where a file's left off. */
import { resumeData } from "../data/registry.ts";
import { CheckpointError } from "../errors.ts";
import { optionsObject } from "../graph/options.ts";
import type { FlatVector } from "../train/checkpoint.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import type { ResumeOptions } from "./api.ts";
import type { LocalRuntime } from "./runtime.ts";
import { LocalTrainer } from "./trainer.ts";
import { completed } from "./trainer-settings.ts";

/** The trainer in the bytes of a safetensors file that a trainer wrote. */
export async function resumeTrainer(
  runtime: LocalRuntime,
  bytes: Uint8Array,
  options: ResumeOptions = {},
): Promise<LocalTrainer> {
  optionsObject("options of resume", options, ["data", "source"]);
  const { source = "model file" } = options;
  const record = readCheckpoint(bytes, { source });
  const { network, path, step, parameters, average, training } = record;
  if (!training) {
    throw new CheckpointError({
      subject: `${source}, training state`,
      given: "a model alone",
      expected: "a trainer's file",
      remedy: "Save the trainer, not its model; a model can be sampled and judged.",
    });
  }
  const { moments, loss, optimizer, batchSize, seed, ema, maximumGradientNorm } = training;
  const data = resumeData(training.data, options.data);
  const settings = completed({
    ...{ network, path, loss, optimizer, data, batchSize, seed },
    ...(ema ? { ema } : {}),
    ...(maximumGradientNorm === undefined ? {} : { maximumGradientNorm }),
  });
  const vectors = new Map<string, FlatVector>([["parameters", parameters], ...moments]);
  if (average && ema) vectors.set("ema", average);
  return new LocalTrainer(runtime, settings, { step, vectors }).prepared();
}
