/** The state of a training run on the host: at its start, in a snapshot, in a checkpoint. */
import type { DataSource } from "../data/source.ts";
import { initialParameters } from "../nn/initialize.ts";
import type { Network } from "../nn/network.ts";
import { seedOf } from "../ops/threefry.ts";
import type { Optimizer } from "../train/adam.ts";
import type { FlatVector } from "../train/checkpoint.ts";
import type { Ema } from "../train/ema.ts";

/** What changes from step to step; all the rest follows from the options. */
export interface Snapshot {
  readonly step: number;
  /** Flat vectors by state name: "parameters", "ema", the optimizer's moments. */
  readonly vectors: ReadonlyMap<string, FlatVector>;
}

/** Names of the vectors of a run. */
export function vectorNames(optimizer: Optimizer, ema: Ema | undefined): string[] {
  return ["parameters", ...optimizer.moments, ...(ema ? ["ema"] : [])];
}

/** Before the first step: parameters drawn from the seed, the average equal to them, moments zero. */
export function initialSnapshot(network: Network, optimizer: Optimizer, ema: Ema | undefined, seed: number): Snapshot {
  const parameters = initialParameters(network, seed);
  const vectors = new Map<string, FlatVector>([["parameters", parameters]]);
  for (const name of optimizer.moments) vectors.set(name, new Float32Array(parameters.length));
  if (ema) vectors.set("ema", parameters);
  return { step: 0, vectors };
}

/** What never changes during a run, by state name: the seed, and the data's own state. */
export function constantState(seed: number, data: DataSource): Map<string, Float32Array | Uint32Array> {
  return new Map<string, Float32Array | Uint32Array>([["seed", Uint32Array.from(seedOf(seed))], ...(data.state ?? [])]);
}
