/** Solvers by name: the command line lists them, tests loop over them. */
import { madeFrom, type NamedOptions, type RegistryEntry } from "../../graph/options.ts";
import { dopri5 } from "./dopri5.ts";
import { euler } from "./euler.ts";
import { heun } from "./heun.ts";
import { midpoint } from "./midpoint.ts";
import { rk4 } from "./rk4.ts";
import type { Solver } from "./solver.ts";

const entries: Readonly<Record<string, RegistryEntry<Solver>>> = {
  euler: { options: ["steps"], make: euler },
  midpoint: { options: ["steps"], make: midpoint },
  heun: { options: ["steps"], make: heun },
  rk4: { options: ["steps"], make: rk4 },
  dopri5: { options: Object.keys(dopri5().options), make: dopri5 },
};

export const solverNames: readonly string[] = Object.keys(entries);

/**
 * The solver of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function solverFrom(named: NamedOptions): Solver {
  return madeFrom("solver", entries, named);
}
