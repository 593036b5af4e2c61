import { ConfigError, DataError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { choiceOption, optionsObject } from "../graph/options.ts";
import { gather } from "../ops/rows.ts";
import { fingerprint } from "./fingerprint.ts";
import { type ConditionValues, type Numbers, shapedNumbers } from "./numbers.ts";
import { checkPoints } from "./points.ts";
import {
  type ConditionUnits,
  conditionOptions,
  declarations,
  fitted,
  fittedUnits,
  type RowConditions,
  rowConditions,
} from "./row-conditions.ts";
import type { DataContext, DataSource, Drawn } from "./source.ts";
import { type Standardization, type StandardizationMode, standardize } from "./standardize.ts";

/** Name of the state that holds the points, in model units. */
export const POINT_STATE = "data.points";

/** Name of the state that holds a condition, in model units. */
const conditionState = (name: string): string => `data.condition.${name}`;

export interface ArrayDataOptions {
  /**
   * Train on (x - mean) / std of the points trained on: of each coordinate by itself (true or "coordinate"), or with one
   * mean and deviation for all numbers of a channel, the last axis of a point's shape. Conditions of numbers are
   * standardised likewise. Samples and densities of the model are still in data units, and so is what it is told. Default
   * false.
   */
  readonly standardize?: boolean | StandardizationMode;
  /** Names of the coordinates, in order, each once; models and their files keep them. */
  readonly columns?: readonly string[] | undefined;
  /**
   * What is known of each point beside itself, by name: labels (strings, or integers in a typed array such as a
   * Uint32Array, or in any where the network is told one of so many classes) or numbers; networks that declare conditions of these names are told them. See {@link ConditionValues}.
   */
  readonly conditions?: Readonly<Record<string, ConditionValues>> | undefined;
}

/** A user's own points, as {@link arrayData} makes them. */
export interface ArrayData extends DataSource {
  /** Number of points. */
  readonly count: number;
  /** Row-major [count, D], in data units, as they were given; not to be changed. */
  readonly values: Float32Array | Float64Array;
  /** Conditions by name, in data units: labels [count], numbers row-major [count, ...shape]; not to be changed. */
  readonly conditionValues?: Readonly<Record<string, Float32Array | Float64Array | Uint32Array>>;
  /** The rows of these numbers, u32 [B], with what is known of them. */
  rowsAt(chosen: Node, context: Pick<DataContext, "state">): Node | Drawn;
}

/**
 * A user's own points. They lie on the device as state; a batch is gathered there by random indices, each point equally
 * likely, with replacement, and what is known of these points with them. Checkpoints keep a fingerprint of them instead
 * of the points: see `resumeData`.
 *
 * @param values - in data units: one array [[x, y], ...] of points, each of which may be arrays in arrays, without a shape;
 * or row-major numbers, an array of any length, with one. Copied, in f64 unless they are a Float32Array.
 * @param shape - [count, ...shape of a point], such as [count, D] or [count, 28, 28, 1].
 * @throws {@link DataError} when there are no points, rows differ in length, the shape does not fit, or a value is no
 * finite number in the range of f32: the message names its row and place, and the condition.
 * @throws {@link ConfigError} when an option is unknown or wrong.
 * @example
 * const data = arrayData([[1, 2], [3, 4]], undefined, { standardize: true, columns: ["age", "income"] });
 * const digits = arrayData(pixels, [10_000, 28, 28, 1], { conditions: { label: Uint8Array.from(labels) } });
 */
export function arrayData(values: Numbers, shape?: readonly number[], options: ArrayDataOptions = {}): ArrayData {
  optionsObject("options of arrayData", options, ["standardize", "columns", "conditions"]);
  const { standardize = false, columns } = options;
  choiceOption("standardize of arrayData", standardize, [true, false, "coordinate", "channel"]);
  const numbers = shapedNumbers("data", values, shape);
  const { count, dimension, shape: sample } = checkPoints(numbers.values, numbers.shape);
  checkColumns(columns, dimension);
  const conditions = options.conditions === undefined ? undefined : rowConditions(options.conditions, count);
  return madeArray({
    values: numbers.values,
    options: {
      ...{ count, dimension, standardize: standardize === "coordinate" || standardize },
      fingerprint: fingerprint(numbers.values),
      ...(sample ? { shape: Object.freeze([...sample]) } : {}),
      ...(conditions ? { conditions: conditionOptions(conditions) } : {}),
    },
    ...(columns ? { columns: Object.freeze([...columns]) } : {}),
    ...(conditions ? { conditions } : {}),
  });
}

/** Units that are not fitted: those of a model, whose own samples the points are. */
export interface GivenUnits {
  readonly points: Standardization;
  readonly conditions: ConditionUnits;
}

/** What an `arrayData` is made of, as plain data: the same parts make a source of the same bits. */
export interface ArrayParts {
  readonly values: Float32Array | Float64Array;
  readonly options: {
    readonly count: number;
    readonly dimension: number;
    readonly standardize: boolean | "channel" | GivenUnits;
    /** Of a point; left out: [dimension]. */
    readonly shape?: Shape;
  } & Readonly<Record<string, unknown>>;
  readonly columns?: readonly string[];
  readonly conditions?: RowConditions;
}

/** The parts of a source that {@link madeArray} made. */
export function arrayParts({ options, values, columns, conditions, conditionValues = {} }: ArrayData): ArrayParts {
  const parts = { values, options: options as ArrayParts["options"], ...(columns ? { columns } : {}) };
  if (!conditions) return parts;
  const all = Object.entries(conditions).map(([name, { standardization: _, ...one }]) => [
    name,
    { ...one, values: conditionValues[name] },
  ]);
  return { ...parts, conditions: Object.fromEntries(all) };
}

/**
 * The source of these parts, which are its own from now on.
 *
 * @param fit - the standardisation to use; default: that of these points, where one is asked for.
 * @param units - of the conditions; default: likewise.
 */
export function madeArray(parts: ArrayParts, fit?: Standardization, units?: ConditionUnits): ArrayData {
  const { values, options, columns, conditions } = parts;
  const { count, dimension, shape } = options;
  const mode = options.standardize === "channel" ? "channel" : "coordinate";
  const given = Object(options.standardize) as Partial<GivenUnits>;
  const standardization = options.standardize
    ? (fit ?? given.points ?? fitted({ values, count, dimension }, shape ?? [dimension], mode))
    : undefined;
  const conditionUnits =
    (conditions && (units ?? given.conditions ?? (options.standardize && fittedUnits(conditions, mode, count)))) || {};
  const rowsAt: ArrayData["rowsAt"] = (chosen, { state }) => {
    const points = gather(state(POINT_STATE, [count, dimension], "f32"), chosen);
    if (!conditions) return points;
    const told = Object.entries(conditions).map(([name, { shape, classes }]) => {
      const dtype = classes === undefined ? "f32" : "u32";
      return [name, gather(state(conditionState(name), [count, ...shape], dtype), chosen)] as const;
    });
    return { points, conditions: new Map(told) };
  };
  let state: DataSource["state"];
  return {
    name: "array",
    options,
    dimension,
    count,
    values,
    ...(columns ? { columns } : {}),
    ...(shape ? { shape } : {}),
    ...(conditions ? conditionFields(conditions, conditionUnits) : {}),
    /** Made when it is asked for: of points that are split, only the parts are. */
    get state() {
      state ??= new Map([
        [POINT_STATE, inF32(values, standardization)],
        ...Object.entries(conditions ?? {}).map(
          ([name, one]) => [conditionState(name), inF32(one.values, conditionUnits[name])] as const,
        ),
      ]);
      return state;
    },
    ...(standardization ? { standardization } : {}),
    draw: (context) => rowsAt(context.random("index", [context.rows], { bound: count }), context),
    rowsAt,
  };
}

function conditionFields(conditions: RowConditions, units: ConditionUnits) {
  return {
    conditions: declarations(conditions, units),
    conditionValues: Object.fromEntries(Object.entries(conditions).map(([name, { values }]) => [name, values])),
  };
}

function inF32(
  values: Float32Array | Float64Array | Uint32Array,
  standardization: Standardization | undefined,
): Float32Array | Uint32Array {
  if (values instanceof Uint32Array) return values;
  return Float32Array.from(standardization ? standardize(values, standardization) : values);
}

/**
 * The source in model units of this standardisation. By f64 on the host: a device's f32 may have no digit left.
 *
 * @param units - of the conditions, a model's; left out: they stay in the source's own.
 */
export function inUnits(
  source: DataSource,
  standardization: Standardization | undefined,
  units?: ConditionUnits,
): DataSource {
  if (!isArrayData(source)) return source;
  const own = unitsOf(source);
  const isSame =
    JSON.stringify(source.standardization) === JSON.stringify(standardization) &&
    (!units || Object.keys(own).every((name) => JSON.stringify(own[name]) === JSON.stringify(units[name])));
  if (isSame) return source;
  const parts = arrayParts(source);
  const options = { ...parts.options, standardize: standardization !== undefined };
  return madeArray({ ...parts, options }, standardization, units ?? own);
}

/** The units of a source's conditions; undefined for those that are the same in model units. */
export function unitsOf({ conditions = {} }: DataSource): ConditionUnits {
  return Object.fromEntries(Object.entries(conditions).map(([name, one]) => [name, one.standardization]));
}

/** Whether a source is a user's own points. */
export function isArrayData(source: DataSource): source is ArrayData {
  return source.name === "array" && "values" in source;
}

/**
 * The points of these rows as a source of their own.
 *
 * @param fit - the standardisation to use; default: that of these rows, where the source has one.
 * @param units - of the conditions; default: likewise.
 */
export function arrayRows(
  source: ArrayData,
  rows: ArrayLike<number>,
  fit?: Standardization,
  units?: ConditionUnits,
): ArrayData {
  const { values, options, conditions, ...parts } = arrayParts(source);
  const chosen = Object.entries(conditions ?? {}).map(([name, one]) => [
    name,
    { ...one, values: rowsOf(one.values, rows, sizeOf(one.shape)) },
  ]);
  return madeArray(
    {
      ...parts,
      values: rowsOf(values, rows, source.dimension),
      options: { ...options, count: rows.length },
      ...(conditions ? { conditions: Object.fromEntries(chosen) } : {}),
    },
    fit,
    units,
  );
}

/** These rows of row-major values [count, width]. */
export function rowsOf<Values extends Float32Array | Float64Array | Uint32Array>(
  all: Values,
  rows: ArrayLike<number>,
  width: number,
): Values {
  const values = new (all.constructor as new (length: number) => Values)(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    values.set(all.subarray(row * width, (row + 1) * width), i * width);
  }
  return values;
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
