import { ConfigError } from "../../errors.ts";
import { integerOption, type NamedOptions } from "../../graph/options.ts";
import { checkStops } from "./problem.ts";
import { solverFrom } from "./registry.ts";
import { eulerMaruyama, stochasticHeun } from "./sde.ts";
import type { SolvePlan, Solver, SolveSegment } from "./solver.ts";

/** The name of such a solver: `moreSolverNames`. */
export const ON_GRID = "on-grid";

/**
 * A solver with fixed steps, which end where `grid` says instead: `onGrid(heun(), karrasTimes(18, path))`.
 *
 * With `times` in `sample` the steps go through these as well.
 *
 * @param solver - its own number of steps says nothing here.
 * @param grid - rising times, from 0 or later to 1 or earlier; solves backwards take them in reverse. Where it begins after 0
 * the noise is taken to be there, where it ends before 1 the samples; other times outside it are its ends.
 * @throws {@link ConfigError} when the times are not rising, or the solver chooses its steps.
 */
export function onGrid(solver: Solver, grid: ArrayLike<number>): Solver {
  const { name, options } = Object(solver) as NamedOptions;
  if (typeof Object(solver).plan !== "function" || !("steps" in options) || name === "flow-map") {
    throw new ConfigError({
      subject: "solver of onGrid",
      given: name ?? String(solver),
      expected: "a solver with fixed steps",
      remedy: "Give euler(), midpoint(), heun(), rk4(), eulerMaruyama() or stochasticHeun().",
    });
  }
  const times = gridOption(grid);
  const byStops = withOneStep({ name, options }); // with as many stops as steps these are the grid
  return {
    name: ON_GRID,
    options: { solver: { name, options }, grid: times },
    ...(byStops.noisy ? { noisy: true } : {}),
    plan(problem) {
      checkStops(problem.stops);
      const { stops, counts } = through(problem.stops, times);
      const plan = byStops.plan({ ...problem, stops });
      return { ...plan, segments: joined(plan, counts) };
    },
  };
}

function withOneStep({ name, options }: NamedOptions): Solver {
  const one = { ...options, steps: 1 };
  if (name === "euler-maruyama") return eulerMaruyama(one);
  return name === "stochastic-heun" ? stochasticHeun(one) : solverFrom({ name, options: one });
}

function gridOption(grid: unknown): number[] {
  const times = Array.from(Object(grid) as ArrayLike<number>);
  const rises = times.every((time, i) => time >= 0 && time <= 1 && (i === 0 || time > (times[i - 1] as number)));
  if (rises && times.length > 1) {
    integerOption("times of onGrid", times.length, 2, 1_000_001);
    return times;
  }
  throw new ConfigError({
    subject: "grid of onGrid",
    given: times.every(Number.isFinite) ? grid : `[${times.join(", ")}]`,
    expected: "two times or more in [0, 1], each later than the one before",
    remedy: "Sort them and give each once.",
  });
}

/** All times that steps end at, between the grid's ends, and how many of them lead to each stop. */
function through(stops: readonly number[], grid: readonly number[]) {
  const [first, last] = [grid[0] as number, grid.at(-1) as number];
  const within = stops.map((stop) => Math.min(Math.max(stop, first), last));
  const [start, ...others] = within as [number, ...number[]];
  const ordered = start < (within.at(-1) as number) ? grid : [...grid].reverse();
  const times = [start];
  const counts = others.map((to, i) => {
    const from = within[i] as number;
    if (to === from) return 0;
    const inner = ordered.filter((time) => (time - from) * (to - time) > 0);
    times.push(...inner, to);
    return inner.length + 1;
  });
  return { stops: times, counts };
}

/** Segments from stop to stop, of which the plan has one for each time of the grid. */
function joined({ segments }: SolvePlan, counts: readonly number[]): SolveSegment[] {
  let next = 0;
  return counts.map((count) => {
    const steps = segments.slice(next, next + count).reduce((sum, one) => sum + (one.steps as number), 0);
    next += count;
    return { writes: new Map<string, readonly number[]>(), steps };
  });
}
