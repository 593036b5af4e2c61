/** What one `prepare` made: simulations, a flow in training, and its answers. Of the library's public entries alone. */
import { type ArrayData, cfm, createRuntime, createTrainer, fdm, type Runtime, rk4, type Trainer } from "divflow";
import { c2st } from "divflow/diagnostics";
import { type Inference, inference, type Posterior, type Priors, uniform } from "divflow/posterior";
import type { Range } from "../plane.ts";
import { contourOf } from "./contours.ts";
import { drawsOf, ExactPosterior, levelOf, middlesOf } from "./exact.ts";
import type { Answer, News, PosteriorSettings } from "./messages.ts";
import { randomOf } from "./random.ts";
import { readySimulators } from "./ready.ts";
import { simulatorOf, type WrittenSimulator } from "./script/simulator.ts";

/** What a GPU that was lost has to come back, as long as a visitor waits. */
const START_SECONDS = 10;
const HIDDEN = [64, 64, 64, 64];
export const SAMPLES = 1000;
const PREDICTED = 160;
/** Simulations that are drawn, and fresh ones that the flow is judged by. */
const [SHOWN, JUDGED] = [1500, 256];
/** Steps of RK4, and cells along a side of the density's map: while somebody drags, and once it is still. */
const [QUICK, STILL] = [
  { steps: 4, side: 24 },
  { steps: 8, side: 72 },
];
/** A map is drawn along while that takes no longer. */
const MAP_MILLISECONDS = 45;
/** Points that are held against exact draws, and simulations whose exact posterior is asked. */
const [COMPARED, KNOWN] = [500, 120];
const TURN_MILLISECONDS = 90;
/** Entropy of the prior in the flow's coordinates, where it is N(0, I) in the plane. */
const PRIOR_NATS = Math.log(2 * Math.PI * Math.E);

export type Send = (news: News, transfer?: Transferable[]) => void;

interface Parts {
  readonly settings: PosteriorSettings;
  readonly simulator: WrittenSimulator;
  readonly steps: Inference<Priors>;
  readonly fresh: Inference<Priors>;
  readonly trainer: Trainer;
  readonly runtime: Runtime;
  readonly exact: ExactPosterior | undefined;
}

export class Session {
  readonly #parts: Parts;
  readonly #posterior: Posterior<Priors>;
  readonly #send: Send;
  #turnSteps = 1;
  #seconds = 0;
  #mapMilliseconds = 0;

  private constructor(parts: Parts, send: Send) {
    this.#parts = parts;
    this.#posterior = parts.steps.posterior(parts.trainer.model);
    this.#send = send;
  }

  /** @throws what the text, the simulations or the device have against it. */
  static async open(settings: PosteriorSettings, send: Send): Promise<Session> {
    const { code, priors, seed, weight, noise, steps: most } = settings;
    const simulator = simulatorOf(code);
    const begun = performance.now();
    const simulate = simulations(simulator, priors);
    const steps = await inference({ ...simulate, simulations: settings.simulations, seed });
    const fresh = await inference({ ...simulate, simulations: JUDGED, seed: seed + 1 });
    const milliseconds = performance.now() - begun;
    const ready = readySimulators.find((one) => one.code === code);
    const exact = ready && new ExactPosterior(ready.likelihood, priors);
    const runtime = await createRuntime({ backend: settings.backend, fallback: "wasm", startSeconds: START_SECONDS });
    try {
      const loss = weight === 0 ? cfm() : fdm({ divergence: weight });
      const options = steps.training({ loss, hidden: HIDDEN, steps: most, jitter: noise });
      const trainer = await createTrainer(runtime, options);
      const session = new Session({ settings, simulator, steps, fresh, trainer, runtime, exact }, send);
      const { observations, count, failed, failures } = steps.simulations;
      const box = boxOf(observations);
      send({
        ...{ kind: "simulated", parameters: simulator.parameters, priors, box, count, milliseconds },
        data: Float32Array.from(observations.subarray(0, 2 * SHOWN)),
        observation: ready && isWithin(ready.observation, box) ? ready.observation : middleOf(observations),
        warnings: failed === 0 ? [] : [`${failed} simulations failed and are left out: ${failures[0]?.reason}.`],
        possible: exact && possibleGain(exact, fresh),
        device: runtime.device,
      });
      return session;
    } catch (error) {
      runtime.dispose();
      throw error;
    }
  }

  get isDone(): boolean {
    const { trainer, settings } = this.#parts;
    return trainer.stopped || trainer.step >= settings.steps;
  }

  get step(): number {
    return this.#parts.trainer.step;
  }

