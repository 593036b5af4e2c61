/** What came of classes that a model was told: by the samples, beside the data's own points of these classes. */
import type { Frames, Told } from "../messages.ts";
import type { Learned } from "./data.ts";

/** @param points - of the data, to compare with. */
export function toldOf(
  { particles, times, labels }: Frames & { readonly labels?: Uint8Array },
  classes: Learned["classes"],
  points: Float32Array,
): Told | undefined {
  if (!labels || !classes) return undefined;
  const samples = particles.subarray(particles.length - particles.length / times.length);
  const at = classes.at?.bind(classes);
  const hits =
    at && labels.filter((label, i) => at(samples[2 * i]!, samples[2 * i + 1]!) === label).length / labels.length;
  const own = classes.labelsOf(points);
  const asked = new Set(labels);
  const isAsked = (_: number, i: number) => asked.has(own[i >> 1] as number);
  return {
    ...{ labels, hits },
    spread:
      spreadOf(samples, labels) /
      spreadOf(
        points.filter(isAsked),
        own.filter((label) => asked.has(label)),
      ),
  };
}

/** Root mean square distance of points [count, 2] from the mean of their class. */
export function spreadOf(points: Float32Array, labels: Uint8Array): number {
  const sums = new Map<number, { count: number; x: number; y: number; square: number }>();
  for (let i = 0; i < labels.length; i++) {
    const [x, y] = [points[2 * i]!, points[2 * i + 1]!];
    const sum = sums.get(labels[i]!) ?? { count: 0, x: 0, y: 0, square: 0 };
    sum.count++;
    sum.x += x;
    sum.y += y;
    sum.square += x * x + y * y;
    sums.set(labels[i]!, sum);
  }
  let total = 0;
  for (const { count, x, y, square } of sums.values()) total += square - (x * x + y * y) / count;
  return Math.sqrt(Math.max(0, total) / labels.length);
}
