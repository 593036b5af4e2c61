import { booleanOption } from "../graph/options.ts";
import { gather } from "../ops/rows.ts";
import { fingerprint } from "./fingerprint.ts";
import { checkPoints } from "./points.ts";
import type { DataSource } from "./source.ts";
import { fitStandardization, standardize } from "./standardize.ts";

/** Name of the state that holds the points, in model units. */
const POINTS = "data.points";

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
  const points = checkPoints(values, shape);
  const { count, dimension } = points;
  const standardization = standardized ? fitStandardization(points) : undefined;
  const copy = Float32Array.from(values);
  const kept = standardization ? standardize(values, standardization) : copy;
  return {
    name: "array",
    options: { count, dimension, standardize: standardized, fingerprint: fingerprint(copy) },
    dimension,
    state: new Map([[POINTS, kept]]),
    ...(standardization ? { standardization } : {}),
    draw: ({ rows, random, state }) =>
      gather(state(POINTS, [count, dimension], "f32"), random("index", [rows], { bound: count })),
  };
}
