/** What `evaluate` says of log-densities, of all at once or put together from parts. */
import type { LogDensity } from "../index.ts";
import { summarize } from "./judge.ts";
import { counted, withError } from "./report/numbers.ts";
import type { ResultArray } from "./results.ts";

/** How they were taken. */
export interface Evaluation {
  readonly count: number;
  readonly dimension: number;
  readonly solver: string;
  /** The divergence; of flow maps the solver's options. */
  readonly how: object;
  readonly backend: string;
}

export function evaluationOf(
  density: LogDensity,
  { count, dimension, solver, how, backend }: Evaluation,
): { document: object; lines: string[] } {
  const { negativeLogLikelihood, standardError } = summarize(density);
  const bitsPerDimension = negativeLogLikelihood / (dimension * Math.LN2);
  return {
    document: { negativeLogLikelihood, standardError, bitsPerDimension, count, solver, ...how, backend },
    lines: [
      `negative log-likelihood ${withError(negativeLogLikelihood, standardError)} nats, ` +
        `${bitsPerDimension.toFixed(4)} bits per dimension`,
      `${counted(count, "point")}, solver ${solver}, ${inWords(how)}, backend ${backend}`,
    ],
  };
}

/** `divergence exact`, `steps 2, density exact`. */
const inWords = (how: object) =>
  Object.entries(how)
    .map((pair) => pair.join(" "))
    .join(", ");

/** The row's number, from `first` on, its log-density and, where that is estimated, its standard error. */
export function perRow({ values, standardError }: LogDensity, isEstimated: boolean, first = 0): ResultArray[] {
  const column = (name: string, values: Float64Array) => ({ name, values, shape: [values.length], columns: [name] });
  return [
    column(
      "row",
      values.map((_, row) => first + row),
    ),
    column("log_density", values),
    ...(isEstimated ? [column("standard_error", standardError)] : []),
  ];
}
