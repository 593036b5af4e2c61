/** The two models: how each is made, trained in turns, given another weight, kept and brought back. */
import {
  adam,
  cfm,
  classes,
  condOT,
  createTrainer,
  fdm,
  load,
  type Model,
  mlp,
  product,
  type Runtime,
  resume,
  staircase,
  type Trainer,
  warmUp,
} from "divflow";
import type { Settings, Side } from "../messages.ts";
import type { Learned } from "./data.ts";

export const BATCH_SIZE = 512;
const LEARNING_RATE = 5e-3;
/** It falls slowly and without end, as the end is the visitor's choice: by half in 7,000 steps. */
const FALL = { factor: 0.999, every: 10 };
const WARM_UP_STEPS = 100;
/** How often a network that is told classes is not told one: what it then knows is what guidance goes away from. */
const UNTOLD = 0.15;

/** One of the two. A pinned one has no trainer. */
export interface Entrant {
  readonly trainer: Trainer | undefined;
  readonly model: Model;
  /** Of its divergence loss. */
  readonly weight: number;
  /** Steps before this trainer was made, of one whose weight was changed on the way. */
  readonly before: number;
  /** How often its weight was changed. */
  readonly changes: number;
  /** Of its training. */
  seconds: number;
  /** What it is called, of one that is pinned. */
  readonly pinned: string | undefined;
}

/** An entrant as it is kept on the host. */
export interface KeptEntrant extends Pick<Entrant, "weight" | "before" | "changes" | "seconds" | "pinned"> {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export const stepOf = ({ model, trainer, before }: Entrant): number => before + (trainer ? trainer.step : model.step);

/** "CFM", or "FDM 0.3". */
export const titleOf = (weight: number): string => (weight === 0 ? "CFM" : `FDM ${weight}`);

export async function newEntrant(runtime: Runtime, learned: Learned, settings: Settings, side: Side): Promise<Entrant> {
  const weight = settings.weights[side];
  const trainer = await createTrainer(runtime, optionsOf(learned, settings, { weight, before: 0, changes: 0 }));
  return { trainer, model: trainer.model, weight, ...{ before: 0, changes: 0, seconds: 0, pinned: undefined } };
}

/**
 * The same network with another weight from here on. Its optimizer's averages begin anew, and so do the batches, of another seed;
 * what was learned stays.
 */
export async function reweighed(
  runtime: Runtime,
  learned: Learned,
  settings: Settings,
  entrant: Entrant,
  weight: number,
): Promise<Entrant> {
  const next = { weight, before: stepOf(entrant), changes: entrant.changes + 1 };
  const trainer = await createTrainer(runtime, {
    ...optionsOf(learned, settings, next),
    initial: { from: entrant.model, ema: false },
  });
  entrant.trainer?.dispose();
  return { trainer, model: trainer.model, ...next, seconds: entrant.seconds, pinned: undefined };
}

function optionsOf(
  { source }: Learned,
  { width, layers, seed, batchSize = BATCH_SIZE }: Settings,
  { weight, before, changes }: Pick<Entrant, "weight" | "before" | "changes">,
) {
  const fallen = LEARNING_RATE * FALL.factor ** (before / FALL.every);
  const count = source.conditions?.["label"]?.classes;
  const conditions = count === undefined ? {} : { conditions: { label: classes(count, { drop: UNTOLD }) } };
  const hidden = Array.from({ length: layers }, () => width);
  return {
    network: mlp({ dimension: 2, hidden, activation: "silu", ...conditions }),
    path: condOT(),
    loss: weight === 0 ? cfm() : fdm({ divergence: weight, form: "slice", detachVelocity: true }),
    optimizer: adam({ learningRate: product(fallen, warmUp({ steps: WARM_UP_STEPS }), staircase(FALL)) }),
    data: source,
    batchSize,
    seed: seed + 1_000_003 * changes,
  } as const;
}

export async function kept(entrant: Entrant): Promise<KeptEntrant> {
  const { weight, before, changes, seconds, pinned } = entrant;
  const bytes = Uint8Array.from(await (entrant.trainer ?? entrant.model).checkpoint());
  return { weight, before, changes, seconds, pinned, bytes };
}

export async function restored(runtime: Runtime, learned: Learned, { bytes, ...facts }: KeptEntrant): Promise<Entrant> {
  if (facts.pinned !== undefined) return { ...facts, trainer: undefined, model: await load(runtime, bytes) };
  const isOwn = learned.source.name === "array";
  const trainer = await resume(runtime, bytes, isOwn ? { data: learned.source } : {});
  return { ...facts, trainer, model: trainer.model };
}

/** The same network with the settings' batches from here on, as of another weight. */
export async function rebatched(
  runtime: Runtime,
  learned: Learned,
  settings: Settings,
  entrant: KeptEntrant,
): Promise<Entrant> {
  if (entrant.pinned !== undefined) return restored(runtime, learned, entrant);
  const { bytes, ...facts } = entrant;
  using model = await load(runtime, bytes);
  return await reweighed(runtime, learned, settings, { ...facts, trainer: undefined, model }, facts.weight);
}

/** The same, never to be trained again. */
export async function pinnedOf(runtime: Runtime, entrant: KeptEntrant, title: string): Promise<Entrant> {
  const model = await load(runtime, entrant.bytes);
  const { bytes: _, ...facts } = entrant;
  return { ...facts, trainer: undefined, model, pinned: title };
}
