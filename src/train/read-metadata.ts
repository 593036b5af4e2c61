/**
 * The JSON in a model file's metadata, whose form checkpoint.ts describes: each field is checked, none is made up. What is
 * missing, unknown, written twice or out of range is a CheckpointError, and so is any other change since it was written.
 */
import { onDemand } from "../backends/on-demand.ts";
import { LARGEST_JITTER } from "../data/jitter.ts";
import { dataFrom, dataNames } from "../data/registry.ts";
import { parseStandardization } from "../data/standardize.ts";
import { CheckpointError, DivflowError } from "../errors.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import {
  booleanOption,
  choiceOption,
  f32Option,
  GRAPH,
  integerOption,
  isDeeper,
  isRecord,
  LARGEST_BATCH,
  LAST_STEP,
  type NamedOptions,
  numberOption,
} from "../graph/options.ts";
import type { Network } from "../nn/network.ts";
import { networkFromConfig } from "../nn/registry.ts";
import { optimizerFrom } from "./adam.ts";
import { checksum, FORM, type ModelRecord, type TrainingRecord, type ValidationRecord } from "./checkpoint.ts";
import { duplicateKey } from "./duplicate-key.ts";
import { ema } from "./ema.ts";
import { DAMAGED, fieldsOf, namedOf, namesOf, textOf } from "./model-fields.ts";
import { dimensionOf, lossOf, pathOf } from "./parts.ts";
import { parseConditions, parseDataConditions, parseShape } from "./read-conditions.ts";
import { damage } from "./safetensors.ts";
import { type ValidationMetrics, validationCriteria } from "./validation.ts";

export type Facts = Pick<
  ModelRecord,
  | "network"
  | "path"
  | "standardization"
  | "step"
  | "backend"
  | "columns"
  | "shape"
  | "conditions"
  | "start"
  | "coupling"
> & {
  readonly training: TrainingFacts | undefined;
  readonly best: ValidationMetrics | undefined;
  /** Names of the vectors in the file, without their prefix. */
  readonly vectors: readonly string[];
};

/** What the metadata say of a run; its tensors are read apart. */
export type TrainingFacts = Omit<TrainingRecord, "moments" | "validation"> & {
  readonly validation: (Omit<ValidationRecord, "heldOut"> & { readonly heldOut: number | undefined }) | undefined;
};

/** Deeper than any options are: what reads them calls itself. */
const DEEPEST = 256;

/**
 * @param sum - the {@link checksum} that was written beside it; undefined in files of version 0.1.0.
 * @param known - taken where the file names this network, so that no code for its kind is needed.
 */
export async function parseMetadata(
  json: string,
  sum: string | undefined,
  source: string,
  known?: Network,
): Promise<Facts> {
  const subject = `${source}, metadata`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw damage(subject, json, "JSON", DAMAGED, cause);
  }
  if (!isRecord(parsed)) throw damage(subject, json, "a JSON object", DAMAGED);
  if (isDeeper(parsed, DEEPEST)) throw damage(subject, json, `brackets at most ${DEEPEST} deep`, DAMAGED);
  const twice = duplicateKey(json);
  if (twice !== undefined) throw damage(subject, `"${twice}" twice`, "each name once", DAMAGED);
  if (parsed["form"] !== FORM) {
    throw damage(`${subject}, form`, parsed["form"] ?? "none", String(FORM), "Another version of divflow wrote it.");
  }
  let facts: Facts;
  try {
    facts = await parseFacts(subject, parsed, known);
  } catch (error) {
    if (!(error instanceof DivflowError) || error instanceof CheckpointError) throw error;
    const { subject: option, given, expected } = error.facts;
    throw damage(`${subject}, ${option}`, given, expected, DAMAGED, error);
  }
  if (sum !== undefined && sum !== checksum(json)) {
    const remedy = `${DAMAGED} Where the change is meant, take "divflow.checksum" out of the metadata.`;
    throw damage(subject, `text of checksum ${checksum(json)}`, `${sum}, as it was written`, remedy);
  }
  return facts;
}

