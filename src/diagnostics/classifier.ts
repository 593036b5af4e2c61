/**
 * A small network that tells two kinds of points apart: D -> width -> width -> 1, relu, trained by Adam on the logistic loss. In
 * f64 and plain loops, so that it needs no engine: some ten thousand points through a thousand parameters are a second.
 */
import type { RandomSequence } from "../transport/random-sequence.ts";

/** Points of a batch. */
export const BATCH = 64;

/** Adam's first rate, which falls to 0 by a half cosine, its averages' rates, and the decay of weights. */
const [RATE, FIRST, SECOND, DECAY] = [5e-3, 0.9, 0.999, 1e-4];

export class Classifier {
  readonly #dimension: number;
  readonly #width: number;
  /** w1 [D, width], b1, w2 [width, width], b2, w3 [width], b3, one after the other. */
  readonly #parameters: Float64Array;
  readonly #gradient: Float64Array;
  readonly #hidden: readonly [Float64Array, Float64Array];
  readonly #back: readonly [Float64Array, Float64Array];

  /** He's initialisation: normal, of variance 2 / inputs. */
  constructor(dimension: number, width: number, random: RandomSequence) {
    this.#dimension = dimension;
    this.#width = width;
    this.#parameters = new Float64Array(dimension * width + width + width * width + width + width + 1);
    this.#gradient = new Float64Array(this.#parameters.length);
    this.#hidden = [new Float64Array(width), new Float64Array(width)];
    this.#back = [new Float64Array(width), new Float64Array(width)];
    const [w1, , w2, , w3] = this.#offsets();
    const fill = (begin: number, count: number, inputs: number) => {
      for (let i = begin; i < begin + count; i++) this.#parameters[i] = random.normal() * Math.sqrt(2 / inputs);
    };
    fill(w1, dimension * width, dimension);
    fill(w2, width * width, width);
    fill(w3, width, width);
  }

  #offsets(): readonly [number, number, number, number, number, number] {
    const [d, w] = [this.#dimension, this.#width];
    const b1 = d * w;
    const w2 = b1 + w;
    const b2 = w2 + w * w;
    return [0, b1, w2, b2, b2 + w, b2 + 2 * w];
  }

  /** ln of the odds that a point is of kind 1. */
  logit(values: Float64Array, row: number): number {
    const [d, w, p] = [this.#dimension, this.#width, this.#parameters];
    const [w1, b1, w2, b2, w3, b3] = this.#offsets();
    const [first, second] = this.#hidden;
    for (let j = 0; j < w; j++) first[j] = p[b1 + j];
    for (let k = 0; k < d; k++) addScaledRow(p, w1 + k * w, values[row * d + k], first);
    for (let j = 0; j < w; j++) second[j] = p[b2 + j];
    for (let k = 0; k < w; k++) {
      if (first[k] > 0) addScaledRow(p, w2 + k * w, first[k], second);
      else first[k] = 0;
    }
    let sum = p[b3];
    for (let j = 0; j < w; j++) {
      if (second[j] > 0) sum += p[w3 + j] * second[j];
      else second[j] = 0;
    }
    return sum;
  }

  /** Adds the gradient of the loss of a point, by `slope`, the derivative by its logit: {@link logit} has just been called with it. */
  #learn(values: Float64Array, row: number, slope: number): void {
    const [d, w, p, gradient] = [this.#dimension, this.#width, this.#parameters, this.#gradient];
    const [w1, b1, w2, b2, w3, b3] = this.#offsets();
    const [first, second] = this.#hidden;
    const [backFirst, backSecond] = this.#back;
    gradient[b3] += slope;
    for (let j = 0; j < w; j++) {
      gradient[w3 + j] += slope * second[j];
      backSecond[j] = second[j] > 0 ? slope * p[w3 + j] : 0;
      gradient[b2 + j] += backSecond[j];
    }
    for (let k = 0; k < w; k++) {
      backFirst[k] = 0;
      if (first[k] === 0) continue;
      let sum = 0;
      for (let j = 0; j < w; j++) {
        sum += p[w2 + k * w + j] * backSecond[j];
        gradient[w2 + k * w + j] += first[k] * backSecond[j];
      }
      backFirst[k] = sum;
      gradient[b1 + k] += sum;
    }
    for (let k = 0; k < d; k++) {
      const value = values[row * d + k];
      for (let j = 0; j < w; j++) gradient[w1 + k * w + j] += value * backFirst[j];
    }
  }

  /**
   * Trains on these rows, a batch at a time.
   *
   * @param weights - by kind: what a point of it counts.
   */
  *train(
    values: Float64Array,
    kinds: Uint8Array,
    rows: Uint32Array,
    weights: readonly [number, number],
    epochs: number,
    random: RandomSequence,
  ): Generator<undefined, void, undefined> {
    const [p, gradient] = [this.#parameters, this.#gradient];
    const [mean, square] = [new Float64Array(p.length), new Float64Array(p.length)];
    const batches = Math.ceil(rows.length / BATCH);
    for (let step = 0; step < epochs * batches; step++) {
      if (step % batches === 0) random.shuffle(rows);
      const begin = (step % batches) * BATCH;
      const end = Math.min(rows.length, begin + BATCH);
      gradient.fill(0);
      for (let at = begin; at < end; at++) {
        const row = rows[at];
        const kind = kinds[row];
        const likely = 1 / (1 + Math.exp(-this.logit(values, row)));
        this.#learn(values, row, ((likely - kind) * weights[kind === 1 ? 1 : 0]) / (end - begin));
      }
      const rate = 0.5 * RATE * (1 + Math.cos((Math.PI * step) / (epochs * batches)));
      const scale = (rate * Math.sqrt(1 - SECOND ** (step + 1))) / (1 - FIRST ** (step + 1));
      for (let i = 0; i < p.length; i++) {
        mean[i] += (1 - FIRST) * (gradient[i] - mean[i]);
        square[i] += (1 - SECOND) * (gradient[i] ** 2 - square[i]);
        p[i] -= (scale * mean[i]) / (Math.sqrt(square[i]) + 1e-8) + rate * DECAY * p[i];
      }
      yield undefined;
    }
  }
}

function addScaledRow(matrix: Float64Array, begin: number, scale: number, sums: Float64Array): void {
  for (let j = 0; j < sums.length; j++) sums[j] += scale * matrix[begin + j];
}
