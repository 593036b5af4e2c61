/** Pictures as experiments have them: grey or coloured, in 256 levels. */
import { randomNumbers } from "../random-numbers.ts";

/** Of a number of a picture, from 0 to 255. */
export const LEVELS = 256;

/** Models see levels in [-1, 1], so one is 1 / 128 wide there. */
const HALF = LEVELS / 2;

/** What pictures are, such as 28 x 28 x 1. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  /** 1: grey, 3: red, green and blue. */
  readonly channels: number;
}

export interface Pictures extends PictureShape {
  /** Row-major [count, height, width, channels]. */
  readonly levels: Uint8Array;
  readonly count: number;
}

/** Pictures and the numbers of their classes; all of class 0 where there are none. */
export interface LabelledPictures extends Pictures {
  readonly labels: Uint8Array;
}

/** Numbers of a picture. */
export const sizeOfPicture = ({ height, width, channels }: PictureShape): number => height * width * channels;

export const shapeOf = ({ count, height, width, channels }: Pictures): readonly number[] => {
  return [count, height, width, channels];
};

/** The pictures of these numbers. */
export function chosenPictures(from: LabelledPictures, rows: ArrayLike<number>): LabelledPictures {
  const size = sizeOfPicture(from);
  const levels = new Uint8Array(rows.length * size);
  const labels = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    levels.set(from.levels.subarray(row * size, (row + 1) * size), i * size);
    labels[i] = from.labels[row] as number;
  }
  return { ...from, levels, labels, count: rows.length };
}

/** The first pictures, at most so many. */
export function firstPictures(from: LabelledPictures, most: number): LabelledPictures {
  return chosenPictures(
    from,
    Array.from({ length: Math.min(most, from.count) }, (_, row) => row),
  );
}

/** As a network is shown them: the middle of each level, in (-1, 1). */
export function middles(levels: ArrayLike<number>): Float32Array {
  return Float32Array.from(levels, (level) => (level + 0.5) / HALF - 1);
}

/** The levels of a model's samples; what lies beyond the first or the last one is that. */
export function levelsOf(samples: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(samples, (value) => Math.min(LEVELS - 1, Math.max(0, Math.floor((value + 1) * HALF))));
}

/**
 * Uniform dequantisation: somewhere in each number's level, in [-1, 1). A density of these, times the width of a level in each of
 * its numbers, has a mean logarithm that is no more than the logarithm of the levels' probability (Theis et al., ICLR 2016).
 */
export function dequantised(levels: ArrayLike<number>, seed: number): Float32Array {
  const noise = randomNumbers("uniform", levels.length, seed);
  return Float32Array.from(noise, (within, i) => ((levels[i] as number) + within) / HALF - 1);
}

/**
 * Bits for each number of a picture, of the log-density (in nats) of its dequantised levels in [-1, 1]: what the density is of in
 * units of levels is less by the logarithm of 1 / 128 for each number.
 */
export function bitsPerDimension(logDensity: number, dimension: number): number {
  return -(logDensity / dimension - Math.log(HALF)) / Math.LN2;
}
