/**
 * A flow map beside the right model: taught by its field, it leads from noise to data in 1, 2, 4 or 8 evaluations, with
 * log-densities, and how far these are off is measured. It learns in short turns, between those of the models.
 */
import {
  adam,
  classes,
  condOT,
  cosineDecay,
  createTrainer,
  type Model,
  mlp,
  product,
  rk4,
  staircase,
  type Trainer,
  warmUp,
} from "divflow";
import { flowMap, flowMapConsistency, flowMapSteps, frozenField, meanFlow, type StepsConsistency } from "divflow/flows";
import type { Look, MeterRow, News, Settings, Side } from "../messages.ts";
import type { Learned } from "./data.ts";
import { meanOf } from "./judge.ts";
import type { KeptEntrant } from "./models.ts";
import { noiseOf } from "./noise.ts";

/** What it is taught by, and on what. */
export interface Taught {
  readonly runtime: Parameters<typeof createTrainer>[0];
  readonly settings: Settings;
  readonly learned: Learned;
  stepOf(side: Side): number;
  kept(side: Side): Promise<KeptEntrant>;
  modelOf(side: Side): Model;
}

export const jumpCounts = [1, 2, 4, 8] as const;
/** It falls to nearly nothing with a teacher that stays, and to half in 7,000 steps beside models that learn on. */
const LEARNING_RATE = 3e-3;
const WARM_UP_STEPS = 50;
const LAST = 0.02;
const FALL = { factor: 0.999, every: 10 };
const AVERAGED = { decay: 0.995 };
/** Share of pairs at which the map is the field itself. */
const EQUAL = 0.25;
/** As of the models. */
const UNTOLD = 0.15;
const BATCH_SIZE = 512;
/** Milliseconds of a turn, beside those of the models and by itself. */
const TURN = { training: 60, still: 150 };
/** Steps that it takes with one teacher: then there is little left to learn of it. */
const STEPS_WITH_ONE = 4000;
/** While the models learn, they are far enough from the teacher after so many steps more, and this factor. */
const STALE = { steps: 300, factor: 1.3 };
const SHOWN_EVERY = 700;
const MEASURED_EVERY_STEPS = 1000;
const SAMPLES = 1000;
const MEASURED_SAMPLES = 400;
/** Of RK4, for the log-density of the ODE. */
const ODE_STEPS = 16;

export class OneStep {
  readonly #stepsWithOne: number;
  readonly #session: Taught;
  readonly #send: (news: News) => void;
  readonly #noise: Float32Array;
  #trainer: Trainer | undefined;
  /** The right model's step when it became the teacher, and the map's steps by then and in all. */
  #teacher = { step: 0, begun: 0 };
  #steps = 0;
  #turnSteps = 1;
  #isBroken = false;
  #shown = { at: Number.NEGATIVE_INFINITY, of: "", steps: 0 };
  /** Numbers of evaluations that are still to be measured, and when it was begun. */
  #toMeasure: number[] = [];
  #measured = { steps: 0, of: "" };

  /** @param stepsWithOne - that it takes with one teacher. */
  constructor(session: Taught, send: (news: News) => void, stepsWithOne = STEPS_WITH_ONE) {
    this.#stepsWithOne = stepsWithOne;
    this.#session = session;
    this.#send = send;
    this.#noise = noiseOf(SAMPLES, session.settings.seed);
  }

