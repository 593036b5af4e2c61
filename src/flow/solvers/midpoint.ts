import { type FixedStepOptions, fixedStep } from "./fixed-step.ts";
import type { Solver } from "./solver.ts";

/** The explicit midpoint method, order 2: x + h v(x + h/2 v(x, t), t + h/2). Two evaluations a step. */
export function midpoint(options: FixedStepOptions = {}): Solver {
  return fixedStep("midpoint", { a: [[], [1 / 2]], b: [0, 1], c: [0, 1 / 2] }, options);
}
