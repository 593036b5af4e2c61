/** The solver options that `sample` and `evaluate` share. */
import {
  type AdaptiveOptions,
  adaptiveHeun,
  cosineTimes,
  eulerMaruyama,
  flowMapSteps,
  midpointTimes,
  onGrid,
  type SDEOptions,
  stochasticHeun,
  tsit5,
} from "../flows.ts";
import { dopri5, type Solver, solverFrom, solverNames } from "../index.ts";
import { nonNegativeNumber, oneOf, positiveInteger, positiveNumber } from "./arguments.ts";

const adaptive: Readonly<Record<string, (options: AdaptiveOptions) => Solver>> = {
  dopri5,
  tsit5,
  "adaptive-heun": adaptiveHeun,
};

const withNoise: Readonly<Record<string, (options: SDEOptions) => Solver>> = {
  "euler-maruyama": eulerMaruyama,
  "stochastic-heun": stochasticHeun,
};

export const isAdaptive = (name: string): boolean => Object.hasOwn(adaptive, name);
export const addsNoise = (name: string): boolean => Object.hasOwn(withNoise, name);

/** Of flow maps alone, which name it as the library does. */
export const FLOW_MAP = "flow-map";

const names = [...new Set([...solverNames, ...Object.keys(adaptive), ...Object.keys(withNoise), FLOW_MAP])];

/** Where --steps does not say. */
const STEPS = 100;

export const solverArguments = {
  solver: { type: "string", description: `one of ${names.join(", ")}`, default: "dopri5" },
  steps: { type: "string", description: `solver steps of a fixed-step solver (${STEPS}; of ${FLOW_MAP} 1)` },
  grid: {
    type: "string",
    description: "times of these steps: uniform, cosine (short at both ends), or midpoints ((k + 1/2) / (steps + 1))",
    default: "uniform",
  },
  tolerance: {
    type: "string",
    description: `relative and absolute tolerance of ${Object.keys(adaptive).join(", ")}`,
    default: "1e-5",
  },
  density: {
    type: "string",
    description: `what log-densities of ${FLOW_MAP} are taken from: its head (where it has one), or exact, by determinants`,
  },
} as const;

/** For `sample` alone: what adds noise on the way has no log-densities. */
export const diffusionArguments = {
  diffusion: {
    type: "string",
    description: `how much noise ${Object.keys(withNoise).join(" and ")} add on the way: g^2 is this times the kind's`,
    default: "1",
  },
  "diffusion-kind": {
    type: "string",
    description: "of noise on the way: sigma (g^2 = sigma(t)), reverse (of the path as a diffusion) or constant (1)",
    default: "sigma",
  },
} as const;

type SolverArguments = Readonly<Record<"solver" | "grid" | "tolerance", string>> &
  Readonly<Partial<Record<"steps" | "density" | "diffusion" | "diffusion-kind", string | undefined>>>;

/** Grids by name, of so many steps. */
const grids: Readonly<Record<string, (steps: number) => number[]>> = {
  cosine: cosineTimes,
  midpoints: (steps) => midpointTimes(steps + 1),
};

export function readSolver(args: SolverArguments): Solver {
  const { solver, steps, grid, tolerance, density, diffusion = "1", "diffusion-kind": noise = "sigma" } = args;
  const known = oneOf("--solver", solver, names);
  const given = steps === undefined ? undefined : positiveInteger("--steps", steps, 999_999);
  const gridOf = grids[oneOf("--grid", grid, ["uniform", ...Object.keys(grids)])];
  const size = positiveNumber("--tolerance", tolerance);
  const strength = nonNegativeNumber("--diffusion", diffusion);
  const kind = oneOf("--diffusion-kind", noise, ["sigma", "reverse", "constant"] as const);
  const from = density === undefined ? undefined : oneOf("--density", density, ["head", "exact"] as const);
  const byTolerance = adaptive[known]?.({ relativeTolerance: size, absoluteTolerance: size });
  if (byTolerance) return byTolerance;
  if (known === FLOW_MAP)
    return flowMapSteps({ ...(given ? { steps: given } : {}), ...(from ? { density: from } : {}) });
  const count = given ?? STEPS;
  const root = Math.sqrt(strength);
  const bySteps =
    withNoise[known]?.({ steps: count, diffusion: kind === "constant" ? [root, root] : { kind, strength } }) ??
    solverFrom({ name: known, options: { steps: count } });
  return gridOf ? onGrid(bySteps, gridOf(count)) : bySteps;
}
