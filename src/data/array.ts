import { ConfigError, DataError } from "../errors.ts";
import { booleanOption, optionsObject } from "../graph/options.ts";
import { gather } from "../ops/rows.ts";
import { fingerprint } from "./fingerprint.ts";
import { type Numbers, shapedNumbers } from "./numbers.ts";
import { checkPoints } from "./points.ts";
import type { DataSource } from "./source.ts";
import { fitStandardization, type Standardization, standardize } from "./standardize.ts";

/** Name of the state that holds the points, in model units. */
export const POINT_STATE = "data.points";

export interface ArrayDataOptions {
  /**
   * Train on (x - mean) / std, per coordinate, of the points trained on; samples and densities of the model are still in
   * data units. Default false.
   */
  readonly standardize?: boolean;
  /** Names of the coordinates, in order, each once; models and their files keep them. */
  readonly columns?: readonly string[] | undefined;
}

/** A user's own points, as {@link arrayData} makes them. */
export interface ArrayData extends DataSource {
  /** Number of points. */
  readonly count: number;
  /** Row-major [count, D], in data units, as they were given; not to be changed. */
  readonly values: Float32Array | Float64Array;
  /** What is known of each point, by name: row-major [count, ...], in data units; labels u32. Left out: nothing. */
  readonly conditionValues?: Readonly<Record<string, Float32Array | Float64Array | Uint32Array>>;
}

/**
 * A user's own points. They lie on the device as state; a batch is gathered there by random indices, each point equally
 * likely, with replacement. Checkpoints keep a fingerprint of them instead of the points: see `resumeData`.
 *
 * @param values - in data units: one array [[x, y], ...] of points, without a shape; or row-major numbers, an array of
 * any length, with one. Copied, in f64 unless they are a Float32Array.
 * @param shape - [count, D].
 * @throws {@link DataError} when there are no points, rows differ in length, the shape does not fit, or a value is no
 * finite number in the range of f32: the message names its row and column.
 * @throws {@link ConfigError} when an option is unknown or wrong.
 * @example
 * const data = arrayData([[1, 2], [3, 4]], undefined, { standardize: true, columns: ["age", "income"] });
 */
export function arrayData(values: Numbers, shape?: readonly number[], options: ArrayDataOptions = {}): ArrayData {
  optionsObject("options of arrayData", options, ["standardize", "columns"]);
  const { standardize = false, columns } = options;
  booleanOption("standardize of arrayData", standardize);
  const numbers = shapedNumbers("data", values, shape);
  const { count, dimension } = checkPoints(numbers.values, numbers.shape);
  checkColumns(columns, dimension);
  return madeArray({
    values: numbers.values,
    options: { count, dimension, standardize, fingerprint: fingerprint(numbers.values) },
    ...(columns ? { columns: Object.freeze([...columns]) } : {}),
  });
}

/** What an `arrayData` is made of, as plain data: the same parts make a source of the same bits. */
export interface ArrayParts {
  readonly values: Float32Array | Float64Array;
  readonly options: { readonly count: number; readonly dimension: number; readonly standardize: boolean } & Readonly<
    Record<string, unknown>
  >;
  readonly columns?: readonly string[];
}

/**
 * The source of these parts, which are its own from now on.
 *
 * @param fitted - the standardisation to use; default: that of these points, where one is asked for.
 */
export function madeArray({ values, options, columns }: ArrayParts, fitted?: Standardization): ArrayData {
  const { count, dimension } = options;
  const standardization = options.standardize
    ? (fitted ?? fitStandardization({ values, count, dimension }))
    : undefined;
  let state: DataSource["state"];
  return {
    name: "array",
    options,
    dimension,
    count,
    values,
    ...(columns ? { columns } : {}),
    /** Made when it is asked for: of points that are split, only the parts are. */
    get state() {
      const points = () => Float32Array.from(standardization ? standardize(values, standardization) : values);
      state ??= new Map([[POINT_STATE, points()]]);
      return state;
    },
    ...(standardization ? { standardization } : {}),
    draw: ({ rows, random, state }) =>
      gather(state(POINT_STATE, [count, dimension], "f32"), random("index", [rows], { bound: count })),
  };
}

/** The source in model units of this standardisation. By f64 on the host: a device's f32 may have no digit left. */
export function inUnits(source: DataSource, standardization: Standardization | undefined): DataSource {
  if (!isArrayData(source) || JSON.stringify(source.standardization) === JSON.stringify(standardization)) return source;
  const { values, options, columns } = source;
  const own = { ...options, standardize: standardization !== undefined } as ArrayParts["options"];
  return madeArray({ values, options: own, ...(columns ? { columns } : {}) }, standardization);
}

/** Whether a source is a user's own points. */
export function isArrayData(source: DataSource): source is ArrayData {
  return source.name === "array" && "values" in source;
}

/**
 * The points of these rows as a source of their own.
 *
 * @param fitted - the standardisation to use; default: that of these rows, where the source has one.
 */
export function arrayRows(source: ArrayData, rows: ArrayLike<number>, fitted?: Standardization): ArrayData {
  const { dimension, values: all, options, columns } = source;
  const values = new (all instanceof Float64Array ? Float64Array : Float32Array)(rows.length * dimension);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    values.set(all.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  }
  const own = { ...options, count: rows.length } as ArrayParts["options"];
  return madeArray({ values, options: own, ...(columns ? { columns } : {}) }, fitted);
}

function checkColumns(columns: unknown, dimension: number): void {
  if (columns === undefined) return;
  if (!Array.isArray(columns) || !columns.every((name) => typeof name === "string")) {
    throw new ConfigError({
      subject: "columns of arrayData",
      given: columns,
      expected: "names of the coordinates",
      remedy: 'Give an array of strings, such as ["age", "income"], or leave it out.',
    });
  }
  const seen = new Set<string>();
  const again = columns.find((name) => name !== "" && seen.size === seen.add(name).size);
  if (again !== undefined) {
    throw new ConfigError({
      subject: "columns of arrayData",
      given: again,
      expected: "each name once",
      remedy: "Give each coordinate a name of its own, or leave the names out.",
    });
  }
  if (columns.length === dimension) return;
  throw new DataError({
    subject: "columns of arrayData",
    given: `${columns.length} names: ${columns.join(", ")}`,
    expected: `${dimension}, one for each coordinate`,
    remedy: "Give each coordinate its name, in order.",
  });
}
