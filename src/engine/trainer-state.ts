/** The state of a training run on the host: at its start, in a snapshot, in a checkpoint. */

import type { DataSource } from "../data/source.ts";
import { seedOf } from "../ops/threefry.ts";
import type { FlatVector, ModelRecord } from "../train/checkpoint.ts";
import { conditionFacts, sampleShape } from "../train/told.ts";
import { firstStanding, type ValidationStanding } from "../train/validation.ts";
import type { TrainerSettings } from "./trainer-settings.ts";

/** What changes from step to step; all the rest follows from the options. */
export interface Snapshot {
  readonly step: number;
  /** Flat vectors by state name: "parameters", "ema", "best", the optimizer's moments. */
  readonly vectors: ReadonlyMap<string, FlatVector>;
  readonly standing: ValidationStanding;
}

/** Whether a state is the one after so many steps and this validation. */
export function isAt(
  state: Pick<Snapshot, "step" | "standing">,
  step: number,
  { validated }: ValidationStanding,
): boolean {
  return state.step === step && state.standing.validated === validated;
}

/** Names of the vectors of a run; "best" is one once there was a validation. */
export function vectorNames({ optimizer, ema }: TrainerSettings, { best }: ValidationStanding): string[] {
  return ["parameters", ...optimizer.moments, ...(ema ? ["ema"] : []), ...(best ? ["best"] : [])];
}

/**
 * Before the first step: the average equal to the parameters, moments zero.
 *
 * @param isModel - whether the parameters are a model's, which are then validated too, and not drawn.
 */
export function initialSnapshot(
  { optimizer, ema }: Pick<TrainerSettings, "optimizer" | "ema">,
  parameters: FlatVector,
  isModel: boolean,
): Snapshot {
  const vectors = new Map<string, FlatVector>([["parameters", parameters]]);
  for (const name of optimizer.moments) vectors.set(name, new Float32Array(parameters.length));
  if (ema) vectors.set("ema", parameters);
  return { step: 0, vectors, standing: firstStanding(isModel) };
}

/** What never changes during a run, by state name: the seed, and the data's own state. */
export function constantState(seed: number, data: DataSource): Map<string, Float32Array | Uint32Array> {
  return new Map<string, Float32Array | Uint32Array>([["seed", Uint32Array.from(seedOf(seed))], ...(data.state ?? [])]);
}

/** A run as a file holds it. */
export function recordOf(
  settings: TrainerSettings,
  { step, vectors, standing }: Snapshot,
  backend: string,
): ModelRecord {
  const { network, path, data, trainingData, loss, optimizer, batchSize, seed, ema, maximumGradientNorm } = settings;
  const { best, ...rest } = standing;
  const { validation, jitter, paired } = settings;
  const take = (name: string) => vectors.get(name) as FlatVector;
  return {
    ...{ network, path, step, backend },
    standardization: trainingData.standardization,
    columns: data.columns,
    shape: sampleShape(network, data),
    conditions: conditionFacts(trainingData),
    start: paired?.start,
    coupling: paired?.coupling,
    parameters: take("parameters"),
    average: vectors.get("ema"),
    best: best && { metrics: best, parameters: take("best") },
    training: {
      ...{ loss, optimizer, data, batchSize, seed, ema, maximumGradientNorm, jitter },
      validation: validation && {
        heldOut: validation.rows?.heldOut,
        source: validation.rows ? undefined : validation.source,
        every: validation.every,
        patience: validation.patience,
        by: validation.by,
        standing: rest,
      },
      moments: new Map(optimizer.moments.map((name) => [name, take(name)])),
    },
  };
}
