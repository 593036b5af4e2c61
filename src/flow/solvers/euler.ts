import { type FixedStepOptions, fixedStep } from "./fixed-step.ts";
import type { Solver } from "./solver.ts";

/** Euler's method, order 1: x + h v(x, t). One evaluation a step. */
export function euler(options: FixedStepOptions = {}): Solver {
  return fixedStep("euler", { a: [[]], b: [1], c: [0] }, options);
}
