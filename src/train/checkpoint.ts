/**
 * What a model file holds: a safetensors file with the weights under PyTorch's names and layout, and, under names that
 * begin with "divflow.", averaged parameters and optimizer state as flat vectors; the rest is JSON in the metadata.
 *
 * Vectors of the f64 reference backend are stored as F64, and its parameters once more, exact, as
 * "divflow.parameters": a run goes on bit for bit on every backend.
 *
 * Here is what writes it; read-checkpoint.ts, which pages import on demand, reads it.
 */
import type { Standardization } from "../data/standardize.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { NamedOptions } from "../graph/options.ts";
import { type Network, parameterLayout } from "../nn/network.ts";
import { toTorch } from "../nn/torch.ts";
import { VERSION } from "../version.ts";
import type { Optimizer } from "./adam.ts";
import type { Ema } from "./ema.ts";
import { type StoredTensor, type WritableDType, writeSafetensors } from "./safetensors.ts";

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
  /** What training needs to go on; undefined in a file of a model alone. */
  readonly training: TrainingRecord | undefined;
}

export interface TrainingRecord {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly data: NamedOptions;
  readonly batchSize: number;
  readonly seed: number;
  readonly ema: Ema | undefined;
  readonly maximumGradientNorm: number | undefined;
  /** The optimizer's vectors, by state name. */
  readonly moments: ReadonlyMap<string, FlatVector>;
}

/** What the names of flat vectors begin with. */
export const PREFIX = "divflow.";
/** The entry of the file's metadata that holds the JSON. */
export const METADATA = "divflow";

/** Changes when a file of the new form would be misread by an old reader. */
export const FORM = 1;

/** The bytes of a model file. */
export function writeCheckpoint(record: ModelRecord): Uint8Array {
  const { network, path, standardization, step, backend, parameters, average, training } = record;
  const tensors = new Map<string, StoredTensor<WritableDType>>();
  for (const [name, { shape, values }] of toTorch(Float32Array.from(parameters), parameterLayout(network))) {
    tensors.set(name, { dtype: "F32", shape, data: values });
  }
  const vectors = new Map<string, FlatVector>([
    ...(parameters instanceof Float64Array ? [["parameters", parameters] as const] : []),
    ...(average ? [["ema", average] as const] : []),
    ...(training?.moments ?? []),
  ]);
  for (const [name, data] of vectors) {
    tensors.set(PREFIX + name, { dtype: data instanceof Float64Array ? "F64" : "F32", shape: [data.length], data });
  }
  const metadata = {
    form: FORM,
    version: VERSION,
    network: { kind: network.kind, config: network.config },
    path: named(path),
    standardization: standardization ?? null,
    step,
    backend,
    vectors: [...vectors.keys()],
    training: training
      ? {
          loss: named(training.loss),
          optimizer: named(training.optimizer),
          data: named(training.data),
          batchSize: training.batchSize,
          seed: training.seed,
          ema: training.ema ?? null,
          maximumGradientNorm: training.maximumGradientNorm ?? null,
        }
      : null,
  };
  // "format" is what PyTorch's own writers put there; some readers ask for it.
  return writeSafetensors({ tensors, metadata: { format: "pt", [METADATA]: JSON.stringify(metadata) } });
}

function named({ name, options }: NamedOptions): NamedOptions {
  return { name, options };
}
