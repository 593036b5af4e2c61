/** Reading model files, whose form checkpoint.ts describes, and PyTorch's. What a file says is checked field by field. */
import { parseStandardization } from "../data/standardize.ts";
import { CheckpointError, ConfigError, DataError, type DivflowError } from "../errors.ts";
import { lossFrom } from "../flow/losses/registry.ts";
import { condOT } from "../flow/paths/cond-ot.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { pathFrom } from "../flow/paths/registry.ts";
import {
  booleanOption,
  choiceOption,
  integerOption,
  isRecord,
  type NamedOptions,
  numberOption,
} from "../graph/options.ts";
import { type Network, parameterLayout } from "../nn/network.ts";
import { networkFromConfig } from "../nn/registry.ts";
import { fromTorch, torchShape } from "../nn/torch.ts";
import { optimizerFrom } from "./adam.ts";
import {
  type FlatVector,
  FORM,
  HELD_OUT,
  METADATA,
  type ModelRecord,
  PREFIX,
  type TrainingRecord,
  type ValidationRecord,
} from "./checkpoint.ts";
import { ema } from "./ema.ts";
import { type ExpectedTensor, expectFinite, expectTensors } from "./expect-tensors.ts";
import { inferNetwork, layerTensors } from "./infer-network.ts";
import { readSafetensors } from "./read-safetensors.ts";
import { damage, type StoredTensor, type TensorFile } from "./safetensors.ts";
import { type ValidationMetrics, validationCriteria } from "./validation.ts";

const DAMAGED = "The file is damaged, or was changed by another program; save it again.";

export interface ReadOptions {
  /** The file's name, for messages. */
  readonly source?: string;
  /** For files without divflow's metadata: what cannot be read off the weights. */
  readonly activation?: string | undefined;
  readonly path?: PathScheduler | undefined;
}

/**
 * The model in the bytes of a safetensors file, divflow's own or PyTorch's.
 *
 * @throws {@link CheckpointError} when the file is damaged, or its tensors do not fit the network it names.
 * @throws {@link ConfigError} when a file of weights alone comes without the activation.
 */
export function readCheckpoint(bytes: Uint8Array, options: ReadOptions = {}): ModelRecord {
  const { source = "model file" } = options;
  const file = readSafetensors(bytes, source);
  const json = file.metadata[METADATA];
  if (json !== undefined) {
    const facts = parseFacts(json, source);
    refuseOthers(options, facts, source);
    const { vectors, best, ...rest } = facts;
    return { ...rest, ...takeTensors(facts, file, source) };
  }
  const { prefix, tensors } = layerTensors(file.tensors, source);
  const layers = { ...file, tensors };
  const where = prefix === "" ? source : `${source}, under "${prefix}"`;
  const network = inferNetwork(tensors, options.activation, where);
  expectTensors(layers, new Map(network.parameters.map((each) => [each.name, { shape: torchShape(each) }])), where);
  return {
    network,
    path: options.path ?? condOT(),
    standardization: undefined,
    step: 0,
    backend: "unknown",
    parameters: readWeights(layers, network, where),
    average: undefined,
    training: undefined,
  };
}

type Facts = Pick<ModelRecord, "network" | "path" | "standardization" | "step" | "backend" | "columns"> & {
  readonly training: TrainingFacts | undefined;
  readonly best: ValidationMetrics | undefined;
  /** Names of the vectors in the file, without their prefix. */
  readonly vectors: readonly string[];
};

/** What the metadata say of a run; its tensors are read apart. */
type TrainingFacts = Omit<TrainingRecord, "moments" | "validation"> & {
  readonly validation: (Omit<ValidationRecord, "heldOut"> & { readonly heldOut: number | undefined }) | undefined;
};