async function parseFacts(subject: string, given: unknown, known: Network | undefined): Promise<Facts> {
  const fields = fieldsOf(
    subject,
    given,
    ["form", "version", "network", "path", "standardization", "step", "backend", "vectors", "training"],
    ["best", "columns", "shape", "conditions", "start", "coupling"],
  );
  const { kind, config } = fieldsOf(`${subject}, network`, fields["network"], ["kind", "config"]);
  const network = isNetwork(known, kind, config) ? known : await networkFromConfig(kind as string, config);
  expectAll(`${subject}, network`, config, network.config);
  const { dimension } = network;
  textOf(`${subject}, version`, fields["version"]);
  const step = integerOption("step", fields["step"], 0, LAST_STEP);
  const best = fields["best"] === undefined ? undefined : parseBest(`${subject}, best`, fields["best"], step);
  const standardization = fields["standardization"] === null ? undefined : fields["standardization"];
  if (standardization !== undefined) fieldsOf(`${subject}, standardization`, standardization, ["mean", "std"]);
  const training =
    fields["training"] === null ? undefined : await parseTraining(subject, fields["training"], dimension);
  if (
    training?.data.name === "array" &&
    (training.data.options["standardize"] !== false) !== (standardization !== undefined)
  ) {
    throw damage(`${subject}, standardization`, fields["standardization"], "one where the data have one", DAMAGED);
  }
  return {
    network,
    path: await madeOf(`${subject}, path`, fields["path"], pathOf),
    standardization: standardization && parseStandardization(standardization, dimension, "standardization"),
    step,
    backend: textOf(`${subject}, backend`, fields["backend"]),
    training,
    vectors: parseVectors(`${subject}, vectors`, fields["vectors"], best, training),
    best,
    columns: fields["columns"] === undefined ? undefined : namesOf(`${subject}, columns`, fields["columns"], dimension),
    shape: fields["shape"] === undefined ? undefined : parseShape(`${subject}, shape`, fields["shape"], dimension),
    conditions: parseConditions(`${subject}, conditions`, fields["conditions"], network),
    ...(fields["start"] === undefined
      ? {}
      : { start: await parseData(`${subject}, start`, fields["start"], dimension) }),
    ...(fields["coupling"] === undefined
      ? {}
      : { coupling: await madeOf(`${subject}, coupling`, fields["coupling"], couplingOf) }),
  };
}

async function parseTraining(subject: string, given: unknown, dimension: number): Promise<TrainingFacts> {
  const fields = fieldsOf(
    `${subject}, training`,
    given,
    ["loss", "optimizer", "data", "batchSize", "seed", "ema", "maximumGradientNorm"],
    ["jitter", "validation"],
  );
  const { ema: average, maximumGradientNorm, jitter = 0 } = fields;
  const data = await parseData(`${subject}, data`, fields["data"], dimension);
  f32Option("jitter", jitter, { minimum: 0, maximum: data.name === "array" ? LARGEST_JITTER : 0 });
  return {
    loss: await madeOf(`${subject}, loss`, fields["loss"], lossOf),
    optimizer: await madeOf(`${subject}, optimizer`, fields["optimizer"], optimizerFrom),
    data,
    batchSize: integerOption("batchSize", fields["batchSize"], 1, LARGEST_BATCH),
    seed: integerOption("seed", fields["seed"], 0),
    ema: average === null ? undefined : ema(average as { decay: number }),
    maximumGradientNorm:
      maximumGradientNorm === null
        ? undefined
        : f32Option("maximumGradientNorm", maximumGradientNorm, { minimum: 0, open: "minimum" }),
    jitter: jitter as number,
    validation:
      fields["validation"] === undefined
        ? undefined
        : await parseValidation(`${subject}, validation`, fields["validation"], data, dimension),
  };
}

/** A source by name is made once, to see that it can be; of a user's own points there are but count and fingerprint. */
async function parseData(subject: string, given: unknown, dimension: number): Promise<NamedOptions> {
  const named = namedOf(subject, given);
  let own: unknown = dimension; // of a source that only its owner knows
  if (dataNames.includes(named.name)) own = (await madeOf(subject, given, dataFrom)).dimension;
  if (named.name === GRAPH) own = await dimensionOf(named);
  if (named.name === "array") {
    const required = ["count", "dimension", "standardize", "fingerprint"];
    const fields = fieldsOf(subject, named.options, required, ["shape", "conditions"]);
    integerOption("count of data", fields["count"]);
    const { standardize } = fields;
    if (isRecord(standardize)) parseUnits(`${subject}, standardize`, standardize, dimension);
    else choiceOption("standardize of data", standardize, [true, false, "channel"]);
    textOf(`${subject}, fingerprint`, fields["fingerprint"]);
    own = fields["dimension"];
    if (fields["shape"] !== undefined) parseShape(`${subject}, shape`, fields["shape"], dimension);
    if (fields["conditions"] !== undefined) parseDataConditions(`${subject}, conditions`, fields["conditions"]);
  }
  if (own !== dimension) throw damage(`${subject}, dimension`, own, `${dimension}, the network's`, DAMAGED);
  return named;
}

/** Units that were not fitted to the points. */
function parseUnits(subject: string, given: Readonly<Record<string, unknown>>, dimension: number): void {
  const { points, conditions } = fieldsOf(subject, given, ["points", "conditions"]);
  parseStandardization(points, dimension, "points");
  if (!isRecord(conditions)) throw damage(`${subject}, conditions`, conditions, "units by name", DAMAGED);
}

