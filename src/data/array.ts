import { booleanOption } from "../graph/options.ts";
import { gather } from "../ops/rows.ts";
import { fingerprint } from "./fingerprint.ts";
import { checkPoints } from "./points.ts";
import type { DataSource } from "./source.ts";
import { fitStandardization, type Standardization, standardize } from "./standardize.ts";

/** Name of the state that holds the points, in model units. */
export const POINT_STATE = "data.points";

/**
 * A user's own points. They lie on the device as state; a batch is gathered there by random indices, each point equally
 * likely, with replacement. Checkpoints keep a fingerprint of them instead of the points: see `resumeData`.
 *
 * @param values - row-major, in data units; copied.
 * @param shape - [count, D].
 * @param standardize - train on (x - mean) / std, per coordinate, of these points; samples and densities of the model
 * are still in data units. Default false.
 * @throws {@link DataError} when there are no points, the shape does not fit, or a value is not a finite f32: the
 * message names its row and column.
 */
export function arrayData(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  { standardize: standardized = false }: { standardize?: boolean } = {},
): DataSource {
  booleanOption("standardize of arrayData", standardized);
  const { count, dimension } = checkPoints(values, shape);
  const standardization = standardized ? fitStandardization({ values, count, dimension }) : undefined;
  const copy = Float32Array.from(values);
  const points = standardization ? standardize(values, standardization) : copy;
  const options = { count, dimension, standardize: standardized, fingerprint: fingerprint(copy) };
  return pointsFromState({ options, points, standardization });
}

/** What an `arrayData` is made of: `points` [count, dimension] in model units. */
export interface PointsInState {
  readonly options: { readonly count: number; readonly dimension: number } & Readonly<Record<string, unknown>>;
  readonly points: Float32Array;
  readonly standardization: Standardization | undefined;
}

/** The source again from its parts, on the other side of a worker. */
export function pointsFromState({ options, points, standardization }: PointsInState): DataSource {
  const { count, dimension } = options;
  return {
    name: "array",
    options,
    dimension,
    state: new Map([[POINT_STATE, points]]),
    ...(standardization ? { standardization } : {}),
    draw: ({ rows, random, state }) =>
      gather(state(POINT_STATE, [count, dimension], "f32"), random("index", [rows], { bound: count })),
  };
}
