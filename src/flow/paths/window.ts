/** Where on a path conversions between velocity, noise and data are safe to divide by alpha and sigma. */
import { evaluate } from "../../graph/evaluate.ts";
import { table } from "../../ops/sources.ts";
import type { PathScheduler } from "./path.ts";

/** Times between which neither alpha nor sigma is nearly 0. */
export type Window = readonly [first: number, last: number];

/** Alpha and sigma at its ends, at least. */
const LEAST_ALPHA = 2e-3;
const LEAST_SIGMA = 1e-3;

/** From the first time on at which alpha is at least 2e-3, to the last at which sigma is 1e-3, or of the prior's if that is less. */
export function windowOf(path: PathScheduler): Window {
  const small = Array.from({ length: 240 }, (_, k) => 0.5 * 0.95 ** k).reverse(); // 2e-6 to 0.5
  const times = [0, ...small, ...small.map((time) => 1 - time).reverse(), 1];
  const at = path.at(table(times, [times.length, 1]));
  const [alpha, sigma] = evaluate([at.alpha, at.sigma]).map(({ data }) => data) as [Float64Array, Float64Array];
  const first = alpha.findIndex((value) => value >= LEAST_ALPHA);
  const finished = sigma.findIndex((value) => !(value >= LEAST_SIGMA * Math.min(1, path.priorDeviation)));
  return [
    times[Math.max(0, first)] as number,
    times[finished < 0 ? times.length - 1 : Math.max(0, finished - 1)] as number,
  ];
}
