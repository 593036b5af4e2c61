/**
 * Between data units, which callers have, and model units, which the device has. Where a standardisation tells them
 * apart, data units are f64 on the host: their offset may be any number of times their spread.
 */
import type { NumericArray } from "../backends/backend.ts";
import { checkPoints } from "../data/points.ts";
import { logJacobian, type Standardization, standardize, unstandardize } from "../data/standardize.ts";
import { type DivergenceOptions as Estimator, summarizeEstimates } from "../flow/likelihood.ts";
import type { LogDensity } from "./api.ts";

/** Points of a caller in model units. */
export function toModelUnits(points: NumericArray, standardization: Standardization | undefined): NumericArray {
  if (!standardization) return points;
  const { mean } = standardization;
  const z = standardize(points, standardization);
  checkPoints(z, [z.length / mean.length, mean.length], "points, less the data's mean, by their standard deviation");
  return z;
}

/** Points of the device in data units. */
export function toDataUnits(points: NumericArray, standardization: Standardization | undefined): NumericArray {
  return standardization ? unstandardize(points, standardization) : points;
}

/** Log-densities in data units from a solve's estimates. */
export function densitiesOf(
  estimates: ArrayLike<number>,
  divergence: Estimator,
  standardization: Standardization | undefined,
): LogDensity {
  const { values, standardError } = summarizeEstimates(estimates, divergence);
  const jacobian = standardization ? logJacobian(standardization) : 0;
  return { values: values.map((value) => value + jacobian), standardError };
}
