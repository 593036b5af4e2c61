/** What a seed draws, wherever it is drawn. */

/** Random numbers of a seed. */
export class Random {
  #state;

  /** @param {number} seed - of 32 bits. */
  constructor(seed) {
    this.#state = seed | 0;
  }

  /** In [0, 1), by mulberry32. */
  uniform() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 to `below` - 1. @param {number} below */
  integer(below) {
    return Math.floor(this.uniform() * below);
  }

  /** One of a list. @template T @param {readonly T[]} list @returns {T} */
  of(list) {
    return /** @type {T} */ (list[this.integer(list.length)]);
  }
}
