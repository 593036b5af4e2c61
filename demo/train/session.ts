/** What one `prepare` or `undo` made: both models on a runtime, trained in turns, looked at and judged. */
import { createRuntime, type Model, type Runtime } from "divflow";
import type { Look, News, Settings, Side } from "../messages.ts";
import { sides } from "../messages.ts";
import { densityBy, type Learned, learnedOf } from "./data.ts";
import { Efforts, STILL_BUDGET, TRAINING_BUDGET } from "./effort.ts";
import { factsOf } from "./facts.ts";
import { learnedFlow, untold } from "./flow.ts";
import { fieldErrors, negativeLogLikelihood, totalVariation, wassersteinOf } from "./judge.ts";
import { densityOf, framesOf, sliceOf } from "./look.ts";
import {
  type Entrant,
  type KeptEntrant,
  kept,
  newEntrant,
  pinnedOf,
  rebatched,
  restored,
  reweighed,
  stepOf,
  titleOf,
} from "./models.ts";
import { noiseOf } from "./noise.ts";
import { toldOf } from "./told.ts";

/** What a GPU that was lost has to come back, as long as a visitor waits. */
const START_SECONDS = 10;
const TRUTH_POINTS = 2048;
const MOST_PARTICLES = 2048;
/** Points of the path that fields are held against the true one at. */
const PATH_POINTS = 1024;
/** Steps of a turn are chosen so that it takes about this long: short enough to pause at once. */
const TURN_MILLISECONDS = 250;
/** Pictures and judgements are made anew after so long, and may take this share of the time. */
const PICTURES_EVERY = 900;
const JUDGED_EVERY = 2500;
const SHARE = 1 / 3;
/** Cells along a side of the grid, steps of RK4, points held out. */
const JUDGED = { cells: 48, steps: 8, points: 512 };

/** An earlier session's models: what `undo` goes back to. */
export interface Past {
  readonly settings: Settings;
  readonly entrants: Readonly<Record<Side, KeptEntrant>>;
  /** The left one that a pinned one stands in for. */
  readonly unpinned: KeptEntrant | undefined;
}

/** What a session begins with. */
export interface Opening {
  readonly past?: Past | undefined;
  /** Whether the past's models go on with other batches, those of the settings. */
  readonly isRebatched?: boolean;
  readonly pinned?: KeptEntrant | undefined;
  readonly canUndo: boolean;
}

export type Send = (news: News, transfer?: Transferable[]) => void;

export class Session {
  readonly number: number;
  settings: Settings;
  readonly learned: Learned;
  readonly extent: number;
  readonly #runtime: Runtime;
  readonly #entrants: Record<Side, Entrant>;
  readonly #whileTraining = new Efforts(TRAINING_BUDGET);
  readonly #whileStill = new Efforts(STILL_BUDGET);
  #efforts = this.#whileStill;
  readonly #noise: Float32Array;
  readonly #send: Send;
  #reason: string;
  #turnSteps = 1;
  /** When pictures and judgements were made, and how long they took. */
  #pictures = { at: 0, took: 0, due: true };
  #judged = { at: 0, took: 0, due: false };
  #unpinned: KeptEntrant | undefined;

  private constructor(
    number: number,
    made: { settings: Settings; learned: Learned; runtime: Runtime; entrants: Record<Side, Entrant>; send: Send },
  ) {
    this.number = number;
    this.settings = made.settings;
    this.learned = made.learned;
    this.#runtime = made.runtime;
    this.#entrants = made.entrants;
    this.#send = made.send;
    this.#reason = made.runtime.reason;
    this.#noise = noiseOf(MOST_PARTICLES, made.settings.seed);
    this.extent = extentOf(made.learned.sample(TRUTH_POINTS, made.settings.seed));
  }

