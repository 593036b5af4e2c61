/** The shipped model of digits: drawn by class as a film, and trained on. Of the library's public entries alone. */
import {
  adam,
  arrayData,
  cfm,
  classes,
  condOT,
  createRuntime,
  createTrainer,
  gaussianMixture,
  type Model,
  type Runtime,
  sampleData,
  type Trainer,
} from "divflow";
import { unet2d } from "divflow/networks";
import type { News, Question } from "./messages.ts";
import { type Digits, PIXELS, SIDE, unpacked } from "./packed.ts";

const START_SECONDS = 10;
/** Pictures of a sheet: rows, and a column for each class. */
export const [ROWS, CLASSES] = [4, 10];
export const COUNT = ROWS * CLASSES;
const LEARNING_RATE = 5e-4;
const TURN_MILLISECONDS = 250;

export type Send = (news: News) => void;

interface Parts {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly digits: Digits;
  readonly send: Send;
}

export class Session {
  readonly #parts: Parts;
  #trainer: Trainer | undefined;
  #seconds = 0;
  #turnSteps = 1;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param files - the shipped model's, and the digits'. */
  static async open(
    files: { readonly model: Uint8Array; readonly digits: Uint8Array },
    { backend, send }: { backend: "auto" | "webgpu" | "wasm"; send: Send },
  ): Promise<Session> {
    const digits = unpacked(files.digits);
    const runtime = await createRuntime({ backend, fallback: "wasm", startSeconds: START_SECONDS });
    try {
      const model = await runtime.loadModel(files.model);
      send({ kind: "opened", truth: sheetOf(digits), device: runtime.device, bytes: files.model.length });
      return new Session({ runtime, model, digits, send });
    } catch (error) {
      runtime.dispose();
      throw error;
    }
  }

  get step(): number {
    return this.#trainer?.step ?? 0;
  }

  /** From noise on by Heun's method, each state told as soon as it is there; given up where there is news. */
  async draw(question: Question, signal: AbortSignal): Promise<void> {
    const { label, guidance, steps, seed } = question;
    const model = this.#trainer?.model ?? this.#parts.model;
    const conditions = { label: Array.from({ length: COUNT }, (_, i) => label ?? i % CLASSES) };
    const velocity = (x: Float64Array, t: number) =>
      model.velocity(x, new Float64Array(COUNT).fill(t), { conditions, guidance, signal });
    let x: Float64Array = noiseOf(seed);
    const frames = new Float32Array((steps + 1) * x.length);
    frames.set(x);
    let milliseconds = 0;
    for (let k = 0; k < steps; k++) {
      const begun = performance.now();
      const [t, h] = [k / steps, 1 / steps];
      const first = await velocity(x, t);
      const ahead = x.map((value, i) => value + h * (first[i] as number));
      // The last half step would ask the network at t = 1, where it was hardly trained.
      const second = k === steps - 1 ? first : await velocity(ahead, t + h);
      x = x.map((value, i) => value + (h / 2) * ((first[i] as number) + (second[i] as number)));
      frames.set(x, (k + 1) * x.length);
      milliseconds += performance.now() - begun;
      this.#parts.send({
        kind: "film",
        film: {
          question,
          step: this.step,
          frames: frames.slice(0, (k + 2) * x.length),
          wanted: steps + 1,
          milliseconds,
        },
      });
      await new Promise((resolve) => setTimeout(resolve)); // lets messages in
      signal.throwIfAborted();
    }
  }

  async turn(): Promise<void> {
    const begun = performance.now();
    this.#trainer ??= await this.#newTrainer();
    const planned = performance.now();
    const count = this.#turnSteps;
    let loss = 0;
    for await (const { steps } of this.#trainer.run({ steps: count, progressEvery: count })) {
      loss = steps.reduce((sum, { velocityLoss }) => sum + velocityLoss / steps.length, 0);
    }
    const milliseconds = performance.now() - planned;
    this.#seconds += (performance.now() - begun) / 1000;
    this.#turnSteps = Math.max(1, Math.round(count * Math.min(4, TURN_MILLISECONDS / milliseconds)));
    this.#parts.send({ kind: "trained", step: this.step, loss, seconds: this.#seconds });
  }

  async #newTrainer(): Promise<Trainer> {
    const { runtime, model, digits } = this.#parts;
    const { pixels, labels: label, count } = digits;
    return createTrainer(runtime, {
      // That of the shipped model: bench/page-models.mjs makes it.
      network: unet2d({
        ...{ sample: [SIDE, SIDE, 1], channels: 12, multipliers: [1, 2], residualBlocks: 1, groups: 4 },
        conditions: { label: classes(CLASSES, { drop: 0.15 }) },
      }),
      data: arrayData(pixels, [count, SIDE, SIDE, 1], { conditions: { label } }),
      ...{ path: condOT(), loss: cfm(), batchSize: 32, optimizer: adam({ learningRate: LEARNING_RATE }) },
      ...{ ema: { decay: 0.98 }, maximumGradientNorm: 1, initial: model },
    });
  }

  close(): void {
    this.#parts.runtime.dispose(); // with everything made on it
  }
}

/** [COUNT, PIXELS] of N(0, I). */
function noiseOf(seed: number): Float64Array {
  const normal = gaussianMixture({ means: [new Array<number>(PIXELS).fill(0)], variances: [1] });
  return Float64Array.from(sampleData(normal, COUNT, seed));
}

/** The first ones of each class, a column for each. */
export function sheetOf({ pixels, labels }: Digits): Float32Array {
  const sheet = new Float32Array(COUNT * PIXELS);
  for (let label = 0; label < CLASSES; label++) {
    const rows = [...labels.entries()].filter(([, own]) => own === label).slice(0, ROWS);
    for (const [row, [i]] of rows.entries()) {
      sheet.set(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), (row * CLASSES + label) * PIXELS);
    }
  }
  return sheet;
}
