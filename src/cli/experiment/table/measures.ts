/** How tables of points are compared: scores that find planted rows, columns' distances, correlations, nearest records. */
import type { TableCodec } from "./codec.ts";

/** How scores tell planted rows from others: the higher, the more of a planted one. */
export interface Found {
  /** Area under the ROC curve: how often a planted row's score is above another's; ties count half. */
  readonly area: number;
  /** Precision at each planted row, by falling score, on average; ties in favour of none: as if the others came first. */
  readonly precision: number;
}

export function howFound(planted: ArrayLike<number>, others: ArrayLike<number>): Found {
  const all = [
    ...Array.from(planted, (score) => ({ score, isPlanted: true })),
    ...Array.from(others, (score) => ({ score, isPlanted: false })),
  ].sort((a, b) => b.score - a.score || Number(a.isPlanted) - Number(b.isPlanted));
  let [seen, before, area, precision] = [0, 0, 0, 0];
  for (const [rank, { score, isPlanted }] of all.entries()) {
    if (!isPlanted) {
      before++;
      continue;
    }
    seen++;
    precision += seen / (rank + 1);
    const tied = all.filter((one) => !one.isPlanted && one.score === score).length;
    area += others.length - before + tied / 2;
  }
  return { area: area / (planted.length * others.length), precision: precision / planted.length };
}

/** Points and the codec that made them. */
export interface Points {
  readonly values: ArrayLike<number>;
  readonly codec: TableCodec;
}

const countOf = ({ values, codec }: Points) => values.length / codec.dimension;

export function coordinate({ values, codec: { dimension } }: Points, k: number): Float64Array {
  return Float64Array.from({ length: values.length / dimension }, (_, row) => values[row * dimension + k] as number);
}

/** The field of a categorical column in each row, as text. */
const kindsOf = (points: Points, column: number) => points.codec.decode(points.values).map((row) => row[column]);

/**
 * How far each column of one table is from that of another, from 0 to 1: of numbers the largest difference of the distribution functions
 * (Kolmogorov and Smirnov), of categories total variation.
 */
export function columnDistances(a: Points, b: Points): number[] {
  return a.codec.places.map(({ column, from }, i) =>
    column.kind === "number"
      ? largestGap(coordinate(a, from), coordinate(b, from))
      : variation(kindsOf(a, i), kindsOf(b, i)),
  );
}

export function largestGap(a: Float64Array, b: Float64Array): number {
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i] as number, y[j] as number);
    while (i < x.length && (x[i] as number) <= at) i++;
    while (j < y.length && (y[j] as number) <= at) j++;
    most = Math.max(most, Math.abs(i / x.length - j / y.length));
  }
  return most;
}

export function variation<Kind>(a: readonly Kind[], b: readonly Kind[]): number {
  const difference = new Map<Kind, number>();
  for (const one of a) difference.set(one, (difference.get(one) ?? 0) + 1 / a.length);
  for (const one of b) difference.set(one, (difference.get(one) ?? 0) - 1 / b.length);
  return [...difference.values()].reduce((sum, one) => sum + Math.abs(one), 0) / 2;
}

/** Mean absolute difference of the correlations of all pairs of coordinates of different columns; 0 of a single column. */
export function correlationGap(a: Points, b: Points): number {
  const { places } = a.codec;
  const coordinates = places.flatMap(({ from, width }, column) =>
    Array.from({ length: width }, (_, i) => ({ column, k: from + i })),
  );
  const [own, other] = [a, b].map((points) => coordinates.map(({ k }) => standardised(coordinate(points, k))));
  let [sum, pairs] = [0, 0];
  for (const [i, first] of coordinates.entries()) {
    for (const [j, second] of coordinates.entries()) {
      if (j <= i || first.column === second.column) continue;
      sum += Math.abs(
        product(own?.[i] as Float64Array, own?.[j] as Float64Array) -
          product(other?.[i] as Float64Array, other?.[j] as Float64Array),
      );
      pairs++;
    }
  }
  return pairs === 0 ? 0 : sum / pairs;
}

function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const size = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0));
  return values.map((value) => (size > 0 ? (value - mean) / size : 0));
}

const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/**
 * Distance of each row to the nearest of others, from 0 to 1: the mean over columns of differences, of numbers as a share of what
 * training rows span, at most 1; of categories 0 or 1 (Gower's).
 *
 * @param spans - of each column of numbers, in coordinates.
 */
export function nearestDistances(rows: Points, others: Points, spans: readonly number[]): Float64Array {
  const [a, b] = [gowerOf(rows, spans), gowerOf(others, spans)];
  const columns = spans.length;
  return Float64Array.from({ length: countOf(rows) }, (_, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < countOf(others); j++) {
      let sum = 0;
      for (let c = 0; c < columns && sum < least; c++) {
        const difference = Math.abs((a[i * columns + c] as number) - (b[j * columns + c] as number));
        sum += difference > 1 ? 1 : difference;
      }
      if (sum < least) least = sum;
    }
    return least / columns;
  });
}

/** One number for each column: of which differences are shares of a span, or more than 1 between two categories. */
function gowerOf(points: Points, spans: readonly number[]): Float64Array {
  const { places } = points.codec;
  const fields = points.codec.decode(points.values);
  return Float64Array.from(
    fields.flatMap((row, i) =>
      places.map(({ column, from }, c) =>
        column.kind === "number"
          ? (points.values[i * points.codec.dimension + from] as number) / (spans[c] as number)
          : 2 * column.categories.indexOf(row[c] as string),
      ),
    ),
  );
}

/** Of training rows, as {@link nearestDistances} needs them. */
export function spansOf(points: Points): number[] {
  return points.codec.places.map(({ from }) => {
    const own = coordinate(points, from).sort();
    return (own.at(-1) as number) - (own[0] as number) || 1;
  });
}
