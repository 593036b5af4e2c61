/** Standardisation: z = (x - mean) / std per coordinate, so that a network meets data of size 1. */
import { DataError } from "../errors.ts";
import type { Shape } from "../graph/node.ts";
import type { Points } from "./points.ts";

/** Kept in the checkpoint: a model in z is a model of the data only with it. */
export interface Standardization {
  /** Per coordinate, in data units. */
  readonly mean: readonly number[];
  /** Per coordinate, in data units, above 0. */
  readonly std: readonly number[];
}

type Rows = Pick<Points, "values" | "count" | "dimension">;

/**
 * Mean and (population) standard deviation of each coordinate, in f64. A coordinate that never changes gets std 1: it
 * becomes 0 and is given back exactly.
 */
export function fitStandardization({ values, count, dimension }: Rows): Standardization {
  const mean = new Array<number>(dimension).fill(0);
  const std = new Array<number>(dimension).fill(0);
  for (let column = 0; column < dimension; column++) {
    const first = values[column];
    let sum = 0; // of differences from the first point, exactly 0 where nothing changes
    for (let row = 0; row < count; row++) sum += values[row * dimension + column] - first;
    mean[column] = first + sum / count;
    let largest = 0;
    for (let row = 0; row < count; row++) {
      largest = Math.max(largest, Math.abs(values[row * dimension + column] - mean[column]));
    }
    // In units of a power of two, which changes no digit: squares of what is below 1e-162 are 0 in f64.
    const unit = largest === 0 ? 1 : 2 ** Math.floor(Math.log2(largest));
    let squares = 0;
    for (let row = 0; row < count; row++) squares += ((values[row * dimension + column] - mean[column]) / unit) ** 2;
    std[column] = unit * Math.sqrt(squares / count) || largest || 1;
  }
  return { mean, std };
}

/**
 * How it is fitted: each number of a point by itself; or all numbers of a channel, the place on the last axis, by one mean
 * and one deviation.
 */
export type StandardizationMode = "coordinate" | "channel";

/** {@link fitStandardization} of points of this shape, each number of a channel with the channel's mean and deviation. */
export function fitChannels(points: Rows, shape: Shape): Standardization {
  const channels = shape.at(-1) ?? 1;
  const { values, count, dimension } = points;
  const each = fitStandardization({ values, count: (count * dimension) / channels, dimension: channels });
  const repeated = (list: readonly number[]) => Array.from({ length: dimension }, (_, i) => list[i % channels]);
  return { mean: repeated(each.mean), std: repeated(each.std) };
}

/** z [count, D] of x [count, D], in f64: of size 1, so that f32 may hold it then. */
export function standardize(x: ArrayLike<number>, { mean, std }: Standardization): Float64Array {
  const dimension = checkWidth(x, mean.length);
  const z = new Float64Array(x.length);
  for (let i = 0; i < z.length; i++) z[i] = (x[i] - mean[i % dimension]) / std[i % dimension];
  return z;
}

/** x [count, D], in data units, of z [count, D]. In f64: a mean of 1e6 beside a std of 1e-3 leaves f32 no digit. */
export function unstandardize(z: ArrayLike<number>, { mean, std }: Standardization): Float64Array {
  const dimension = checkWidth(z, mean.length);
  const x = new Float64Array(z.length);
  for (let i = 0; i < x.length; i++) x[i] = z[i] * std[i % dimension] + mean[i % dimension];
  return x;
}

/** log |det dz/dx| = -sum log std: log p(x) = log p(z) + this, in nats. */
export function logJacobian({ std }: Standardization): number {
  return -std.reduce((sum, value) => sum + Math.log(value), 0);
}

/**
 * A standardisation from plain JSON, such as a checkpoint's, checked.
 *
 * @throws {@link DataError} when it is not `{mean, std}` of `dimension` finite numbers each, std above 0.
 */
export function parseStandardization(json: unknown, dimension: number, source = "standardisation"): Standardization {
  const { mean, std } = (typeof json === "object" && json !== null ? json : {}) as Partial<Standardization>;
  const finite = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length === dimension && list.every((value) => Number.isFinite(value));
  if (finite(mean) && finite(std) && std.every((value) => value > 0)) return { mean: [...mean], std: [...std] };
  throw new DataError({
    subject: source,
    given: json,
    expected: `mean and std of ${dimension} finite numbers each, std above 0`,
    remedy: "Use the standardisation that was stored with the model.",
  });
}

function checkWidth(values: ArrayLike<number>, dimension: number): number {
  if (values.length % dimension === 0) return dimension;
  throw new DataError({
    subject: "points",
    given: `${values.length} values`,
    expected: `a multiple of ${dimension}, the dimension of the data`,
    remedy: "Give whole points, row-major [count, dimension].",
  });
}