/** The coupling of this name; of one whose function or points no file holds, what the file says. */
async function couplingOf(named: NamedOptions): Promise<Coupling> {
  const { couplingFrom, OWN, PAIRED_WITH } = await onDemand(import("../flow/couplings/registry.ts"));
  if (named.name !== PAIRED_WITH) return named.name === OWN ? named : couplingFrom(named);
  const { count, dimension, fingerprint } = fieldsOf(named.name, named.options, ["count", "dimension", "fingerprint"]);
  integerOption("count", count);
  integerOption("dimension", dimension);
  textOf("fingerprint", fingerprint);
  return { ...named, seesConditions: true };
}

async function parseValidation(
  subject: string,
  given: unknown,
  data: NamedOptions,
  dimension: number,
): Promise<TrainingFacts["validation"]> {
  const fields = fieldsOf(
    subject,
    given,
    ["every", "patience", "by", "validated", "waited", "stopped"],
    ["heldOut", "source"],
  );
  const { heldOut, source, every, patience, by, validated, waited, stopped } = fields;
  const ofRows = data.name === "array" && source === undefined;
  if ((heldOut !== undefined) !== ofRows) {
    throw damage(`${subject}, heldOut`, heldOut ?? "nothing", "either rows of the data held out, or a source", DAMAGED);
  }
  return {
    heldOut: ofRows ? integerOption("heldOut", heldOut, 1, (data.options["count"] as number) - 1) : undefined,
    source: ofRows ? undefined : await parseData(`${subject}, source`, source, dimension),
    every: integerOption("every", every),
    patience: patience === null ? undefined : integerOption("patience", patience),
    by: choiceOption("by", by as (typeof validationCriteria)[number], validationCriteria),
    standing: {
      validated: integerOption("validated", validated, -1, LAST_STEP),
      waited: integerOption("waited", waited, 0),
      stopped: booleanOption("stopped", stopped),
    },
  };
}

function parseBest(subject: string, given: unknown, last: number): ValidationMetrics {
  const fields = fieldsOf(
    subject,
    given,
    ["step", "velocityLoss", "divergenceLoss", "best"],
    ["negativeLogLikelihood", "standardError"],
  );
  const number = (name: string) => ({ [name]: numberOption(name, fields[name]) });
  choiceOption("best", fields["best"], [true]);
  return {
    step: integerOption("step of best", fields["step"], 0, last),
    ...(number("velocityLoss") as { velocityLoss: number }),
    ...(number("divergenceLoss") as { divergenceLoss: number }),
    ...(fields["negativeLogLikelihood"] === undefined ? {} : number("negativeLogLikelihood")),
    ...(fields["standardError"] === undefined ? {} : number("standardError")),
    best: true,
  };
}

/** Whether it is of this kind and configuration. */
export function isNetwork(known: Network | undefined, kind: unknown, config: unknown): known is Network {
  return known?.kind === kind && JSON.stringify(known?.config) === JSON.stringify(config);
}

/** Names of the vectors: those that the rest of the file speaks of, and no others. */
function parseVectors(
  subject: string,
  given: unknown,
  best: ValidationMetrics | undefined,
  training: TrainingFacts | undefined,
): string[] {
  const names = namesOf(subject, given);
  const needed = [
    ...(best ? ["best"] : []),
    ...(training ? [...training.optimizer.moments, ...(training.ema ? ["ema"] : [])] : []),
  ];
  const free = ["parameters", ...(training ? [] : ["ema"])]; // a model may have either
  const wrong =
    names.find((name, i) => !(needed.includes(name) || free.includes(name)) || names.indexOf(name) !== i) ??
    needed.find((name) => !names.includes(name));
  if (wrong === undefined) return names;
  throw damage(subject, names, `${[...free.map((name) => `${name} or not`), ...needed].join(", ")}`, DAMAGED);
}

/** What an entry of a registry makes of a name and options that leave nothing to a default. */
async function madeOf<Made extends NamedOptions>(
  subject: string,
  given: unknown,
  make: (named: NamedOptions) => Made | Promise<Made>,
): Promise<Made> {
  const named = namedOf(subject, given);
  const made = await make(named);
  expectAll(subject, named.options, made.options);
  return made;
}

/** Refuses what was left out of `given`, or is there and was not asked for: at any depth it has the fields of `made`. */
function expectAll(subject: string, given: unknown, made: unknown): void {
  const [own, whole] = [given, made].map((value) => new Map(Object.entries(Object(value) as object))) as [
    Map<string, unknown>,
    Map<string, unknown>,
  ];
  for (const [key, value] of whole) {
    if (value !== undefined && !own.has(key)) throw damage(`${subject}, ${key}`, "nothing", "a value", DAMAGED);
    if (typeof value === "object" && value !== null) expectAll(`${subject}, ${key}`, own.get(key), value);
  }
  for (const key of own.keys()) {
    if (!whole.has(key)) throw damage(subject, key, `fields among ${[...whole.keys()].join(", ")}`, DAMAGED);
  }
}
