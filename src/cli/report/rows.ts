/** The rows of data that a report shows, and what each column spans. */
import { type DataSource, sampleData } from "../../index.ts";
import { extremes } from "./numbers.ts";

export interface Rows {
  /** Row-major [count, dimension], in data units. */
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** Names of the columns, one for each coordinate. */
  readonly columns: readonly string[];
  /** Drawn for the report from a data set that has no end, not the rows of a file. */
  readonly drawn: boolean;
}

/** Rows drawn from a named data set, for tables and pictures. */
const DRAWN = 16_384;

export function drawnRows(data: DataSource, seed: number, count = DRAWN): Rows {
  const { dimension } = data;
  return { values: sampleData(data, count, seed), count, dimension, columns: columnNames(dimension), drawn: true };
}

/** x and y of a plane; x1, x2, ... otherwise. */
export function columnNames(dimension: number, given?: readonly string[]): readonly string[] {
  if (given?.length === dimension) return given;
  if (dimension <= 2) return ["x", "y"].slice(0, dimension);
  return Array.from({ length: dimension }, (_, i) => `x${i + 1}`);
}

/** The values of a column. */
export function columnOf(
  { values, dimension }: { values: ArrayLike<number>; dimension: number },
  column: number,
): Float64Array {
  return Float64Array.from({ length: values.length / dimension }, (_, i) => values[i * dimension + column] as number);
}

/** A stretch of an axis; `low` is below `high`. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Shares of the values outside which an axis need not reach, and how far it reaches beyond them. */
const [TAIL, ROOM] = [0.005, 0.25];

/**
 * What an axis spans: all values where they end soon, and where a few lie far out, what the others span and a quarter
 * more on each side. Of a constant, a stretch around it.
 */
export function rangeOf(values: Float64Array): Range {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  const [least, most] = [at(0), at(1)];
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  const span = high - low || most - least;
  if (span === 0) {
    const half = Math.abs(least) / 2 || 1;
    return { low: least - half, high: least + half };
  }
  return {
    low: Math.max(least - 0.08 * span, low - ROOM * span),
    high: Math.min(most + 0.08 * span, high + ROOM * span),
  };
}

/** The ranges of a plane's axes: of one scale where they nearly are, so that shapes keep their proportions. */
export function planeRanges(rows: Rows): readonly [Range, Range] {
  const [x, y] = [rangeOf(columnOf(rows, 0)), rangeOf(columnOf(rows, 1))];
  const [width, height] = [x.high - x.low, y.high - y.low];
  const side = Math.max(width, height);
  if (Math.min(width, height) < side / 2) return [x, y];
  const widened = ({ low, high }: Range): Range => ({ low: (low + high - side) / 2, high: (low + high + side) / 2 });
  return [widened(x), widened(y)];
}

export interface ColumnSummary {
  readonly name: string;
  readonly mean: number;
  /** Of the rows as they are: divided by their number. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

/** A line for each column. Sums are of differences from the first value: large offsets lose no digits. */
export function summarizeColumns(rows: Rows): ColumnSummary[] {
  return rows.columns.map((name, column) => {
    const values = columnOf(rows, column);
    const first = values[0] as number;
    const shift = values.reduce((sum, value) => sum + (value - first), 0) / values.length;
    const mean = first + shift;
    const squares = values.reduce((sum, value) => sum + (value - first - shift) ** 2, 0);
    const { least, most } = extremes(values);
    return { name, mean, deviation: Math.sqrt(squares / values.length), least, most };
  });
}
