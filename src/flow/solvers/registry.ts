/** Solvers by name: the command line lists them, tests loop over them. */
import { madeFrom, type NamedOptions, type Registry } from "../../graph/options.ts";
import { dopri5 } from "./dopri5.ts";
import { euler } from "./euler.ts";
import { heun } from "./heun.ts";
import { midpoint } from "./midpoint.ts";
import { rk4 } from "./rk4.ts";
import type { Solver } from "./solver.ts";

const entries: Registry<Solver> = {
  euler: euler,
  midpoint: midpoint,
  heun: heun,
  rk4: rk4,
  dopri5: dopri5,
};

export const solverNames: readonly string[] = Object.keys(entries);

/** Those of `divflow/flows`, which more.ts makes. */
export const moreSolverNames: readonly string[] = [
  "tsit5",
  "adaptive-heun",
  "euler-maruyama",
  "stochastic-heun",
  "flow-map",
  "on-grid",
];

/**
 * The solver of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function solverFrom(named: NamedOptions): Solver {
  return madeFrom("solver", entries, named);
}
