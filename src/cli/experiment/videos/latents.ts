/** Films as latents: what models learn of them, in batches of a frame, the one before it and an earlier one. */
import { type DataSource, streamData } from "../../../index.ts";
import { randomNumbers } from "../random-numbers.ts";

export interface LatentFilms {
  /** [count, frames, ...shape], in units in which each channel has mean 0 and deviation 1. */
  readonly values: Float32Array;
  readonly count: number;
  readonly frames: number;
  /** Of a frame: places down and across, and channels. */
  readonly shape: readonly [number, number, number];
}

export const sizeOfFrame = ({ shape }: Pick<LatentFilms, "shape">): number => shape[0] * shape[1] * shape[2];

/** What a network is told of a frame that it makes: the one before it, an earlier one, and how far that lies back. */
export const LAST = "last";
export const EARLIER = "earlier";
export const DISTANCE = "distance";

/** A frame of a film, or the numbers of several. */
export function framesOf(films: LatentFilms, film: number, from: number, to = from + 1): Float32Array {
  const size = sizeOfFrame(films);
  const first = film * films.frames;
  return films.values.subarray((first + from) * size, (first + to) * size);
}

/** Frames from one to before another of all films, one film after the other. */
export function cut(films: LatentFilms, from: number, to: number): LatentFilms {
  const size = (to - from) * sizeOfFrame(films);
  const values = new Float32Array(films.count * size);
  for (let film = 0; film < films.count; film++) values.set(framesOf(films, film, from, to), film * size);
  return { ...films, values, frames: to - from };
}

/** Mean and deviation of each channel, the last axis; of one that never changes 1. */
export interface Units {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export function unitsOf(values: ArrayLike<number>, channels: number): Units {
  const all = Array.from({ length: channels }, (_, channel) => {
    const own = Array.from({ length: values.length / channels }, (_, i) => values[i * channels + channel] as number);
    const [first = 0] = own;
    if (own.every((value) => value === first)) return { mean: first, deviation: 1 }; // rounding would give it one
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return { mean, deviation: Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length) };
  });
  return {
    mean: Float64Array.from(all, ({ mean }) => mean),
    deviation: Float64Array.from(all, ({ deviation }) => deviation),
  };
}

export function toUnits(values: ArrayLike<number>, { mean, deviation }: Units): Float32Array {
  const channels = mean.length;
  return Float32Array.from(values, (value, i) => (value - mean[i % channels]) / deviation[i % channels]);
}

export function fromUnits(values: ArrayLike<number>, { mean, deviation }: Units): Float32Array {
  const channels = mean.length;
  return Float32Array.from(values, (value, i) => value * deviation[i % channels] + mean[i % channels]);
}

/** Rows that are drawn at once. */
const BLOCK = 4096;

/** Seeds of blocks are so far apart that no two runs' meet. */
const SEED_STEP = 1_000_000_007;

/** `each` uniform numbers of a stream's every row, the same from whatever row on it goes. */
export function uniformRows(each: number, seed: number): (row: number) => ArrayLike<number> {
  let drawn: { block: number; numbers: ArrayLike<number> } | undefined;
  return (row) => {
    const block = Math.floor(row / BLOCK);
    if (drawn?.block !== block) {
      drawn = { block, numbers: randomNumbers("uniform", each * BLOCK, seed + SEED_STEP * block) };
    }
    const from = (row % BLOCK) * each;
    return Array.prototype.slice.call(drawn.numbers, from, from + each);
  };
}

/** A frame, the number of the one it is of, and that of the earlier one. */
export function pairOfRow(uniform: ArrayLike<number>, { count, frames }: LatentFilms) {
  const [a = 0, b = 0, c = 0] = Array.from(uniform);
  const frame = 2 + Math.floor(b * (frames - 2));
  return { film: Math.floor(a * count), frame, earlier: earlierOf(frame, c) };
}

/** A frame before the last one: what lies between is not told. */
export function earlierOf(frame: number, uniform: number): number {
  return Math.floor(uniform * (frame - 1));
}

/** Frames from the third on, each equally likely, with what comes before them: without end, no two batches alike. */
export function pairsOf(films: LatentFilms, seed: number): DataSource {
  const shape = [...films.shape];
  return streamData({
    shape,
    conditions: { [LAST]: { shape }, [EARLIER]: { shape }, [DISTANCE]: {} },
    batches: ({ rows }) => pairsFrom(films, seed, rows),
  });
}

/** Rows of a chunk of the stream. */
const CHUNK = 64;

/** The stream's rows from one on. */
export function* pairsFrom(films: LatentFilms, seed: number, row: number) {
  const size = sizeOfFrame(films);
  const uniform = uniformRows(3, seed);
  for (let first = row; ; first += CHUNK) {
    const values = new Float32Array(CHUNK * size);
    const last = new Float32Array(CHUNK * size);
    const earlier = new Float32Array(CHUNK * size);
    const distance = new Float32Array(CHUNK);
    for (let at = 0; at < CHUNK; at++) {
      const chosen = pairOfRow(uniform(first + at), films);
      values.set(framesOf(films, chosen.film, chosen.frame), at * size);
      last.set(framesOf(films, chosen.film, chosen.frame - 1), at * size);
      earlier.set(framesOf(films, chosen.film, chosen.earlier), at * size);
      distance[at] = chosen.frame - chosen.earlier;
    }
    yield { values, conditions: { [LAST]: last, [EARLIER]: earlier, [DISTANCE]: distance } };
  }
}
