// Points that tests of transport and diagnostics draw: seeded, by generators that are not the library's own.
import type { Sample } from "../../src/transport/cost.ts";

/** Uniform in [0, 1), by mulberry32. */
export function uniforms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal, by Box and Muller. */
export function normals(seed: number): () => number {
  const uniform = uniforms(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Normal points, each coordinate scale z + shift. */
export function cloud(count: number, dimension: number, seed: number, { scale = 1, shift = 0 } = {}) {
  const normal = normals(seed);
  const values = Float64Array.from({ length: count * dimension }, () => scale * normal() + shift);
  return { values, shape: [count, dimension] } satisfies Sample;
}