  /** Makes both models, or brings them back, and tells the page. */
  static async open(
    number: number,
    settings: Settings,
    send: Send,
    { past, isRebatched, pinned, canUndo }: Opening,
  ): Promise<Session> {
    const learned = learnedOf(settings.data, settings);
    const { backend } = settings;
    const runtime = await createRuntime({ backend, fallback: "wasm", startSeconds: START_SECONDS });
    try {
      const make = async (side: Side): Promise<Entrant> => {
        if (past && isRebatched) return rebatched(runtime, learned, settings, past.entrants[side]);
        if (past) return restored(runtime, learned, past.entrants[side]);
        if (side === "left" && pinned) return restored(runtime, learned, pinned);
        return newEntrant(runtime, learned, settings, side);
      };
      const entrants = { left: await make("left"), right: await make("right") };
      const session = new Session(number, { settings, learned, runtime, entrants, send });
      session.#unpinned = past?.unpinned;
      const { notes, entropy, columns, classes } = learned;
      const truth = learned.sample(TRUTH_POINTS, settings.seed);
      send({
        kind: "ready",
        ...{ reason: runtime.reason, notes, entropy, canUndo, settings, extent: session.extent },
        ...(columns ? { columns } : {}),
        ...(classes ? { classes: { names: classes.names, labels: classes.labelsOf(truth) } } : {}),
        truth,
        steps: { left: stepOf(entrants.left), right: stepOf(entrants.right) },
        facts: factsOf(runtime),
        pinned: entrants.left.pinned,
        resumed: past !== undefined,
      });
      session.#judged.due = past !== undefined;
      return session;
    } catch (error) {
      runtime.dispose();
      throw error;
    }
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get isTrained(): boolean {
    return sides.some((side) => stepOf(this.#entrants[side]) > 0);
  }

  /** Whether there is more than the seed makes again: something was trained, or brought. */
  get isOwn(): boolean {
    return this.isTrained || this.#entrants.left.pinned !== undefined;
  }

  /** An equal number of steps of each model, in turn; at most `most`. Gives how many. */
  async turn(most: number): Promise<number> {
    const start = performance.now();
    const count = Math.min(most, this.#turnSteps);
    for (const side of sides) await this.#train(side, count);
    this.#sayWhereItRuns();
    const milliseconds = performance.now() - start;
    if (count === this.#turnSteps) {
      this.#turnSteps = Math.max(1, Math.round(count * Math.min(4, TURN_MILLISECONDS / milliseconds)));
    }
    this.#pictures.due = true;
    this.#judged.due = true;
    return count;
  }

  async #train(side: Side, count: number): Promise<void> {
    const entrant = this.#entrants[side];
    if (!entrant.trainer) return;
    const start = performance.now();
    for await (const { steps } of entrant.trainer.run({ steps: count, progressEvery: count })) {
      const velocityLoss = steps.reduce((sum, { velocityLoss: one }) => sum + one, 0) / steps.length;
      const milliseconds = performance.now() - start;
      entrant.seconds += milliseconds / 1000;
      this.#send({
        kind: "losses",
        ...{ side, step: stepOf(entrant), velocityLoss, seconds: entrant.seconds },
        millisecondsPerStep: milliseconds / count,
      });
    }
  }

  /** After a loss the runtime is on another device, or on WebAssembly. */
  #sayWhereItRuns(): void {
    const { reason } = this.#runtime;
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#send({ kind: "moved", reason });
  }

