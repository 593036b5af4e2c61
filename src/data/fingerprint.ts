/** Two lanes of MurmurHash3 (x86, 32 bits) with these seeds. */
const SEEDS = [0x9747b28c, 0x3c6ef372];

/**
 * 64 bits that tell data sets apart, as 16 hexadecimal digits: a hash of the f32 values' bits, equal on every platform.
 * Against mistakes, not against people who want a collision.
 */
export function fingerprint(values: Float32Array): string {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return SEEDS.map((seed) => murmur(words, seed).toString(16).padStart(8, "0")).join("");
}

function murmur(words: Uint32Array, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(words[i], 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= 4 * words.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
