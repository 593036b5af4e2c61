/** A hash that tells apart what differs by mistake; against people who want a collision it is none. */

/** Two lanes of 32 bits with these seeds make one of 64. */
export const MURMUR_SEEDS: readonly number[] = [0x9747b28c, 0x3c6ef372];

/** MurmurHash3 (x86, 32 bits), of words as they come. */
export class Murmur {
  #hash: number;
  #bytes = 0;

  constructor(seed: number) {
    this.#hash = seed | 0;
  }

  take(words: Uint32Array): void {
    let hash = this.#hash;
    for (let i = 0; i < words.length; i++) {
      let word = Math.imul(words[i], 0xcc9e2d51);
      word = (word << 15) | (word >>> 17);
      hash ^= Math.imul(word, 0x1b873593);
      hash = (hash << 13) | (hash >>> 19);
      hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
    }
    this.#hash = hash;
    this.#bytes += 4 * words.length;
  }

  hash(): number {
    let hash = this.#hash ^ this.#bytes;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

/** The hash of a text's UTF-16 units, as 16 hexadecimal digits. */
export function hashOfText(text: string): string {
  const units = Uint32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return MURMUR_SEEDS.map((seed) => {
    const lane = new Murmur(seed);
    lane.take(units);
    return lane.hash().toString(16).padStart(8, "0");
  }).join("");
}