  /** One short piece of what there is to do; false when there is nothing. What goes wrong ends the map, not the models. */
  async work(look: Look, isTraining: boolean): Promise<boolean> {
    if (this.#isBroken) return false;
    try {
      return await this.#work(look, isTraining);
    } catch (error) {
      this.#isBroken = true;
      const why = error instanceof Error ? error.message : String(error);
      this.#send({ kind: "refused", message: `The one-step map goes no further. ${why}` });
      return false;
    }
  }

  async #work({ jumps = 1, sampler }: Look, isTraining: boolean): Promise<boolean> {
    const step = this.#session.stepOf("right");
    if (step === 0) return false;
    if (!this.#trainer || this.#isStale(step, isTraining)) {
      await this.#learnFrom(step, isTraining);
      return true;
    }
    const label = labelOf(this.#trainer.model, sampler.label);
    const left = this.#teacher.begun + this.#stepsWithOne - this.#steps;
    const isLearning = left > 0;
    if (isLearning) await this.#turn(isTraining ? TURN.training : TURN.still, left);
    const of = `${jumps} ${label}`;
    const isOld = !isLearning || performance.now() - this.#shown.at > SHOWN_EVERY;
    if (of !== this.#shown.of || (this.#steps !== this.#shown.steps && isOld)) {
      await this.#show(jumps, label);
      this.#shown = { at: performance.now(), of, steps: this.#steps };
      return true;
    }
    return (await this.#measure(label, isLearning)) || isLearning;
  }

  #isStale(step: number, isTraining: boolean): boolean {
    if (step < this.#teacher.step) return true; // another run's
    if (!isTraining) return step !== this.#teacher.step;
    return step > STALE.steps + STALE.factor * this.#teacher.step;
  }

  /** The right model as it is now becomes the teacher; what was learned of the one before stays. */
  async #learnFrom(step: number, isTraining: boolean): Promise<void> {
    const { runtime, settings, learned } = this.#session;
    const { width, layers, seed, batchSize = BATCH_SIZE } = settings;
    const teacher = await frozenField((await this.#session.kept("right")).bytes);
    const count = learned.source.conditions?.["label"]?.classes;
    const conditions = count === undefined ? {} : { conditions: { label: classes(count, { drop: UNTOLD }) } };
    const hidden = Array.from({ length: layers }, () => width);
    const before = this.#trainer;
    const fall = isTraining ? staircase(FALL) : cosineDecay({ steps: this.#stepsWithOne, final: LAST });
    this.#trainer = await createTrainer(runtime, {
      network: flowMap({ network: mlp({ dimension: 2 + 1, hidden, activation: "silu", ...conditions }) }),
      path: condOT(),
      loss: meanFlow({ teacher, estimator: "exact", equal: EQUAL }),
      optimizer: adam({ learningRate: product(LEARNING_RATE, warmUp({ steps: WARM_UP_STEPS }), fall) }),
      ema: AVERAGED,
      data: learned.source,
      ...{ batchSize, seed: seed + this.#steps },
      ...(before ? { initial: { from: before.model, ema: false } } : {}),
    });
    before?.dispose();
    this.#teacher = { step, begun: this.#steps };
    this.#turnSteps = 1; // the first one makes its program
  }

  async #turn(milliseconds: number, most: number): Promise<void> {
    if (!this.#trainer) return;
    const start = performance.now();
    const count = Math.min(most, this.#turnSteps);
    for await (const _ of this.#trainer.run({ steps: count, progressEvery: count }));
    this.#steps += count;
    const took = performance.now() - start;
    this.#turnSteps = Math.max(1, Math.round(count * Math.min(4, milliseconds / took)));
  }

  async #show(jumps: number, label: number | null | undefined): Promise<void> {
    if (!this.#trainer) return;
    const { values, logDensity } = await this.#trainer.model.sample({
      ...{ noise: this.#noise, solver: flowMapSteps({ steps: jumps }), logDensity: true, ...told(label) },
    });
    this.#send({
      ...{ kind: "map", jumps, steps: this.#steps, teacherStep: this.#teacher.step },
      ...{ samples: Float32Array.from(values), logDensity: Float32Array.from(logDensity?.values ?? []) },
    });
  }

  /** One number of evaluations at a time; true where there was one to measure. */
  async #measure(label: number | null | undefined, isLearning: boolean): Promise<boolean> {
    if (!this.#trainer) return false;
    const of = String(label);
    const isDue = this.#steps - this.#measured.steps >= MEASURED_EVERY_STEPS || of !== this.#measured.of;
    if (isDue || (!isLearning && this.#steps !== this.#measured.steps)) {
      this.#toMeasure = [...jumpCounts];
      this.#measured = { steps: this.#steps, of };
    }
    const jumps = this.#toMeasure.shift();
    if (jumps === undefined) return false;
    const { learned, settings } = this.#session;
    const [map, ode] = [this.#trainer.model, this.#session.modelOf("right")];
    const [found] = await flowMapConsistency(
      {
        dimension: 2,
        sample: (options) => map.sample({ ...options, ...told(label) }),
        // The ODE is that of the model that the map was taught by.
        logDensity: (points, options) =>
          ode.logDensity(points, { ...options, ...told(labelOf(ode, label ?? undefined)) }),
      },
      { steps: [jumps], count: MEASURED_SAMPLES, seed: settings.seed, solver: rk4({ steps: ODE_STEPS }) },
    );
    const own = label === null || label === undefined ? learned.logDensity : undefined;
    if (found) this.#send({ kind: "meter", steps: this.#steps, row: meterRow(found, own) });
    return true;
  }
}

/** The class that a model is told: null none, undefined where it is told nothing. */
function labelOf(model: Model, wanted: number | undefined): number | null | undefined {
  const count = model.conditions["label"]?.classes;
  if (count === undefined) return undefined;
  return wanted !== undefined && wanted < count ? wanted : null;
}

const told = (label: number | null | undefined) => (label === undefined ? {} : { conditions: { label } });

/**
 * What the meter says of one number of evaluations, in nats: mean distances between log-densities of the same samples.
 *
 * @param closed - the data's own log-density, where it is known; where that is nothing, no distance can be had.
 */
export function meterRow(
  { steps, values, logDensities, errors, folded }: StepsConsistency,
  closed: ((x: number, y: number) => number) | undefined,
): MeterRow {
  const { flow = new Float64Array() } = logDensities;
  const misses = Array.from(closed ? flow : [], (log, i) =>
    Math.abs(log - (closed as NonNullable<typeof closed>)(values[2 * i] as number, values[2 * i + 1] as number)),
  ).filter(Number.isFinite);
  const headFromExact = errors.head?.exact;
  const exactFromFlow = errors.exact?.flow;
  if (!headFromExact || !exactFromFlow) throw new Error("The flow map has no head.");
  return {
    ...{ jumps: steps, headFromExact, exactFromFlow, folded: folded / flow.length },
    flowFromClosed:
      misses.length > 0 ? { ...meanOf(Float64Array.from(misses)), share: misses.length / flow.length } : undefined,
  };
}
