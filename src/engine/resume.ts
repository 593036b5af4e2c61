/** Training that goes on where a file's left off. */
import type { DataSource } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import { CheckpointError, DataError } from "../errors.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import { sameShape } from "../graph/node.ts";
import { isRecord, type NamedOptions, optionsObject, textOption } from "../graph/options.ts";
import type { ConditionFacts, FlatVector, ModelRecord, ValidationRecord } from "../train/checkpoint.ts";
import { resumedData } from "../train/parts.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import { conditionFacts, sampleShape } from "../train/told.ts";
import { firstStanding } from "../train/validation.ts";
import type { ResumeOptions, TrainerOptions } from "./api.ts";
import type { LocalRuntime } from "./runtime.ts";
import { type Telling, tellingOf } from "./told.ts";
import { LocalTrainer, pairingOf, validatingOf } from "./trainer.ts";
import { completed, expectTrainingFits, planningOptions, type TrainerSettings } from "./trainer-settings.ts";

/** The trainer in the bytes of a safetensors file that a trainer wrote. */
export async function resumeTrainer(
  runtime: LocalRuntime,
  bytes: Uint8Array,
  options: ResumeOptions = {},
): Promise<LocalTrainer> {
  optionsObject("options of resume", options, [
    ...(["data", "validation", "start", "coupling", "source", "network", "signal", "onProgress"] as const),
  ]);
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
  const again = (subject: string, stored: NamedOptions, given: DataSource | undefined) =>
    againOf({ subject, stored, given }, record, telling);
  const data = await resumedData(training.data, again("the data to resume with", training.data, options.data));
  expectColumns(data, columns);
  if (!record.start) expectNone("start", options.start);
  if (!record.coupling && options.coupling?.name !== "independent") expectNone("coupling", options.coupling);
  const start = record.start && (await resumedData(record.start, options.start, "start"));
  const coupling = record.coupling && resumedCoupling(record.coupling, options.coupling);
  const settings = completed(
    {
      ...{ network, path, loss, optimizer, data, batchSize, seed, jitter },
      ...(ema ? { ema } : {}),
      ...(start ? { start } : {}),
      ...(coupling ? { coupling } : {}),
      ...(maximumGradientNorm === undefined ? {} : { maximumGradientNorm }),
      ...(validation
        ? await validationOptions(validation, (stored) => again("validation", stored, options.validation))
        : {}),
    },
    { telling, validating: await validatingOf(validation), pairing: await pairingOf(start, coupling) },
  );
  expectFacts(source, record, settings);
  expectTrainingFits(settings, await runtime.limits());
  const vectors = new Map<string, FlatVector>([["parameters", parameters], ...moments]);
  if (average && ema) vectors.set("ema", average);
  if (best) vectors.set("best", best.parameters);
  const standing = { ...(validation?.standing ?? firstStanding(false)), best: best?.metrics };
  return new LocalTrainer(runtime, settings, { step, vectors, standing }).prepared(planning);
}

/** What a run began without it goes on without. */
function expectNone(part: "start" | "coupling", given: NamedOptions | undefined): void {
  if (given === undefined) return;
  throw new DataError({
    subject: `${part} to resume with`,
    given: isRecord(given) ? { name: given.name } : given,
    expected: `none: the run began ${part === "start" ? "from noise" : "with independent pairs"}`,
    remedy: `Leave ${part} out, or begin a new run from the model: createTrainer({ initial, ${part} }).`,
  });
}

/** Couplings whose function or points no file holds: not their constants, with whose file pages would load all couplings. */
const [OWN, PAIRED_WITH] = ["own", "paired-with"];

/** The coupling that the file names; one whose function or points it does not hold has to be given again. */
function resumedCoupling(stored: Coupling, given: Coupling | undefined): Coupling {
  const isSame = given ? sameNamed(stored, given) : stored.name !== OWN && stored.name !== PAIRED_WITH;
  if (isSame) return given ?? stored;
  throw new DataError({
    subject: "coupling to resume with",
    given: given ? { name: given.name, options: given.options } : "none",
    expected: `the coupling that the run began with: ${JSON.stringify({ name: stored.name, options: stored.options })}`,
    remedy:
      stored.name === PAIRED_WITH
        ? "Checkpoints do not hold points: give pairedWith() the same starts again; reflow() of the same model and options has them."
        : "Checkpoints do not hold functions: give the coupling that defineCoupling made again.",
  });
}

const sameNamed = (a: NamedOptions, b: NamedOptions) =>
  a.name === b.name && JSON.stringify(a.options) === JSON.stringify(b.options);

/** Data that may be given again, and what the file says of them. */
interface Again {
  readonly subject: string;
  readonly stored: NamedOptions;
  readonly given: DataSource | undefined;
}

/** The data given, as the run had them. */
function againOf(
  { subject, stored, given }: Again,
  { network, conditions }: ModelRecord,
  telling: Telling | undefined,
): DataSource | undefined {
  if (!given || !telling) return given;
  const source = telling.withLabels(subject, given, network.conditions ?? {});
  const own = stored.name === "array" ? (stored.options["conditions"] as ConditionFacts | undefined) : conditions;
  telling.expectSameNames(subject, source, own, "the run");
  return source;
}

async function validationOptions(
  { heldOut, source, every, patience, by }: ValidationRecord,
  again: (stored: NamedOptions) => DataSource | undefined,
): Promise<Pick<TrainerOptions, "validation" | "validateEvery" | "earlyStopping">> {
  return {
    validation: source ? await resumedData(source, again(source)) : Array.from(heldOut ?? []),
    validateEvery: every,
    earlyStopping: { by, patience: patience ?? Number.POSITIVE_INFINITY },
  };
}

/** Of what mean and deviation may differ where a version sums in another order, in deviations. */
const ROUNDING = 1e-6;

/** The run goes on with what its data say of shapes, units and names; what the file says has to be the same. */
function expectFacts(source: string, record: ModelRecord, { network, data, trainingData }: TrainerSettings): void {
  const own = sampleShape(network, data);
  const { shape = network.sample ?? [network.dimension], conditions = {} } = record;
  expectSame(`${source}, shape`, shape, own, sameShape(shape, own));
  expectUnits(source, record.standardization, trainingData.standardization);
  for (const [name, { names, standardization }] of Object.entries(conditionFacts(trainingData) ?? {})) {
    const where = `${source}, conditions, ${name}`;
    const stored = conditions[name];
    expectSame(`${where}, names`, stored?.names, names, JSON.stringify(stored?.names) === JSON.stringify(names));
    expectUnits(where, stored?.standardization, standardization);
  }
}

/** Up to rounding. */
function expectUnits(where: string, stored: Standardization | undefined, own: Standardization | undefined): void {
  const near = (a: number, b: number, scale: number) => Math.abs(a - b) <= ROUNDING * scale;
  const agree =
    stored && own
      ? own.std.every((std, i) => {
          const [mean, other] = [own.mean[i] as number, stored.mean[i] as number];
          return near(stored.std[i] as number, std, std) && near(other, mean, std + Math.abs(mean));
        })
      : stored === own;
  expectSame(`${where}, standardization`, stored, own, agree);
}

function expectSame(subject: string, stored: unknown, own: unknown, isSame: boolean): void {
  if (isSame) return;
  throw new CheckpointError({
    subject,
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
