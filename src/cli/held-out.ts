/**
 * Which rows of a file a comparison trains on, stops by and is judged by: three parts, drawn by seed, none of a row in
 * two of them. Rows are numbered from 0, as the file has them without its header.
 */
import { type ConditionValues, ConfigError, type DataSource, type Points, splitRows, type Trainer } from "../index.ts";
import { dataOf } from "./data.ts";
import type { HeldOut } from "./overfitting.ts";
import { counted } from "./report/numbers.ts";

/** A file's rows without those that models are judged by, and these. */
export interface Parts {
  /** What is trained on, and of which a trainer holds out what it stops by. */
  readonly data: DataSource;
  /** Numbers of its rows in the file. */
  readonly rows: Uint32Array;
  /** What models are judged by. */
  readonly test: Points;
  /** Numbers of its rows in the file; undefined where it is a file of its own. */
  readonly testRows: Uint32Array | undefined;
}

/** @param most - test rows at most, where --points says so. */
export function partsOf(points: Points, test: HeldOut, seed: number, most = Number.POSITIVE_INFINITY): Parts {
  if (typeof test !== "number") {
    const rows = Uint32Array.from({ length: points.count }, (_, row) => row);
    return { data: dataOf(points), rows, test: test.points, testRows: undefined };
  }
  if (points.count < 3) {
    throw new ConfigError({
      subject: "data",
      given: counted(points.count, "row"),
      expected: "at least 3: to train on, to stop by and to judge by",
      remedy: "Give more rows, or test rows in a file of their own (--test FILE).",
    });
  }
  const wanted = test < 1 ? Math.max(1, Math.round(test * points.count)) : test;
  const { training, heldOut } = splitRows(points.count, Math.min(wanted, most), seed);
  return { data: dataOf(rowsOf(points, training)), rows: training, test: rowsOf(points, heldOut), testRows: heldOut };
}

export function rowsOf(points: Points, rows: Uint32Array): Points {
  const { values, dimension } = points;
  const chosen = new Float64Array(rows.length * dimension);
  rows.forEach((row, i) => {
    for (let column = 0; column < dimension; column++) {
      chosen[i * dimension + column] = values[row * dimension + column] as number;
    }
  });
  const conditions = points.conditions && { conditions: rowsTold(points.conditions, points.count, rows) };
  return { ...points, values: chosen, count: rows.length, ...conditions };
}

/** What is told of these rows, of `count`. */
function rowsTold(conditions: Readonly<Record<string, ConditionValues>>, count: number, rows: Uint32Array) {
  const each = Object.entries(conditions).map(([name, given]): [string, ConditionValues] => {
    const isList = Array.isArray(given) || ArrayBuffer.isView(given);
    const all = isList ? { values: given as Float64Array } : (given as { readonly values: Float64Array });
    const { shape = [count] } = all as { readonly shape?: readonly number[] };
    const width = all.values.length / count;
    const values = Array.from(rows, (row) => Array.from(all.values.slice(row * width, (row + 1) * width))).flat();
    return [
      name,
      {
        ...all,
        values,
        ...(shape.length > 1 ? { shape: [rows.length, ...shape.slice(1)] } : { shape: [rows.length] }),
      },
    ];
  });
  return Object.fromEntries(each);
}

/** Numbers of the rows of a file that a comparison used, by what for. */
export interface RowsUsed {
  readonly seed: number;
  readonly training: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

/** Of a trainer that was given `parts.data`: its own row numbers are among those, not the file's. */
export function rowsUsed(parts: Parts, trainer: Trainer, seed: number): RowsUsed {
  const ofFile = (rows: Uint32Array | undefined) => Array.from(rows ?? [], (row) => parts.rows[row] as number);
  return {
    seed,
    training: ofFile(trainer.trainingRows),
    validation: ofFile(trainer.heldOutRows),
    test: Array.from(parts.testRows ?? []),
  };
}
