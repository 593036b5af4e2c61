/** What transport is computed from: two samples, or the cost of each pair of their points. */

import { type Numbers, shapedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { ConfigError, DataError } from "../errors.ts";
import { isSizes } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";
import { bytesOf, narrowed, widthOf, workspaceOf } from "./workspace.ts";

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
  const width = widthOf(columns);
  const sizes = [rows * dimension, width * dimension, rows * width].map((count) => bytesOf(8 * count));
  const workspace = workspaceOf(sizes.reduce((sum, size) => sum + size));
  const from = workspace.f64(rows * dimension, true);
  from.set(x.values);
  const to = workspace.f64(width * dimension);
  for (let j = 0; j < columns; j++) {
    const place = (j - (j % 4)) * dimension + (j % 4);
    for (let k = 0; k < dimension; k++) to[place + 4 * k] = y.values[j * dimension + k];
  }
  const out = workspace.f64(rows * width, true);
  workspace.loops.distances(from, to, rows, width, dimension, out);
  const values = narrowed(out, rows, columns);
  workspace.release();
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
