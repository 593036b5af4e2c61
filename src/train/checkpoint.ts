/**
 * What a model file holds: a safetensors file with the weights under PyTorch's names and layout, and, under names that
 * begin with "divflow.", averaged and best parameters and optimizer state as flat vectors; the rest is JSON in the metadata.
 *
 * Vectors of the f64 reference backend are stored as F64, and its parameters once more, exact, as
 * "divflow.parameters": a run goes on bit for bit on every backend.
 *
 * Here is what writes it; read-checkpoint.ts, which pages import on demand, reads it.
 */
import { fingerprint } from "../data/fingerprint.ts";
import type { DataCondition } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { type Shape, sameShape } from "../graph/node.ts";
import type { NamedOptions } from "../graph/options.ts";
import { type ConditionDeclarations, type Network, parameterLayout } from "../nn/network.ts";
import { toTorch } from "../nn/torch.ts";
import { VERSION } from "../version.ts";
import type { Optimizer } from "./adam.ts";
import type { Ema } from "./ema.ts";
import { type StoredTensor, type WritableDType, writeSafetensors } from "./safetensors.ts";
import type { ValidationCriterion, ValidationMetrics, ValidationStanding } from "./validation.ts";

/** A flat vector [N], laid out by the network's parameterLayout; f64 where the reference backend made it. */
export type FlatVector = Float32Array | Float64Array;

/** A model as it is kept: enough to sample and to judge. */
export interface ModelRecord {
  readonly network: Network;
  readonly path: PathScheduler;
  /** Of the data it was trained on; undefined: none. */
  readonly standardization: Standardization | undefined;
  readonly step: number;
  /** The backend that trained it. */
  readonly backend: string;
  readonly parameters: FlatVector;
  readonly average: FlatVector | undefined;
  /** The best parameters of a run with validation. */
  readonly best?: BestRecord | undefined;
  /** Names of the data's coordinates. */
  readonly columns?: readonly string[] | undefined;
  /** What a sample is; left out: what the network takes it for. */
  readonly shape?: Shape | undefined;
  /** Names and units of what it is told. */
  readonly conditions?: ConditionFacts | undefined;
  /** What it samples from at t = 0; left out: noise. */
  readonly start?: NamedOptions | undefined;
  /** How starts were paired with data in training; left out: they were not, and what asks for a score may. */
  readonly coupling?: Coupling | undefined;
  /** What training needs to go on; undefined in a file of a model alone. */
  readonly training: TrainingRecord | undefined;
}

/** What is known of conditions beside what the network declares, by name. */
export type ConditionFacts = Readonly<Record<string, Pick<DataCondition, "names" | "standardization">>>;

export interface BestRecord {
  readonly metrics: ValidationMetrics;
  readonly parameters: FlatVector;
}

/** What is held out of training, and what came of it so far; what was best is the model's. */
export interface ValidationRecord {
  /** Numbers of the data's rows; undefined where another source is validated on. */
  readonly heldOut: Uint32Array | undefined;
  /** That source. */
  readonly source: NamedOptions | undefined;
  readonly every: number;
  readonly patience: number | undefined;
  readonly by: ValidationCriterion;
  readonly standing: Omit<ValidationStanding, "best">;
}

export interface TrainingRecord {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly data: NamedOptions;
  readonly batchSize: number;
  readonly seed: number;
  readonly ema: Ema | undefined;
  readonly maximumGradientNorm: number | undefined;
  /** Standard deviation of noise upon the data, in standardised units; 0: none. */
  readonly jitter: number;
  readonly validation: ValidationRecord | undefined;
  /** The optimizer's vectors, by state name. */
  readonly moments: ReadonlyMap<string, FlatVector>;
}

/** What the names of flat vectors begin with. */
export const PREFIX = "divflow.";
/** The entry of the file's metadata that holds the JSON. */
export const METADATA = "divflow";

/** The entry that holds the JSON's {@link checksum}: a digit that a disk or a copy changes may well be another digit. */
export const CHECKSUM = `${PREFIX}checksum`;

/** What tells whether a text is still as it was written. */
export const checksum = (text: string): string =>
  fingerprint(Float64Array.from(text, (character) => character.codePointAt(0) as number));

/** The tensor of the numbers of the rows held out, u32. */
export const HELD_OUT = `${PREFIX}heldOut`;

/** Changes when a file of the new form would be misread by an old reader. */
export const FORM = 1;

/** The bytes of a model file. */
export function writeCheckpoint(record: ModelRecord): Uint8Array {
  const { network, path, standardization, step, backend, parameters, average, best, training } = record;
  const { columns, shape, conditions, start, coupling } = record;
  const tensors = new Map<string, StoredTensor<WritableDType>>();
  for (const [name, { shape, values }] of toTorch(Float32Array.from(parameters), parameterLayout(network))) {
    tensors.set(name, { dtype: "F32", shape, data: values });
  }
  const vectors = new Map<string, FlatVector>([
    ...(parameters instanceof Float64Array ? [["parameters", parameters] as const] : []),
    ...(average ? [["ema", average] as const] : []),
    ...(best ? [["best", best.parameters] as const] : []),
    ...(training?.moments ?? []),
  ]);
  for (const [name, data] of vectors) {
    tensors.set(PREFIX + name, { dtype: data instanceof Float64Array ? "F64" : "F32", shape: [data.length], data });
  }
  const heldOut = training?.validation?.heldOut;
  if (heldOut) tensors.set(HELD_OUT, { dtype: "U32", shape: [heldOut.length], data: heldOut });
  const metadata = {
    form: FORM,
    version: VERSION,
    network: { kind: network.kind, config: network.config },
    path: named(path),
    standardization: standardization ?? null,
    step,
    backend,
    vectors: [...vectors.keys()],
    ...(best ? { best: best.metrics } : {}),
    ...(columns ? { columns } : {}),
    ...(start ? { start: named(start) } : {}),
    ...(coupling ? { coupling: named(coupling) } : {}),
    ...(shape && !sameShape(shape, network.sample ?? [network.dimension]) ? { shape } : {}),
    ...(network.conditions ? { conditions: factsOfAll(network.conditions, conditions) } : {}),
    training: training
      ? {
          loss: named(training.loss),
          optimizer: named(training.optimizer),
          data: named(training.data),
          batchSize: training.batchSize,
          seed: training.seed,
          ema: training.ema ?? null,
          maximumGradientNorm: training.maximumGradientNorm ?? null,
          ...(training.jitter > 0 ? { jitter: training.jitter } : {}),
          ...(training.validation ? { validation: validationFacts(training.validation) } : {}),
        }
      : null,
  };
  // "format" is what PyTorch's own writers put there; some readers ask for it.
  const json = JSON.stringify(metadata);
  return writeSafetensors({ tensors, metadata: { format: "pt", [METADATA]: json, [CHECKSUM]: checksum(json) } });
}

/** An entry for each condition, also where nothing is known of it but what the network says. */
function factsOfAll(declared: ConditionDeclarations, known: ConditionFacts = {}): ConditionFacts {
  return Object.fromEntries(Object.keys(declared).map((name) => [name, known[name] ?? {}]));
}

function validationFacts({ heldOut, source, every, patience, by, standing }: ValidationRecord) {
  const { validated, waited, stopped } = standing;
  return {
    ...(heldOut ? { heldOut: heldOut.length } : {}),
    ...(source ? { source: named(source) } : {}),
    ...{ every, patience: patience ?? null, by, validated, waited, stopped },
  };
}

function named({ name, options }: NamedOptions): NamedOptions {
  return { name, options };
}
