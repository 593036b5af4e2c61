/** Rows that a density finds unlikely: planted ones, to see whether it does, and which columns make a row so. */
import { uniformSequence } from "../random-numbers.ts";
import type { TableCodec } from "./codec.ts";
import type { TableDensity } from "./densities.ts";

/** Planted rows: of the first half one column is another row's, of the others each column is that of a row of its own. */
export interface Planted {
  /** [count, D] */
  readonly points: Float64Array;
  /** The one column that was changed, by its place; -1: all are mixed. */
  readonly changed: readonly number[];
}

/** A number that is planted differs by at least this many deviations. */
const FAR = 1;
const TRIES = 50;

/** @param points - rows that nothing was trained on, the middle of each value [count, D]. */
export function plant(points: Float64Array, codec: TableCodec, count: number, seed: number): Planted {
  const { dimension, places } = codec;
  const uniform = uniformSequence(seed);
  const pick = (most: number) => Math.min(most - 1, Math.floor(uniform() * most));
  const rows = points.length / dimension;
  const fields = codec.decode(points);
  const at = (row: number, k: number) => points[row * dimension + k] as number;
  const isOther = (a: number, b: number, column: number) => {
    const { from, column: own } = places[column] as (typeof places)[number];
    return own.kind === "number"
      ? Math.abs(at(a, from) - at(b, from)) > FAR
      : fields[a]?.[column] !== fields[b]?.[column];
  };
  const all = new Float64Array(count * dimension);
  const changed = Array.from({ length: count }, (_, i) => {
    const row = pick(rows);
    const into = all.subarray(i * dimension, (i + 1) * dimension);
    into.set(points.subarray(row * dimension, (row + 1) * dimension));
    const copy = (column: number, from: number) => {
      const place = places[column] as (typeof places)[number];
      for (let k = place.from; k < place.from + place.width; k++) into[k] = at(from, k);
    };
    if (i >= count / 2) {
      for (const column of places.keys()) copy(column, pick(rows));
      return -1;
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const [column, other] = [pick(places.length), pick(rows)];
      if (!isOther(row, other, column)) continue;
      copy(column, other);
      return column;
    }
    return -1;
  });
  return { points: all, changed };
}

/**
 * How likely rows are, for their order: log p with categories by their probability and numbers in standardised, transformed units, so that
 * no column's unit has a say. The rows are the middles of their values.
 */
export async function scoresOf(density: TableDensity, codec: TableCodec, points: Float64Array): Promise<Float64Array> {
  const [own, masses] = [await density.logDensity(points), codec.logJacobian(points, "categories")];
  return own.map((value, row) => value + (masses[row] as number));
}

/** What a column has to do with a row being unlikely. */
export interface Blame {
  /** The column's place. */
  readonly column: number;
  /** Nats that the row would gain if this column alone had the value that makes it likeliest; 0 where it has that. */
  readonly gain: number;
  /** That value, as a file has it. */
  readonly likelier: string;
}

/** Values of a column of numbers that are tried. */
const TRIED = 24;

/**
 * For each row its columns, the one that gains most first: each column alone is given every value of {@link TRIED} quantiles of training
 * rows (of categories: each of them), and the gain is how far the score rises at most. So a column is to blame where the others, as they
 * are, make its value unlikely: of log p(row) = log p(column given the others) + log p(others) only the first changes.
 *
 * @param reference - training rows, the middle of each value [count, D].
 */
export async function blamesOf(
  density: TableDensity,
  codec: TableCodec,
  points: Float64Array,
  reference: Float64Array,
): Promise<readonly (readonly Blame[])[]> {
  const { dimension, places } = codec;
  const values = places.map((place) => valuesOf(place, codec, reference));
  const rows = points.length / dimension;
  const each = values.reduce((sum, own) => sum + own.length, 0);
  const tried = new Float64Array(rows * each * dimension);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (const [column, own] of values.entries()) {
      for (const value of own) {
        const into = tried.subarray(at * dimension, (at + 1) * dimension);
        into.set(points.subarray(row * dimension, (row + 1) * dimension));
        into.set(value, (places[column] as (typeof places)[number]).from);
        at++;
      }
    }
  }
  const [before, after] = [await scoresOf(density, codec, points), await scoresOf(density, codec, tried)];
  const fields = codec.decode(tried);
  return Array.from({ length: rows }, (_, row) => {
    let first = row * each;
    const blames = values.map((own, column): Blame => {
      let best = first;
      for (let i = first; i < first + own.length; i++) if ((after[i] as number) > (after[best] as number)) best = i;
      first += own.length;
      const gain = Math.max(0, (after[best] as number) - (before[row] as number));
      return { column, gain, likelier: fields[best]?.[column] as string };
    });
    return blames.sort((a, b) => b.gain - a.gain);
  });
}

/** Coordinates of each value that is tried. */
function valuesOf(
  { column, from, width }: TableCodec["places"][number],
  codec: TableCodec,
  reference: Float64Array,
): readonly (readonly number[])[] {
  const { dimension } = codec;
  if (column.kind === "category") {
    const rows = column.categories.map((field) => {
      const fields: string[] = [];
      fields[column.index] = field;
      return fields;
    });
    const points = codec.encode(rows, () => 0.5);
    return rows.map((_, i) => Array.from({ length: width }, (__, k) => points[i * dimension + from + k] as number));
  }
  const sorted = Float64Array.from({ length: reference.length / dimension }, (_, row) => {
    return reference[row * dimension + from] as number;
  }).sort();
  return Array.from({ length: TRIED }, (_, i) => [sorted[Math.floor(((i + 0.5) / TRIED) * sorted.length)] as number]);
}
