/** What transport is computed from: two samples, or the cost of each pair of their points. */

import { type Numbers, shapedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { ConfigError, DataError } from "../errors.ts";
import { isSizes } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";

/** Points as samples and data have them: rows `[[x, y], ...]`, or row-major values with their shape [count, ...shape of one]. */
export type Sample = Numbers | { readonly values: Numbers; readonly shape: readonly number[] };

/** Points, row-major [count, dimension]. */
export interface SamplePoints {
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
}

/** A cost for each pair: row-major [rows, columns]. */
export interface Cost {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Costs beyond it would leave f64 when they are added: duals are sums of costs. */
const LARGEST_COST = 1e300;

/**
 * A sample's points, copied.
 *
 * @throws {@link DataError} when they are no points, or a value is no finite f32.
 */
export function samplePoints(subject: string, given: Sample): SamplePoints {
  const { values, shape } = shapedSample(subject, given);
  const { count, dimension } = checkPoints(values, shape, subject);
  return { values, count, dimension };
}

/**
 * Two samples whose points have one dimension.
 *
 * @throws {@link DataError} when one is no sample, or their dimensions differ.
 */
export function samplePair(subject: string, first: Sample, second: Sample): readonly [SamplePoints, SamplePoints] {
  const pair = [
    samplePoints(`first points of ${subject}`, first),
    samplePoints(`second points of ${subject}`, second),
  ] as const;
  if (pair[0].dimension === pair[1].dimension) return pair;
  throw new DataError({
    subject: `points of ${subject}`,
    given: `dimensions ${pair[0].dimension} and ${pair[1].dimension}`,
    expected: "one dimension",
    remedy: "Give points of one kind.",
  });
}

/**
 * Squared distances |x_i - y_j|^2, summed over coordinates, in f64: row-major [count of the first, count of the second].
 *
 * @throws {@link DataError} when the points are none, their dimensions differ, or a value is no finite f32.
 */
export function squaredDistances(first: Sample, second: Sample): Cost {
  return distancesOf(...samplePair("squaredDistances", first, second));
}

/** The same of points that have been looked at. Differences are squared as they are: nothing cancels. */
export function distancesOf(x: SamplePoints, y: SamplePoints): Cost {
  const [rows, columns, dimension] = [x.count, y.count, x.dimension];
  const values = new Float64Array(rows * columns);
  const to = Float64Array.from(y.values);
  const from = new Float64Array(dimension);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < dimension; k++) from[k] = x.values[i * dimension + k];
    let at = 0;
    for (let j = 0; j < columns; j++) {
      // Four sums at once: one alone would wait for itself.
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let k = 0;
      for (; k + 3 < dimension; k += 4, at += 4) {
        const p = from[k] - to[at];
        const q = from[k + 1] - to[at + 1];
        const r = from[k + 2] - to[at + 2];
        const s = from[k + 3] - to[at + 3];
        a += p * p;
        b += q * q;
        c += r * r;
        d += s * s;
      }
      for (; k < dimension; k++, at++) {
        const p = from[k] - to[at];
        a += p * p;
      }
      values[i * columns + j] = a + b + (c + d);
    }
  }
  return { values, rows, columns };
}

/**
 * The cost that a caller gives, or that of two samples.
 *
 * @throws {@link DataError} when the samples are none.
 * @throws {@link ConfigError} when the cost is no matrix, or an entry of it is not finite.
 */
export function costOf(subject: string, first: Sample, second: Sample | undefined): Cost {
  if (second !== undefined) return distancesOf(...samplePair(subject, first, second));
  const { values, shape } = shapedSample(`cost of ${subject}`, first);
  if (!isSizes(shape) || shape.length !== 2 || values.length !== shape[0] * shape[1]) {
    throw new ConfigError({
      subject: `cost of ${subject}`,
      given: `${values.length} numbers of shape [${shape.join(", ")}]`,
      expected: "a matrix: a row for each point of the first sample, a column for each of the second",
      remedy: "Give [[c, ...], ...], or { values, shape: [rows, columns] }; or give two samples.",
    });
  }
  const [rows, columns] = shape as [number, number];
  const wrong = values.findIndex((cost) => !(Math.abs(cost) <= LARGEST_COST));
  if (wrong >= 0) {
    throw new ConfigError({
      subject: `cost of ${subject}, row ${Math.floor(wrong / columns)}, column ${wrong % columns} (from 0)`,
      given: values[wrong],
      expected: `a finite number of at most ${LARGEST_COST} in size`,
      remedy: "For pairs that must not be, give a cost well above all others.",
    });
  }
  return { values: Float64Array.from(values), rows, columns };
}

/** Whether a value can be a sample rather than options. */
export function isSample(given: unknown): given is Sample {
  return Array.isArray(given) || ArrayBuffer.isView(given) || (isRecord(given) && "values" in given);
}

function shapedSample(subject: string, given: Sample) {
  if (!isRecord(given)) return shapedNumbers(subject, given, undefined);
  const { values, shape } = given as { values: Numbers; shape: readonly number[] };
  return shapedNumbers(subject, values, shape);
}