function parseFacts(json: string, source: string): Facts {
  const subject = `${source}, metadata`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw damage(subject, json, "JSON", DAMAGED, cause);
  }
  if (!isRecord(parsed)) throw damage(subject, json, "a JSON object", DAMAGED);
  if (parsed["form"] !== FORM) {
    throw damage(`${subject}, form`, parsed["form"] ?? "none", String(FORM), "Another version of divflow wrote it.");
  }
  const { network: networkFacts, standardization, step, backend, training, vectors } = parsed;
  try {
    if (!isRecord(networkFacts)) throw damage(`${subject}, network`, networkFacts, "{ kind, config }", DAMAGED);
    const network = networkFromConfig(networkFacts["kind"] as string, networkFacts["config"]);
    return {
      network,
      path: pathFrom(namedOf(`${subject}, path`, parsed["path"])),
      standardization:
        standardization === null ? undefined : parseStandardization(standardization, network.dimension, subject),
      step: integerOption("step", step, 0),
      backend: typeof backend === "string" ? backend : "unknown",
      training: training === null ? undefined : parseTraining(subject, training),
      vectors: parseNames(`${subject}, vectors`, vectors),
      best: parsed["best"] === undefined ? undefined : parseBest(subject, parsed["best"]),
      columns:
        parsed["columns"] === undefined
          ? undefined
          : parseNames(`${subject}, columns`, parsed["columns"], network.dimension),
    };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof DataError)) throw error;
    throw retold(error, subject);
  }
}

/** Refuses what a caller says of the network where the file says otherwise: it would be passed over. */
function refuseOthers({ activation, path }: ReadOptions, facts: Facts, source: string): void {
  const remedy = "Leave it out: it is for files that hold weights alone.";
  const own = (facts.network.config as { readonly activation?: unknown } | undefined)?.activation;
  if (activation !== undefined && activation !== own) {
    const subject = `activation of the network in ${source}`;
    throw new ConfigError({ subject, given: activation, expected: `${own}, as the file says`, remedy });
  }
  const named = ({ name, options }: NamedOptions) => JSON.stringify({ name, options });
  if (path !== undefined && named(path) !== named(facts.path)) {
    const expected = `${named(facts.path)}, as the file says`;
    throw new ConfigError({ subject: `path of ${source}`, given: named(path), expected, remedy });
  }
}

function parseTraining(subject: string, training: unknown): TrainingFacts {
  if (!isRecord(training)) throw damage(`${subject}, training`, training, "an object", DAMAGED);
  const { ema: average, maximumGradientNorm } = training;
  return {
    loss: lossFrom(namedOf(`${subject}, loss`, training["loss"])),
    optimizer: optimizerFrom(namedOf(`${subject}, optimizer`, training["optimizer"])),
    data: namedOf(`${subject}, data`, training["data"]),
    batchSize: integerOption("batchSize", training["batchSize"]),
    seed: integerOption("seed", training["seed"], 0),
    ema: average === null ? undefined : ema(average as { decay: number }),
    maximumGradientNorm:
      maximumGradientNorm === null ? undefined : numberOption("maximumGradientNorm", maximumGradientNorm),
    jitter: numberOption("jitter", training["jitter"] ?? 0, { minimum: 0 }),
    validation: training["validation"] === undefined ? undefined : parseValidation(subject, training["validation"]),
  };
}

function parseValidation(subject: string, given: unknown): TrainingFacts["validation"] {
  if (!isRecord(given)) throw damage(`${subject}, validation`, given, "an object", DAMAGED);
  const { heldOut, source, every, patience, by, validated, waited, stopped } = given;
  return {
    heldOut: heldOut === undefined ? undefined : integerOption("heldOut", heldOut),
    source: source === undefined ? undefined : namedOf(`${subject}, validation, source`, source),
    every: integerOption("every", every),
    patience: patience === null ? undefined : integerOption("patience", patience),
    by: choiceOption("by", by as (typeof validationCriteria)[number], validationCriteria),
    standing: {
      validated: integerOption("validated", validated, -1),
      waited: integerOption("waited", waited, 0),
      stopped: booleanOption("stopped", stopped),
    },
  };
}

