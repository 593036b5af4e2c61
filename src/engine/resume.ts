/** Training that goes on where a file's left off. */
import type { DataSource } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import { CheckpointError, DataError } from "../errors.ts";
import { optionsObject, textOption } from "../graph/options.ts";
import type { FlatVector, ModelRecord, ValidationRecord } from "../train/checkpoint.ts";
import { resumedData } from "../train/parts.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import { firstStanding } from "../train/validation.ts";
import type { ResumeOptions, TrainerOptions } from "./api.ts";
import type { LocalRuntime } from "./runtime.ts";
import { type Telling, tellingOf } from "./told.ts";
import { LocalTrainer } from "./trainer.ts";
import { completed, expectTrainingFits, planningOptions } from "./trainer-settings.ts";

/** The trainer in the bytes of a safetensors file that a trainer wrote. */
export async function resumeTrainer(
  runtime: LocalRuntime,
  bytes: Uint8Array,
  options: ResumeOptions = {},
): Promise<LocalTrainer> {
  optionsObject("options of resume", options, ["data", "validation", "source", "network", "signal", "onProgress"]);
  const { source = "model file" } = options;
  const planning = planningOptions(options);
  textOption("source of resume", source, "the file's name, for messages");
  const record = await readCheckpoint(bytes, { source, network: options.network });
  const { network, path, step, parameters, average, best, columns, training } = record;
  if (!training) {
    throw new CheckpointError({
      subject: `${source}, training state`,
      given: "a model alone",
      expected: "a trainer's file",
      remedy: "Save the trainer, not its model; a model can be sampled and judged.",
    });
  }
  const { moments, loss, optimizer, batchSize, seed, ema, maximumGradientNorm, jitter, validation } = training;
  const telling = await tellingOf(network, options.data, options.validation);
  const again = (subject: string, given: DataSource | undefined) => againOf(subject, given, record, telling);
  const data = await resumedData(training.data, again("the data to resume with", options.data));
  expectColumns(data, columns);
  const settings = completed(
    {
      ...{ network, path, loss, optimizer, data, batchSize, seed, jitter },
      ...(ema ? { ema } : {}),
      ...(maximumGradientNorm === undefined ? {} : { maximumGradientNorm }),
      ...(validation ? await validationOptions(validation, again("validation", options.validation)) : {}),
    },
    telling,
  );
  expectUnits(source, record.standardization, settings.trainingData.standardization);
  expectTrainingFits(settings, await runtime.limits());
  const vectors = new Map<string, FlatVector>([["parameters", parameters], ...moments]);
  if (average && ema) vectors.set("ema", average);
  if (best) vectors.set("best", best.parameters);
  const standing = { ...(validation?.standing ?? firstStanding(false)), best: best?.metrics };
  return new LocalTrainer(runtime, settings, { step, vectors, standing }).prepared(planning);
}

/** Data that are given again, as the run had them. */
function againOf(
  subject: string,
  given: DataSource | undefined,
  { network, conditions }: ModelRecord,
  telling: Telling | undefined,
): DataSource | undefined {
  if (!given || !telling) return given;
  const source = telling.withLabels(subject, given, network.conditions ?? {});
  telling.expectSameNames(subject, source, conditions, "the run");
  return source;
}

async function validationOptions(
  { heldOut, source, every, patience, by }: ValidationRecord,
  given: DataSource | undefined,
): Promise<Pick<TrainerOptions, "validation" | "validateEvery" | "earlyStopping">> {
  return {
    validation: source ? await resumedData(source, given) : Array.from(heldOut ?? []),
    validateEvery: every,
    earlyStopping: { by, patience: patience ?? Number.POSITIVE_INFINITY },
  };
}

/** Of what mean and deviation may differ where a version sums in another order, in deviations. */
const ROUNDING = 1e-6;

/** The run goes on in the units of the data given; the file's have to be the same. */
function expectUnits(source: string, stored: Standardization | undefined, own: Standardization | undefined): void {
  const near = (a: number, b: number, scale: number) => Math.abs(a - b) <= ROUNDING * scale;
  const agree =
    stored && own
      ? own.std.every((std, i) => {
          const [mean, other] = [own.mean[i] as number, stored.mean[i] as number];
          return near(stored.std[i] as number, std, std) && near(other, mean, std + Math.abs(mean));
        })
      : stored === own;
  if (agree) return;
  throw new CheckpointError({
    subject: `${source}, standardization`,
    given: stored ?? "none",
    expected: own ? `${JSON.stringify(own)}, as the data have` : "none, as the data have",
    remedy: "The file is damaged, or was changed by another program; use an earlier one.",
  });
}

/** Columns in another order are other data; where there are no names in the file, or now, nobody can tell. */
function expectColumns({ columns: given }: DataSource, expected: readonly string[] | undefined): void {
  if (!given || !expected || given.every((name, i) => name === expected[i])) return;
  throw new DataError({
    subject: "columns of the data to resume with",
    given: given.join(", "),
    expected: expected.join(", "),
    remedy: "Give the columns in the order that the run began with.",
  });
}
