/** A shipped model of one system: sampled, asked for events, trained on. Of the library's public entries alone. */
import {
  adam,
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  fdm,
  heun,
  type Model,
  type Runtime,
  type Trainer,
} from "divflow";
import { advance, trajectoriesNamed } from "divflow/dynamics";
import { unet1d } from "divflow/networks";
import { guidanceOf } from "./events.ts";
import type { Drawn, News, Question } from "./messages.ts";
import type { ShownSystem } from "./systems.ts";

const START_SECONDS = 10;
/** True ones that are shown and counted, and those that it trains on: of other seeds than the shipped model's. */
const [TRUE, TRAINED] = [600, 1000];
const SEEDS = { truth: 2, training: 3 };
export const WANTED = 72;
/** Of a picture that grows while they are drawn. */
const AT_ONCE = 24;
const LEARNING_RATE = 5e-4;
const TURN_MILLISECONDS = 250;

export type Send = (news: News) => void;

interface Parts {
  readonly system: ShownSystem;
  readonly runtime: Runtime;
  readonly model: Model;
  readonly length: number;
  readonly send: Send;
}

export class Session {
  readonly #parts: Parts;
  #trainer: Trainer | undefined;
  #weight: number;
  /** Steps of trainers before this one. */
  #before = 0;
  #seconds = 0;
  #turnSteps = 1;

  private constructor(parts: Parts, weight: number) {
    this.#parts = parts;
    this.#weight = weight;
  }

  /** @param bytes - of the shipped model. */
  static async open(
    system: ShownSystem,
    bytes: Uint8Array,
    { backend, weight, send }: { backend: "auto" | "webgpu" | "wasm"; weight: number; send: Send },
  ): Promise<Session> {
    const runtime = await createRuntime({ backend, fallback: "wasm", startSeconds: START_SECONDS });
    try {
      const model = await runtime.loadModel(bytes);
      const truth = await trajectoriesNamed(system.name, { count: TRUE, seed: SEEDS.truth });
      const length = truth.values.length / TRUE / system.coordinates.length;
      send({
        ...{ kind: "opened", system: system.name, length, device: runtime.device, bytes: bytes.length },
        truth: Float32Array.from(truth.values),
      });
      return new Session({ system, runtime, model, length, send }, weight);
    } catch (error) {
      runtime.dispose();
      throw error;
    }
  }

  get step(): number {
    return this.#before + (this.#trainer?.step ?? 0);
  }

  get #model(): Model {
    return this.#trainer?.model ?? this.#parts.model;
  }

  /** Trajectories in parts, each told as soon as it is there; given up where there is news. */
  async draw(question: Question, signal: AbortSignal): Promise<void> {
    const { length, system, send } = this.#parts;
    const { event, steps, seed } = question;
    const size = length * system.coordinates.length;
    const guide = event && { by: guidanceOf(event.name, event.threshold), strength: event.strength };
    const all = new Float32Array(WANTED * size);
    let milliseconds = 0;
    for (let done = 0; done < WANTED; done += AT_ONCE) {
      const begun = performance.now();
      const options = { count: AT_ONCE, solver: heun({ steps }), seed: seed * 1000 + done, signal };
      const { values } = await this.#model.sample(guide ? { ...options, guide } : options);
      all.set(values, done * size);
      milliseconds += performance.now() - begun;
      const drawn: Drawn = {
        ...{ question, step: this.step, wanted: WANTED, milliseconds, evaluations: 2 * steps },
        values: all.slice(0, (done + AT_ONCE) * size),
        defect: done + AT_ONCE < WANTED ? undefined : defectOf(system, all.subarray(0, AT_ONCE * size), length),
      };
      send({ kind: "drawn", drawn });
      await new Promise((resolve) => setTimeout(resolve)); // lets messages in
      signal.throwIfAborted();
    }
  }

  /** What was learned stays; the optimizer's averages and the batches begin anew. */
  async weigh(weight: number): Promise<void> {
    if (weight === this.#weight) return;
    this.#weight = weight;
    const before = this.#trainer;
    if (!before) return;
    const next = await this.#newTrainer(before.model);
    this.#before += before.step;
    this.#trainer = next;
    before.dispose();
  }

  async turn(): Promise<void> {
    const begun = performance.now();
    this.#trainer ??= await this.#newTrainer(this.#parts.model);
    const trainer = this.#trainer;
    const planned = performance.now();
    const count = this.#turnSteps;
    let loss = 0;
    for await (const { steps } of trainer.run({ steps: count, progressEvery: count })) {
      loss = steps.reduce((sum, { velocityLoss }) => sum + velocityLoss / steps.length, 0);
    }
    const milliseconds = performance.now() - planned;
    this.#seconds += (performance.now() - begun) / 1000;
    this.#turnSteps = Math.max(1, Math.round(count * Math.min(4, TURN_MILLISECONDS / milliseconds)));
    this.#parts.send({ kind: "trained", step: this.step, loss, seconds: this.#seconds });
  }

  async #newTrainer(from: Model): Promise<Trainer> {
    const { runtime, system } = this.#parts;
    const data = await trajectoriesNamed(system.name, { count: TRAINED, seed: SEEDS.training, standardize: "channel" });
    return createTrainer(runtime, {
      ...{ network: networkOf(system), path: condOT(), data, batchSize: 32, seed: this.step },
      loss: this.#weight === 0 ? cfm() : fdm({ divergence: this.#weight }),
      optimizer: adam({ learningRate: LEARNING_RATE }),
      ...{ ema: { decay: 0.98 }, maximumGradientNorm: 1, initial: from },
    });
  }

  close(): void {
    this.#parts.runtime.dispose(); // with everything made on it
  }
}

/** That of the shipped models: bench/page-models.mjs makes them. */
const networkOf = ({ coordinates }: ShownSystem) =>
  unet1d({
    ...{ sample: [60, coordinates.length], channels: [16, 24, 28], blocks: [1, 1, 1] },
    ...{ frequencies: 16, frequencyRange: [0.5, 100], embeddingHidden: 32 },
  });

/**
 * How far states lie from where the system leads those before them, beside how far it leads: root mean squares over trajectories
 * [count, length, coordinates].
 */
export function defectOf({ name, coordinates }: ShownSystem, values: ArrayLike<number>, length: number): number {
  const width = coordinates.length;
  const stateAt = (at: number) => Array.from({ length: width }, (_, k) => values[at * width + k] as number);
  let [missed, moved] = [0, 0];
  for (let at = 0; at < values.length / width; at++) {
    if (at % length === length - 1) continue; // a trajectory's last state leads nowhere
    const [state, next] = [stateAt(at), stateAt(at + 1)];
    for (const [k, value] of advance(name, state).entries()) {
      missed += ((next[k] as number) - value) ** 2;
      moved += (value - (state[k] as number)) ** 2;
    }
  }
  return Math.sqrt(missed / moved);
}