  /** Some steps, for about as long as nobody minds waiting. */
  async turn(): Promise<void> {
    const { trainer, settings } = this.#parts;
    const count = Math.min(this.#turnSteps, settings.steps - trainer.step);
    const begun = performance.now();
    let loss = 0;
    for await (const { velocityLoss } of trainer.run({ steps: count, progressEvery: count })) loss = velocityLoss;
    const milliseconds = performance.now() - begun;
    this.#seconds += milliseconds / 1000;
    this.#turnSteps = Math.max(1, Math.round(count * Math.min(4, TURN_MILLISECONDS / milliseconds)));
    this.#send({ kind: "trained", step: trainer.step, loss, seconds: this.#seconds });
  }

  /** What it has learned, by simulations that it never saw. */
  async judge(): Promise<void> {
    const { fresh, trainer } = this.#parts;
    const { observations, count } = fresh.simulations;
    const { values } = fresh.training().data as ArrayData; // the parameters, in the flow's coordinates
    const options = { solver: rk4({ steps: STILL.steps }), conditions: { observation: observations } };
    const { values: logs } = await trainer.model.logDensity(values, options);
    const gain = PRIOR_NATS + mean(logs);
    const variance = mean(logs.map((log) => (log - gain + PRIOR_NATS) ** 2));
    this.#send({ kind: "judged", step: trainer.step, gain, error: Math.sqrt(variance / count), count });
  }

  /** Samples at once, the density where there is time for it. */
  async answer(observation: readonly [number, number], isStill: boolean): Promise<Answer> {
    const { settings, simulator, exact } = this.#parts;
    const effort = isStill ? STILL : QUICK;
    const solver = rk4({ steps: effort.steps });
    const begun = performance.now();
    const { values, warnings } = await this.#posterior.sample({ count: SAMPLES, observation, solver });
    const milliseconds = performance.now() - begun;
    const density =
      isStill || this.#mapMilliseconds < MAP_MILLISECONDS
        ? await this.#density(observation, { solver, side: effort.side, isStill })
        : undefined;
    const grid = exact?.densityOf(observation);
    const random = randomOf(settings.seed);
    return {
      ...{ observation, step: this.step, milliseconds, warnings },
      samples: Float32Array.from(values),
      ...(density ? { density } : {}),
      ...(grid ? { exact: [0.5, 0.9].map((share) => contourOf(grid, levelOf(grid, share))) as never } : {}),
      predicted: Float32Array.from(
        Array.from({ length: PREDICTED }, (_, i) => ranOr(simulator, values.subarray(2 * i, 2 * i + 2), random)).flat(),
      ),
    };
  }

  async #density(
    observation: readonly [number, number],
    { solver, side, isStill }: { solver: ReturnType<typeof rk4>; side: number; isStill: boolean },
  ) {
    const { priors } = this.#parts.settings;
    const begun = performance.now();
    const { values } = await this.#posterior.logDensity(middlesOf(priors, side), { observation, solver });
    if (!isStill) this.#mapMilliseconds = performance.now() - begun;
    return { side, values: Float32Array.from(values, Math.exp) };
  }

  /** Samples held against the exact posterior; nothing where that is not known, or the visitor goes on. */
  async compare({ observation, samples }: Answer, signal: AbortSignal): Promise<void> {
    const { exact, settings } = this.#parts;
    const grid = exact?.densityOf(observation);
    if (!exact || !grid) return;
    const thetas = Float64Array.from(samples);
    const solver = rk4({ steps: STILL.steps });
    const { values: learned } = await this.#posterior.logDensity(thetas, { observation, solver });
    const own = exact.likelihood.given(thetas);
    const logs = Array.from(learned, (log, i) => own(i, observation) - log);
    const most = Math.max(...logs);
    const weights = logs.map((log) => Math.exp(log - most));
    const effective = sum(weights) ** 2 / sum(weights.map((weight) => weight * weight));
    const rows = (values: ArrayLike<number>) => ({ values: Float64Array.from(values), shape: [COMPARED, 2] });
    const { uniform: draw } = randomOf(settings.seed + 2);
    const draws = rows(drawsOf(grid, COMPARED, draw));
    const { accuracy, standardError } = await c2st(rows(thetas.subarray(0, 2 * COMPARED)), draws, { signal });
    this.#send({
      kind: "compared",
      compared: { observation, accuracy, standardError, effective, samples: thetas.length / 2 },
    });
  }

  close(): void {
    this.#parts.runtime.dispose(); // with everything made on it
  }
}

/** Mean over some simulations: what no flow can learn more than. */
function possibleGain(exact: ExactPosterior, { simulations: { parameters, observations } }: Inference<Priors>): number {
  return mean(exact.gains(parameters.subarray(0, 2 * KNOWN), observations.subarray(0, 2 * KNOWN)));
}

/** By places, as parameters may be called anything. */
function simulations(simulator: WrittenSimulator, [first, second]: readonly [Range, Range]) {
  const prior = uniform({ low: [first[0], second[0]], high: [first[1], second[1]] });
  return {
    prior: { theta: prior } as Priors,
    simulate: (
      parameters: Readonly<Record<string, unknown>>,
      { random }: { readonly random: { uniform(): number; normal(): number } },
    ) => simulator.run(parameters["theta"] as Float64Array, random),
  };
}

/** A point of NaN where the simulator cannot go on with what the flow gives: it is not drawn. */
function ranOr(simulator: WrittenSimulator, theta: ArrayLike<number>, random: ReturnType<typeof randomOf>): number[] {
  try {
    return simulator.run(theta, random);
  } catch {
    return [Number.NaN, Number.NaN];
  }
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);
const mean = (values: ArrayLike<number>) => sum(values) / values.length;

function column(values: ArrayLike<number>, k: 0 | 1): Float64Array {
  return Float64Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + k] as number).sort();
}

/** What holds nearly all of the points, with some room. */
function boxOf(values: ArrayLike<number>): readonly [Range, Range] {
  const range = (k: 0 | 1): Range => {
    const own = column(values, k);
    const at = (share: number) => own[Math.round(share * (own.length - 1))] as number;
    const [low, high] = [at(0.005), at(0.995)];
    const room = 0.06 * (high - low) || 1;
    return [low - room, high + room];
  };
  return [range(0), range(1)];
}

function middleOf(values: ArrayLike<number>): readonly [number, number] {
  const middle = (k: 0 | 1) => column(values, k)[values.length >> 2] as number;
  return [middle(0), middle(1)];
}

const isWithin = (point: readonly [number, number], box: readonly [Range, Range]) =>
  box.every(([low, high], k) => (point[k] as number) > low && (point[k] as number) < high);
