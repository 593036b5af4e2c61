/**
 * A table's rows as points that a flow can learn, and back: numbers dequantised, on their scale and standardised; categories as one
 * coordinate for each (two: one in all), 1 or 0, dequantised and brought to a standard normal by its own shares.
 *
 * Of a point z, log p(row) = log p(z) + log |dz/dx|: densities are in the columns' own units. Dequantised values have a density that is
 * the probability of the value over its step, on average over the noise: so log p(row) is, by Jensen, below the log-probability.
 *
 * @see Theis, van den Oord and Bethge, A note on the evaluation of generative models (ICLR 2016).
 */
import { fromLine, logJacobianAt, type Transform, toLine } from "../../../posterior/transforms.ts";
import { type CategoryColumn, dateOf, type ModelColumn, type NumberColumn, numberOf } from "./columns.ts";

/** Coordinates of a column. */
export interface Place {
  readonly column: ModelColumn;
  /** The first, and how many. */
  readonly from: number;
  readonly width: number;
}

export interface TableCodec {
  readonly places: readonly Place[];
  /** D. */
  readonly dimension: number;
  /**
   * Points of rows [count, D]; NaN where a field is missing.
   *
   * @param noise - numbers in [0, 1), one after the other; 0.5 is the middle of each value.
   */
  encode(rows: Rows, noise: () => number): Float64Array;
  /** Fields of each model column of points [count, D], as a file has them. */
  decode(points: ArrayLike<number>): string[][];
  /** log |dz/dx| of each point [count]: of all columns, or of the categories alone. */
  logJacobian(points: ArrayLike<number>, of?: "all" | "categories"): Float64Array;
}

/** Fields by row, as `readFields` gives them. */
export type Rows = readonly (readonly (string | undefined)[])[];

/** Noise of 0 would put a value on the edge of where it may be. */
const LEAST_NOISE = 2 ** -30;

/** How one coordinate is made of a number. */
interface Coordinate {
  readonly transform: Transform;
  readonly mean: number;
  readonly deviation: number;
}

/** The threshold above which an indicator is 1. */
const SHARES: Transform = { kind: "between", low: 0, high: 1 };

/**
 * @param columns - those of the model, in order.
 * @param training - rows that scales and shares are taken from; fields are found by a column's `index`.
 */
export function tableCodec(columns: readonly ModelColumn[], training: Rows): TableCodec {
  let dimension = 0;
  const places = columns.map((column): Place => {
    const width = column.kind === "number" || column.categories.length === 2 ? 1 : column.categories.length;
    const place = { column, from: dimension, width };
    dimension += width;
    return place;
  });
  const parts = places.map((place) => ({ place, ...partOf(place, training) }));
  return {
    places,
    dimension,
    encode(rows, draw) {
      const noise = () => Math.max(LEAST_NOISE, draw());
      const points = new Float64Array(rows.length * dimension);
      for (const [row, fields] of rows.entries()) {
        for (const { place, encode } of parts) {
          const field = fields[place.column.index];
          const own = points.subarray(row * dimension + place.from, row * dimension + place.from + place.width);
          if (field === undefined) own.fill(Number.NaN);
          else encode(field, noise, own);
        }
      }
      return points;
    },
    decode(points) {
      return Array.from({ length: points.length / dimension }, (_, row) =>
        parts.map(({ place: { from, width }, decode }) =>
          decode(Array.from({ length: width }, (__, i) => points[row * dimension + from + i] as number)),
        ),
      );
    },
    logJacobian(points, of = "all") {
      const sums = new Float64Array(points.length / dimension);
      for (const { place, logJacobian } of parts) {
        if (of === "categories" && place.column.kind !== "category") continue;
        for (let row = 0; row < sums.length; row++) {
          for (let i = 0; i < place.width; i++) {
            sums[row] = (sums[row] as number) + logJacobian(points[row * dimension + place.from + i] as number, i);
          }
        }
      }
      return sums;
    },
  };
}

interface Part {
  encode(field: string, noise: () => number, into: Float64Array): void;
  decode(coordinates: readonly number[]): string;
  /** log |dz/dx| of the i-th coordinate. */
  logJacobian(z: number, i: number): number;
}

