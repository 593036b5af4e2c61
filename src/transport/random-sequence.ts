/** Random numbers one after the other, for what does not know beforehand how many it needs. */
import { normalFromBits } from "../ops/normal.ts";
import { randomBits, type Seed, seedOf } from "../ops/threefry.ts";

/** Words of one counter; and how many of them are made at once, as some need few. */
const BLOCK = 1024;
const PIECE = 64;

/** The numbers of a seed and a stream in order: equal ones give the same, on every platform. */
export class RandomSequence {
  readonly #seed: Seed;
  readonly #stream: number;
  #words: Uint32Array = new Uint32Array(0);
  #made = 0;
  #at = 0;

  /** @param seed - an integer in [0, 2^53), or two words. */
  constructor(seed: number | Seed, stream: number) {
    this.#seed = seedOf(seed);
    this.#stream = stream;
  }

  /** 32 bits. */
  bits(): number {
    if (this.#at === this.#words.length) {
      const begin = this.#made % BLOCK;
      this.#words = randomBits(this.#seed, this.#stream, Math.floor(this.#made / BLOCK), PIECE, begin);
      this.#made += PIECE;
      this.#at = 0;
    }
    return this.#words[this.#at++];
  }

  /** Uniform in [0, 1): a multiple of 2^-53. */
  uniform(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) * 2 ** -53;
  }

  /** An integer from 0 to bound - 1. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal, an f32 number. */
  normal(): number {
    return normalFromBits(this.bits());
  }

  /** In place, each order as likely as the others. */
  shuffle(values: Uint32Array): Uint32Array {
    for (let place = values.length - 1; place > 0; place--) {
      const other = this.below(place + 1);
      const held = values[place];
      values[place] = values[other];
      values[other] = held;
    }
    return values;
  }
}
