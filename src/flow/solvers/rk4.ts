import { type FixedStepOptions, fixedStep } from "./fixed-step.ts";
import type { Solver } from "./solver.ts";
import type { Tableau } from "./tableau.ts";

const tableau: Tableau = {
  a: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]],
  b: [1 / 6, 1 / 3, 1 / 3, 1 / 6],
  c: [0, 1 / 2, 1 / 2, 1],
};

/** The classical Runge-Kutta method, order 4. Four evaluations a step. */
export function rk4(options: FixedStepOptions = {}): Solver {
  return fixedStep("rk4", tableau, options);
}
