import { type AdaptiveOptions, adaptive, type EmbeddedMethod } from "./adaptive.ts";
import type { Solver } from "./solver.ts";
import type { Tableau } from "./tableau.ts";

/** Options of {@link dopri5}. */
export type Dopri5Options = AdaptiveOptions;

/** The last row of `a` is `b`: the last stage is the first of the next step. */
export const dormandPrince: Tableau = {
  a: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ],
  b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
  c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
};

/** With the embedded error estimate of order 4. */
export const dormandPrinceMethod: EmbeddedMethod = {
  tableau: dormandPrince,
  errorWeights: [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40],
  errorOrder: 5,
};

/**
 * Dormand-Prince 5(4). The error of a step is taken per point, as the root of the mean square over its coordinates (and
 * log-density estimates) in units of absoluteTolerance + relativeTolerance |x|; the largest over points decides, so that
 * no point is solved worse for being in a large batch. Six evaluations of the field an attempt.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Dormand and Prince, A family of embedded Runge-Kutta formulae (1980), RK5(4)7M.
 */
export function dopri5(options: Dopri5Options = {}): Solver {
  return adaptive("dopri5", dormandPrinceMethod, options);
}
