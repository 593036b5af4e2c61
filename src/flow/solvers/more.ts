/** Solvers of `divflow/flows` by name: imported when one is first asked for. */
import { madeFrom, type NamedOptions, type Registry } from "../../graph/options.ts";
import { adaptiveHeun } from "./adaptive-heun.ts";
import { flowMapSteps } from "./flow-map.ts";
import { ON_GRID, onGrid } from "./on-grid.ts";
import { solverFrom } from "./registry.ts";
import { eulerMaruyama, stochasticHeun } from "./sde.ts";
import type { Solver } from "./solver.ts";
import { tsit5 } from "./tsit5.ts";

const entries: Registry<Solver> = {
  tsit5: tsit5,
  "adaptive-heun": adaptiveHeun,
  "euler-maruyama": eulerMaruyama,
  "stochastic-heun": stochasticHeun,
  "flow-map": flowMapSteps,
  [ON_GRID]: ({ solver, grid }: { readonly solver: NamedOptions; readonly grid: readonly number[] }) =>
    onGrid(Object.hasOwn(entries, Object(solver).name) ? solverOfMore(solver) : solverFrom(solver), grid),
};

/** The same as `moreSolverNames` in registry.ts. */
export const names: readonly string[] = Object.keys(entries);

/** The solver of this name and these plain options, as `solverFrom` makes others. */
export function solverOfMore(named: NamedOptions): Solver {
  return madeFrom("solver", entries, named);
}