  wantsPictures(isTraining: boolean): boolean {
    return isDue(this.#pictures, isTraining ? PICTURES_EVERY : 0);
  }

  wantsJudging(isTraining: boolean): boolean {
    return isDue(this.#judged, isTraining ? JUDGED_EVERY : 0);
  }

  /** Shows both from the same noise, again while the device turns out to have time for finer pictures. */
  async pictures(look: Look, isTraining: boolean, hasNews: () => boolean): Promise<void> {
    const start = performance.now();
    this.#efforts = isTraining ? this.#whileTraining : this.#whileStill;
    if (!isTraining) this.#whileStill.raiseTo(this.#whileTraining);
    const { effort } = this.#efforts;
    for (const side of sides) {
      const entrant = this.#entrants[side];
      const flow = learnedFlow(entrant.model, { sampler: look.sampler, steps: effort.steps });
      const drawn = await framesOf(flow, this.#noise, effort, look);
      const { classes, sample } = this.learned;
      const told = toldOf(drawn, classes, sample(TRUTH_POINTS, this.settings.seed));
      const frames = told ? { ...drawn, told } : drawn;
      this.#send({ kind: "frames", side, step: stepOf(entrant), isScene: false, frames });
    }
    const complete = await this.slices(look, hasNews);
    const took = performance.now() - start;
    const isFiner = complete && this.#efforts.measured(took / 2);
    this.#pictures = { at: performance.now(), took, due: isFiner };
  }

  /** What depends on the time looked at; given up when there is news. True when all was told. */
  async slices(look: Look, hasNews: () => boolean): Promise<boolean> {
    const { effort } = this.#efforts;
    for (const side of sides) {
      if (hasNews()) return false;
      const entrant = this.#entrants[side];
      const flow = learnedFlow(entrant.model, { sampler: look.sampler, steps: effort.steps });
      const { truth, logDensity } = knownOf(this.learned, flow.labels ? look.sampler.label : undefined);
      const slice = await sliceOf({ flow, truth, logDensity, extent: this.extent, effort, look });
      this.#send({ kind: "slice", side, step: stepOf(entrant), isScene: false, slice });
    }
    return true;
  }

  /** By grids and points of one size on all devices, so that curves have no steps of their own. */
  async judge(look: Look): Promise<void> {
    const start = performance.now();
    const { cells, steps, points } = JUDGED;
    const { truth, logDensity, heldOut, sample } = this.learned;
    const held = heldOut(points);
    for (const side of sides) {
      const entrant = this.#entrants[side];
      if (stepOf(entrant) === 0) continue;
      const flow = learnedFlow(entrant.model, { sampler: untold(look.sampler), steps });
      const likelihood = await negativeLogLikelihood(flow, held);
      const noise = this.#noise.subarray(0, 2 * PATH_POINTS);
      const field = truth && (await fieldErrors(flow, truth, noise, sample(PATH_POINTS, this.settings.seed)));
      const distance =
        logDensity && totalVariation(await densityOf(flow, cells, this.extent, 1), logDensity, this.extent);
      const samples = await flow.frames(this.#noise.slice(0, held.length), [0, 1]);
      const wasserstein = await wassersteinOf(samples.subarray(samples.length / 2), held, this.settings.seed);
      this.#send({
        kind: "judged",
        side,
        judged: {
          ...{ step: stepOf(entrant), seconds: entrant.seconds, distance, wasserstein },
          ...{ likelihood: likelihood.mean, likelihoodError: likelihood.standardError },
          ...{ bound: field?.bound, boundError: field?.boundError },
          ...{ velocityError: field?.velocity, divergenceError: field?.divergence },
        },
      });
    }
    this.#judged = { at: performance.now(), took: performance.now() - start, due: false };
  }

  async weigh(side: Side, weight: number): Promise<void> {
    const entrant = this.#entrants[side];
    if (!entrant.trainer || entrant.weight === weight) return;
    this.#entrants[side] = await reweighed(this.#runtime, this.learned, this.settings, entrant, weight);
    this.settings = { ...this.settings, weights: { ...this.settings.weights, [side]: weight } };
    this.#send({ kind: "weighed", side, weight, step: stepOf(entrant) });
  }

  /** Puts this model, as it is now, on the left. */
  async pin(side: Side): Promise<void> {
    const chosen = this.#entrants[side];
    const title = chosen.pinned ?? `${titleOf(chosen.weight)}, pinned`;
    await this.stand(await pinnedOf(this.#runtime, await kept(chosen), title), title);
  }

  /** Puts one that is never trained here on the left; the one that was there is kept for `unpin`. */
  async stand(entrant: Entrant, title: string, isOpened = false): Promise<void> {
    const { left } = this.#entrants;
    if (left.pinned === undefined) this.#unpinned = await kept(left);
    this.#dispose(left);
    this.#entrants.left = entrant;
    this.#send({ kind: "pinned", title, step: stepOf(entrant), isOpened });
    this.#pictures.due = this.#judged.due = true;
  }

  async unpin(): Promise<void> {
    const { left } = this.#entrants;
    if (left.pinned === undefined) return;
    this.#entrants.left = this.#unpinned
      ? await restored(this.#runtime, this.learned, this.#unpinned)
      : await newEntrant(this.#runtime, this.learned, this.settings, "left");
    this.#unpinned = undefined;
    this.#dispose(left);
    this.#send({ kind: "pinned", title: null, step: stepOf(this.#entrants.left) });
    this.#pictures.due = this.#judged.due = true;
  }

  #dispose({ trainer, model }: Entrant): void {
    (trainer ?? model).dispose();
  }

  redraw(): void {
    this.#pictures.due = true;
  }

  async kept(side: Side): Promise<KeptEntrant> {
    return kept(this.#entrants[side]);
  }

  async past(): Promise<Past> {
    const entrants = { left: await this.kept("left"), right: await this.kept("right") };
    return { settings: this.settings, entrants, unpinned: this.#unpinned };
  }

  /** The pinned model, which a new start keeps. */
  async pinned(): Promise<KeptEntrant | undefined> {
    return this.#entrants.left.pinned === undefined ? undefined : this.kept("left");
  }

  modelOf(side: Side): Model {
    return this.#entrants[side].model;
  }

  stepOf(side: Side): number {
    return stepOf(this.#entrants[side]);
  }

  close(): void {
    this.#runtime.dispose(); // with everything made on it
  }
}

/** What is known of the data, or of one class of them, in place of them. */
function knownOf({ truth, logDensity, classes }: Learned, label: number | undefined) {
  const own = label === undefined ? undefined : classes?.truth?.(label);
  return own ? { truth: own, logDensity: logDensity && densityBy(own) } : { truth, logDensity };
}

function isDue({ at, took, due }: { at: number; took: number; due: boolean }, every: number): boolean {
  return due && (every === 0 || performance.now() - at > Math.max(every, took / SHARE));
}

/** Half the side of a square that holds nearly all of the data, and the noise. */
function extentOf(points: Float32Array): number {
  const sizes = Float32Array.from({ length: points.length / 2 }, (_, i) =>
    Math.max(Math.abs(points[2 * i]!), Math.abs(points[2 * i + 1]!)),
  ).sort();
  return Math.max(3, 1.15 * sizes[Math.floor(0.998 * (sizes.length - 1))]!);
}
