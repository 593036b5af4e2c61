/** Why an adaptive solve failed, as the error that the caller gets. */
import { NumericError, StiffnessError } from "../../errors.ts";
import type { SolveProgress } from "./solver.ts";

/** A number as sentences show it, such as 8e-7. */
const shown = (value: number) => Number(value.toPrecision(3));

/**
 * Returns unless the solve failed.
 *
 * @throws {@link StiffnessError} when it met its smallest step or its largest number of steps.
 * @throws {@link NumericError} when the field is not finite.
 */
export function throwOnFailure({ status, time, stepSize, accepted, rejected }: SolveProgress): void {
  const subject = `solve at t = ${shown(time)}`;
  const steps = `${accepted} steps accepted, ${rejected} rejected`;
  if (status === 2) {
    throw new StiffnessError({
      subject,
      given: `a step of ${shown(stepSize)}, after ${steps}`,
      expected: "steps of at least minimumStep",
      remedy: "Raise the tolerances, lower minimumStep, or use a solver with fixed steps.",
    });
  }
  if (status === 3) {
    throw new StiffnessError({
      subject,
      given: steps,
      expected: "fewer than maximumSteps",
      remedy: "Raise the tolerances or maximumSteps, or use a solver with fixed steps.",
    });
  }
  if (status === 4) {
    throw new NumericError({
      subject,
      given: `a velocity or divergence that is not finite, after ${steps}`,
      expected: "finite numbers",
      remedy: "Check the model: its parameters or its inputs are too large.",
    });
  }
}
