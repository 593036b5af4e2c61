/** Solvers with a given number of steps: any explicit Runge-Kutta tableau over a table of times. */
import type { StateDeclaration, Update } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { integerOption, optionsObject } from "../../graph/options.ts";
import { increment, multiply, subtract } from "../../ops/arithmetic.ts";
import { gather } from "../../ops/rows.ts";
import { reshape, slice } from "../../ops/shape.ts";
import { state } from "../../ops/sources.ts";
import { addCompensated, lostState, zerosOf } from "./compensated.ts";
import { checkStops, logDensityState, pointState } from "./problem.ts";
import type { SolvePlan, SolveProblem, Solver, SolveSegment } from "./solver.ts";
import { logDensityRate, type Step, stages, type Tableau, weightedSum } from "./tableau.ts";

export interface FixedStepOptions {
  /** Steps from the first stop to the last, 1 to 1,000,000; default 100. */
  readonly steps?: number;
}

/** The solver of this tableau. A step costs one evaluation of the field for each row of it. */
export function fixedStep(name: string, tableau: Tableau, options: FixedStepOptions): Solver {
  const { steps = 100 } = optionsObject(`options of ${name}`, options, ["steps"]);
  integerOption(`steps of ${name}`, steps, 1, 1_000_000);
  return { name, options: { steps }, plan: (problem) => plan(name, tableau, steps, problem) };
}

function plan(name: string, tableau: Tableau, steps: number, problem: SolveProblem): SolvePlan {
  const { field, estimates } = problem;
  const stepped = gridPlan(name, steps, problem, (step) => {
    const values = stages(tableau, field, step);
    const velocity = weightedSum(
      tableau.b,
      values.map((value) => value.velocity),
    ) as Node; // no method is without weights
    const rate = estimates > 0 ? logDensityRate(tableau.b, values) : undefined;
    return { x: multiply(velocity, step.size), logDensity: rate && multiply(rate, step.size) };
  });
  return { ...stepped, tableau, field };
}

/** State "solve.step" u32 [1]: the number of the step that a run takes. */
export const stepState: StateDeclaration = { name: "solve.step", shape: [1], dtype: "u32" };

/**
 * One run goes from the start to the end of interval `step` and counts the step; runs beyond the last are the runner's
 * fault. State: "solve.intervals" [n, 2], both times of each, so that a step looks up one row.
 *
 * @param changeOf - what a step adds to points and log-densities.
 */
export function gridPlan(
  name: string,
  steps: number,
  problem: SolveProblem,
  changeOf: (step: Step) => { readonly x: Node; readonly logDensity?: Node | undefined },
): SolvePlan {
  const { stops } = problem;
  checkStops(stops);
  const { times, segments } = grid(stops, steps);
  const intervals = times.slice(1).flatMap((time, i) => [times[i] as number, time]);
  const intervalState: StateDeclaration = { name: "solve.intervals", shape: [times.length - 1, 2], dtype: "f32" };
  const xState = pointState(problem);

  const step = state(stepState);
  const x = state(xState);
  const interval = reshape(gather(state(intervalState), step), [2]);
  const [time, next] = [slice(interval, 0, 0, 1), slice(interval, 0, 1, 2)];
  const change = changeOf({ x, time, next, size: subtract(next, time) });
  const owned = [intervalState, stepState];
  const updates: Update[] = [{ state: stepState, value: increment(step) }];
  const cleared: StateDeclaration[] = [];
  const grow = (declaration: StateDeclaration, by: Node) => {
    const lost = lostState(declaration);
    const sum = addCompensated({ total: state(declaration), lost: state(lost) }, by);
    updates.push({ state: declaration, value: sum.total }, { state: lost, value: sum.lost });
    owned.push(declaration, lost);
    cleared.push(lost);
  };
  grow(xState, change.x);
  if (change.logDensity) grow(logDensityState(problem), change.logDensity);
  return {
    state: owned,
    initial: new Map<string, ArrayLike<number>>([
      ["solve.intervals", intervals],
      ["solve.step", [0]],
      ...cleared.map(zerosOf),
    ]),
    start: undefined,
    step: { name: `${name}-step`, updates },
    segments,
    progress: undefined,
  };
}

/**
 * A grid through all stops: about `steps` steps, spread over the intervals by their length, at least one each; where
 * the stops alone make as many steps, they are the grid.
 */
function grid(stops: readonly number[], steps: number): { times: number[]; segments: SolveSegment[] } {
  const first = stops[0] as number;
  const total = Math.abs((stops[stops.length - 1] as number) - first);
  const times = [first];
  const given = stops.length - 1 >= steps;
  const segments = stops.slice(1).map((stop, i) => {
    const from = stops[i] as number;
    const count = given ? 1 : Math.max(1, Math.round((steps * Math.abs(stop - from)) / total));
    for (let k = 1; k < count; k++) times.push(from + ((stop - from) * k) / count);
    times.push(stop);
    return { writes: new Map<string, readonly number[]>(), steps: count };
  });
  return { times, segments };
}
