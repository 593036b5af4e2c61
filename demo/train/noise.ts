/** Noise that particles begin as: the same for both models, by the seed. */
import { gaussianMixture, sampleData } from "divflow";

/** Points [count, 2] of N(0, I). */
export function noiseOf(count: number, seed: number): Float32Array {
  const normal = gaussianMixture({ means: [[0, 0]], variances: [1] });
  return Float32Array.from(sampleData(normal, count, seed));
}