function parseBest(subject: string, given: unknown): ValidationMetrics {
  if (!isRecord(given)) throw damage(`${subject}, best`, given, "an object", DAMAGED);
  const { step, velocityLoss, divergenceLoss, negativeLogLikelihood, standardError } = given;
  return {
    step: integerOption("step", step, 0),
    velocityLoss: numberOption("velocityLoss", velocityLoss),
    divergenceLoss: numberOption("divergenceLoss", divergenceLoss),
    ...(negativeLogLikelihood === undefined
      ? {}
      : {
          negativeLogLikelihood: numberOption("negativeLogLikelihood", negativeLogLikelihood),
          ...(standardError === undefined ? {} : { standardError: numberOption("standardError", standardError) }),
        }),
    best: true,
  };
}

function takeTensors(
  facts: Facts,
  file: TensorFile,
  source: string,
): Pick<ModelRecord, "parameters" | "average" | "best" | "training"> {
  const { network, training, vectors, best } = facts;
  const layout = parameterLayout(network);
  const names = [
    ...vectors,
    ...(training?.optimizer.moments ?? []),
    ...(training?.ema ? ["ema"] : []),
    ...(best ? ["best"] : []),
  ];
  const heldOut = training?.validation?.heldOut;
  expectTensors(
    file,
    new Map<string, ExpectedTensor>([
      ...network.parameters.map((parameter) => [parameter.name, { shape: torchShape(parameter) }] as const),
      ...names.map((name) => [PREFIX + name, { shape: [layout.total], dtypes: ["F32", "F64"] as const }] as const),
      ...(heldOut === undefined ? [] : [[HELD_OUT, { shape: [heldOut], dtypes: ["U32"] as const }] as const]),
    ]),
    source,
  );
  const take = (name: string): FlatVector => {
    const tensor = file.tensors.get(PREFIX + name) as StoredTensor;
    expectFinite(PREFIX + name, tensor, source);
    return tensor.data as FlatVector;
  };
  const weights = readWeights(file, network, source);
  const exact = vectors.includes("parameters") ? take("parameters") : undefined;
  if (exact && !exact.every((value, i) => Math.fround(value) === weights[i])) {
    throw damage(
      `${source}, tensor "${PREFIX}parameters"`,
      "other values than the weights",
      "the weights in full precision",
      "The weights were changed; load them from a file without this tensor and without divflow's metadata.",
    );
  }
  return {
    parameters: exact ?? weights,
    average: names.includes("ema") ? take("ema") : undefined,
    best: best && { metrics: best, parameters: take("best") },
    training: training && {
      ...training,
      validation: training.validation && {
        ...training.validation,
        heldOut: heldOut === undefined ? undefined : (file.tensors.get(HELD_OUT)?.data as Uint32Array),
      },
      moments: new Map(training.optimizer.moments.map((name) => [name, take(name)])),
    },
  };
}

/** The flat vector of the tensors under PyTorch's names. */
function readWeights({ tensors }: TensorFile, network: Network, source: string): Float32Array {
  const weights = new Map(
    network.parameters.flatMap(({ name }) => {
      const tensor = tensors.get(name);
      if (!tensor) return []; // fromTorch names what is missing
      expectFinite(name, tensor, source);
      return [[name, { shape: tensor.shape, values: Float32Array.from(tensor.data as FlatVector) }] as const];
    }),
  );
  return fromTorch(weights, parameterLayout(network));
}

function namedOf(subject: string, given: unknown): NamedOptions {
  if (isRecord(given) && typeof given["name"] === "string" && isRecord(given["options"])) {
    return { name: given["name"], options: given["options"] };
  }
  throw damage(subject, given ?? "none", "{ name, options }", DAMAGED);
}

function parseNames(subject: string, given: unknown, count?: number): string[] {
  const isList = Array.isArray(given) && given.every((name) => typeof name === "string");
  if (isList && (count === undefined || given.length === count)) return given;
  throw damage(subject, given ?? "none", `a list of ${count ?? ""} names`.replace("  ", " "), DAMAGED);
}

/** An error about an option, as one about the file that held it. */
function retold(error: DivflowError, subject: string): CheckpointError {
  const { facts } = error;
  return new CheckpointError(
    { subject: `${subject}, ${facts.subject}`, given: facts.given, expected: facts.expected, remedy: DAMAGED },
    { cause: error },
  );
}