function partOf({ column }: Place, training: Rows): Part {
  const fields = training.flatMap((row) => row[column.index] ?? []);
  return column.kind === "number" ? numberPart(column, fields) : categoryPart(column, fields);
}

function numberPart(column: NumberColumn, fields: readonly string[]): Part {
  const { step, least } = column;
  const transform = transformOf(column);
  const lines = fields.map((field) => toLine(transform, numberOf(column, field)));
  const { mean, deviation } = scaleOf(lines, transform, step);
  return {
    encode(field, noise, into) {
      const value = numberOf(column, field) + step * (noise() - 0.5);
      into[0] = (toLine(transform, value) - mean) / deviation;
    },
    decode: ([z = 0]) => {
      const value = fromLine(transform, mean + deviation * z);
      const onGrid = step > 0 ? least + step * Math.round((value - least) / step) : value;
      return fieldOf(column, onGrid);
    },
    logJacobian: (z) => logJacobianAt(transform, mean + deviation * z) - Math.log(deviation),
  };
}

/** Half a step beyond what there is: values are dequantised to both sides. What counts from one step on has no 0. */
function transformOf({ scale, step, low, high, least }: NumberColumn): Transform {
  if (scale === "log") return { kind: "above", low: (least === step ? step : 0) - step / 2, mean: 0, deviation: 1 };
  if (scale === "bounded") return { kind: "between", low: low - step / 2, high: high + step / 2 };
  return { kind: "unbounded", mean: 0, deviation: 1 };
}

/** Of the training rows; where these are all alike, of a step, or of the value's own size. */
function scaleOf(lines: readonly number[], transform: Transform, step: number): Omit<Coordinate, "transform"> {
  const mean = lines.reduce((sum, z) => sum + z / lines.length, 0);
  const variance = lines.reduce((sum, z) => sum + (z - mean) ** 2 / lines.length, 0);
  const noise = transform.kind === "unbounded" ? step ** 2 / 12 : 0;
  const least = 1e-9 * (Math.abs(mean) || 1);
  const deviation = Math.sqrt(variance + noise);
  return { mean, deviation: deviation > least ? deviation : Math.abs(mean) || 1 };
}

/** As the file writes such numbers; none is negative where none of the file's is. */
function fieldOf({ isDate, least, decimals, decimal }: NumberColumn, given: number): string {
  const value = least >= 0 ? Math.max(0, given) : given;
  if (isDate) return dateOf(Math.round(value));
  const digits = Number.isFinite(decimals) && decimals <= 12 ? Number(value.toFixed(decimals)) : value;
  const text = String(Number(digits.toPrecision(15)));
  return decimal === "," ? text.replace(".", ",") : text;
}

function categoryPart({ categories }: CategoryColumn, fields: readonly string[]): Part {
  // Half a row more of each, so that one that training rows do not have is rare, not impossible.
  const counts = categories.map((one) => fields.filter((field) => field === one).length + 0.5);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const shares = counts.map((count) => count / total);
  const indicated = categories.length === 2 ? [1] : categories.map((_, i) => i);
  const off = indicated.map((i) => 1 - (shares[i] as number)); // below it the indicator is 0
  const thresholds = off.map((share) => toLine(SHARES, share));
  const above = (z: number, k: number) => z - (thresholds[k] as number);
  return {
    encode(field, noise, into) {
      const own = categories.indexOf(field);
      for (const [k, i] of indicated.entries()) {
        const end = off[k] as number;
        into[k] = toLine(SHARES, own === i ? end + (1 - end) * noise() : end * noise());
      }
    },
    decode(coordinates) {
      if (indicated.length === 1) return categories[above(coordinates[0] as number, 0) > 0 ? 1 : 0] as string;
      let best = 0;
      for (const [k, z] of coordinates.entries()) if (above(z, k) > above(coordinates[best] as number, best)) best = k;
      return categories[best] as string;
    },
    // z is of a share s, and s of the noise u: ds/du is the indicator's own share.
    logJacobian: (z, k) =>
      logJacobianAt(SHARES, z) + Math.log(above(z, k) > 0 ? 1 - (off[k] as number) : (off[k] as number)),
  };
}
