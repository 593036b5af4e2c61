import { type FixedStepOptions, fixedStep } from "./fixed-step.ts";
import type { Solver } from "./solver.ts";

/** Heun's method, order 2: the mean of the slopes at both ends of an Euler step. Two evaluations a step. */
export function heun(options: FixedStepOptions = {}): Solver {
  return fixedStep("heun", { a: [[], [1]], b: [1 / 2, 1 / 2], c: [0, 1] }, options);
}
