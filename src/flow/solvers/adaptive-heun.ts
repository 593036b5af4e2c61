import { type AdaptiveOptions, adaptive, type EmbeddedMethod } from "./adaptive.ts";
import type { Solver } from "./solver.ts";

/** Heun's method beside Euler's; its third stage is the first of the next step. */
export const heunEuler: EmbeddedMethod = {
  tableau: { a: [[], [1], [1 / 2, 1 / 2]], b: [1 / 2, 1 / 2, 0], c: [0, 1, 1] },
  errorWeights: [-1 / 2, 1 / 2, 0],
  errorOrder: 2,
};

/**
 * Heun's method of order 2 with Euler's beside it as the estimate of its error: for coarse tolerances, and fields with
 * kinks, of which higher orders make little. Errors and options are {@link dopri5}'s; two evaluations of the field an attempt.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 */
export function adaptiveHeun(options: AdaptiveOptions = {}): Solver {
  return adaptive("adaptive-heun", heunEuler, options);
}
