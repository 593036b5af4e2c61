/**
 * Counter-based random numbers: threefry2x32-20 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * src/kernels/random.ts says how a seed, a stream, a counter and an element become bits; this is that in TypeScript,
 * for the reference and for what the host draws, such as first parameters.
 */
import { normalFromBits } from "./normal.ts";

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** The 20-round threefry of two words (u32) under a key of two. */
export function threefry(key: readonly [number, number], words: readonly [number, number]): [number, number] {
  const keys = [key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]] as const;
  let a = (words[0] + keys[0]) | 0;
  let b = (words[1] + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (const rotation of ROTATIONS[group % 2 === 0 ? 0 : 1]) {
      a = (a + b) | 0;
      b = ((b << rotation) | (b >>> (32 - rotation))) ^ a;
    }
    a = (a + (keys[(group + 1) % 3] as number)) | 0;
    b = (b + (keys[(group + 2) % 3] as number) + group + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}

/** The kinds of numbers, in the order of src/kernels/random.ts. */
export const randomKinds = ["bits", "uniform", "normal", "rademacher", "index"] as const;
export type RandomKind = (typeof randomKinds)[number];

/** Two u32 words; all numbers follow from them. */
export type Seed = readonly [number, number];

/** `count` random words (u32) of this seed, stream and counter, from element `begin` on, which is even. */
export function randomBits(seed: Seed, stream: number, counter: number, count: number, begin = 0): Uint32Array {
  const bits = new Uint32Array(count);
  const key = threefry(seed, [stream, 0]);
  for (let block = 0; 2 * block < count; block++) {
    const [first, second] = threefry(key, [begin / 2 + block, counter]);
    bits[2 * block] = first;
    bits[2 * block + 1] = second; // past the end of an odd count it is dropped
  }
  return bits;
}

/** The number of this kind that 32 bits give; `bound` is for "index". All but bits and index are f32 numbers. */
export function randomNumber(kind: RandomKind, bits: number, bound: number): number {
  switch (kind) {
    case "bits":
      return bits;
    case "uniform":
      return (bits >>> 8) * 2 ** -24;
    case "normal":
      return normalFromBits(bits);
    case "rademacher":
      return bits >>> 31 === 1 ? -1 : 1;
    case "index":
      return highWord(bits, bound);
  }
}

/** floor(a b / 2^32) of two u32: each partial product is below 2^53, so exact. */
function highWord(a: number, b: number): number {
  const low = Math.floor((a * (b & 0xffff)) / 0x10000);
  return Math.floor((a * (b >>> 16) + low) / 0x10000);
}

/** The seed that a number stands for: its low and high 32 bits, as an integer in [0, 2^53). */
export function seedOf(seed: number | Seed): Seed {
  return typeof seed === "number" ? [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] : seed;
}

/** Draws on the host what the `random` op draws on a device from the same seed, stream and counter. */
export class HostRandom {
  readonly seed: Seed;

  /** @param seed - an integer in [0, 2^53), or two u32 words. */
  constructor(seed: number | Seed) {
    this.seed = seedOf(seed);
  }

  /** `count` numbers of a kind; f32 numbers, u32 for "bits" and "index". */
  draw(kind: RandomKind, count: number, stream: number, counter = 0, bound = 0): Float64Array {
    return Float64Array.from(randomBits(this.seed, stream, counter, count), (bits) => randomNumber(kind, bits, bound));
  }

  /** Uniform in [0, 1). */
  uniform(count: number, stream: number, counter = 0): Float32Array {
    return Float32Array.from(this.draw("uniform", count, stream, counter));
  }

  /** Standard normal. */
  normal(count: number, stream: number, counter = 0): Float32Array {
    return Float32Array.from(this.draw("normal", count, stream, counter));
  }

  /** Integers from 0 to bound - 1. */
  index(count: number, bound: number, stream: number, counter = 0): Uint32Array {
    return Uint32Array.from(this.draw("index", count, stream, counter, bound));
  }
}
