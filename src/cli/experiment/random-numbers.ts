/** Random numbers for data that experiments make: as the library draws them, the same on every platform. */
import { sampleData } from "../../index.ts";
import { defineData } from "../../networks.ts";

/**
 * Independent numbers of a seed, uniform in [0, 1) or standard normal, f32. Lists of one seed and kind that differ in length share
 * nothing that may be relied on: take a seed of its own for each purpose.
 */
export function randomNumbers(kind: "uniform" | "normal", count: number, seed: number): ArrayLike<number> {
  const source = defineData({ name: kind, shape: [1], draw: ({ rows, random }) => random(kind, [rows, 1]) });
  return sampleData(source, count, seed);
}

/** Uniform numbers one after the other, for what does not know how many it needs. */
export function uniformSequence(seed: number): () => number {
  let block = 0;
  let numbers: ArrayLike<number> = [];
  let at = 0;
  return () => {
    if (at === numbers.length) {
      numbers = randomNumbers("uniform", BLOCK, seed + SEED_STEP * block++);
      at = 0;
    }
    return numbers[at++] as number;
  };
}

const BLOCK = 65_536;

/** Blocks' seeds are so far apart that no two runs' meet. */
const SEED_STEP = 1_000_000_007;

/** The number of the share that a uniform number falls into; the shares sum to 1. */
export function numberOfShare(shares: ArrayLike<number>, uniform: number): number {
  let rest = uniform;
  for (let k = 0; k < shares.length - 1; k++) {
    rest -= shares[k] as number;
    if (rest < 0) return k;
  }
  return shares.length - 1;
}
