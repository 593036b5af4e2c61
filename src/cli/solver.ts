/** The solver options that `sample`, `evaluate` and `compare` share. */
import { dopri5, type Solver, solverFrom, solverNames } from "../index.ts";
import { oneOf, positiveInteger, positiveNumber } from "./arguments.ts";

export const solverArguments = {
  solver: { type: "string", description: `one of ${solverNames.join(", ")}`, default: "dopri5" },
  steps: { type: "string", description: "solver steps of a fixed-step solver", default: "100" },
  tolerance: { type: "string", description: "relative and absolute tolerance of dopri5", default: "1e-5" },
} as const;

export function readSolver(name: string, steps: string, tolerance: string): Solver {
  const known = oneOf("--solver", name, solverNames);
  const count = positiveInteger("--steps", steps, 1_000_000);
  const size = positiveNumber("--tolerance", tolerance);
  if (known === "dopri5") return dopri5({ relativeTolerance: size, absoluteTolerance: size });
  return solverFrom({ name: known, options: { steps: count } });
}
