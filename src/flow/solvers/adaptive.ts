/**
 * Embedded Runge-Kutta methods whose step size is controlled on the device: a run of the step's graph is one attempt, and
 * runs after the stop is reached change nothing, so that many go out in one submission.
 */
import type { Graph, StateDeclaration, Update } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { f32Option, integerOption, optionsObject } from "../../graph/options.ts";
import {
  abs,
  add,
  divide,
  equal,
  exp,
  finite,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  select,
  sign,
  sqrt,
  square,
  subtract,
} from "../../ops/arithmetic.ts";
import { max, sum } from "../../ops/reduce.ts";
import { concat, reshape, slice } from "../../ops/shape.ts";
import { constant, state } from "../../ops/sources.ts";
import { checkStops, logDensityState, pointState, timeColumn } from "./problem.ts";
import type { FieldValue, SolvePlan, SolveProblem, SolveProgress, Solver, SolveStatus } from "./solver.ts";
import { logDensityRate, type Step, stages, type Tableau, weightedSum } from "./tableau.ts";

export interface AdaptiveOptions {
  /** Error allowed per step, relative to the size of each coordinate, positive; default 1e-5. Below 1e-6 f32 rounds more. */
  readonly relativeTolerance?: number;
  /** Error allowed per step beside that, in model units, positive; default 1e-5. */
  readonly absoluteTolerance?: number;
  /** The solve fails when it would need a smaller step than this; default 1e-6, some ten times the spacing of f32 at 1. */
  readonly minimumStep?: number;
  /** The solve fails after this many attempts; default 10,000, at most 2^23. */
  readonly maximumSteps?: number;
}

/** A method with an estimate of its error. */
export interface EmbeddedMethod {
  /** The last row of `a` is `b`: the last stage is the first of the next step. */
  readonly tableau: Tableau;
  /** `b` minus the weights of the method beside it, of lower order. */
  readonly errorWeights: readonly number[];
  /** The estimate of the error falls as this power of the step size. */
  readonly errorOrder: number;
  /** What gives points between the ends of a step; left out: a step ends at each stop. */
  readonly dense?: DenseOutput;
}

/** Points within the last accepted step, from what it left. */
export interface DenseOutput {
  states(problem: SolveProblem): readonly StateDeclaration[];
  /** What some of them are before the first step. */
  initial(problem: SolveProblem): ReadonlyMap<string, readonly number[]>;
  /** What the states become when this step is accepted, in their order. */
  values(step: Step, stages: readonly FieldValue[]): readonly Node[];
  /** Writes "solve.there" [S, D], the points at the time in state "solve.at" [1]. */
  read(problem: SolveProblem): Graph;
}

/** Numbers in state "solve.control", all f32, in this order. */
const control = ["time", "stepSize", "previousError", "rejectedLast", "accepted", "rejected", "status"] as const;
type Control = Record<(typeof control)[number], Node>;

/**
 * PI control: factor = SAFETY error^-(1 / q - 0.75 INTEGRAL / q) previousError^(INTEGRAL / q), q the error's order (Hairer,
 * Norsett, Wanner II, section IV.2).
 */
const INTEGRAL = 0.2;
const SAFETY = 0.9;
const LEAST_FACTOR = 0.2;
const GREATEST_FACTOR = 10;
/** What is not finite counts as an error of so many tolerances. Its square is an f32. */
const NOT_FINITE = 1e15;
/** Other errors count as so many at most: the step shrinks as far as it may long before, and no sum of them is above. */
const GREATEST_RATIO = 1e9;
const LEAST_ERROR = 1e-10;

/** The solver of this method. The options, checked, are those that it is made of again. */
export function adaptive(name: string, method: EmbeddedMethod, options: AdaptiveOptions): Solver {
  const names = ["relativeTolerance", "absoluteTolerance", "minimumStep", "maximumSteps"] as const;
  optionsObject(`options of ${name}`, options, names);
  const { relativeTolerance = 1e-5, absoluteTolerance = 1e-5, minimumStep = 1e-6, maximumSteps = 10_000 } = options;
  f32Option(`relativeTolerance of ${name}`, relativeTolerance, { minimum: 0, maximum: 1, open: "minimum" });
  f32Option(`absoluteTolerance of ${name}`, absoluteTolerance, { minimum: 0, open: "minimum" });
  f32Option(`minimumStep of ${name}`, minimumStep, { minimum: 0, maximum: 1, open: "both" });
  integerOption(`maximumSteps of ${name}`, maximumSteps, 1, 2 ** 23); // counted in f32
  const complete = { relativeTolerance, absoluteTolerance, minimumStep, maximumSteps };
  return { name, options: complete, plan: (problem) => plan({ name, method, options: complete }, problem) };
}

interface Made {
  readonly name: string;
  readonly method: EmbeddedMethod;
  readonly options: Required<AdaptiveOptions>;
}

function plan(made: Made, problem: SolveProblem): SolvePlan {
  const { stops, rows, dimension, estimates } = problem;
  checkStops(stops);
  const states: Record<"x" | "velocity" | "end" | "control", StateDeclaration> = {
    x: pointState(problem),
    velocity: { name: "solve.velocity", shape: [rows, dimension], dtype: "f32" },
    end: { name: "solve.end", shape: [1], dtype: "f32" },
    control: { name: "solve.control", shape: [control.length], dtype: "f32" },
  };
  const densityStates = {
    logDensity: logDensityState(problem),
    divergences: { name: "solve.divergences", shape: [rows, estimates], dtype: "f32" } satisfies StateDeclaration,
  };
  const all = { ...states, ...densityStates };
  const { name, method, options } = made;
  // Where there are no stops between the ends, nothing is read within a step.
  const dense = stops.length > 2 ? method.dense : undefined;
  return {
    state: [
      ...Object.values(states),
      ...(estimates > 0 ? Object.values(densityStates) : []),
      ...(dense?.states(problem) ?? []),
    ],
    initial: new Map([
      ["solve.end", [stops[stops.length - 1] as number]],
      ["solve.control", control.map((number) => (number === "time" ? (stops[0] as number) : 0))],
      ...(dense?.initial(problem) ?? []),
    ]),
    start: { name: `${name}-start`, updates: startUpdates(made, problem, all) },
    step: { name: `${name}-step`, updates: stepUpdates(made, problem, all, dense) },
    ...(dense ? { dense: dense.read(problem) } : {}),
    segments: stops.slice(1).map((stop) => ({ writes: new Map([["solve.end", [stop]]]), steps: undefined })),
    // An attempt more: where two stops are one time in f32, it is what finds the solve at its end.
    progress: { state: "solve.control", mostRuns: options.maximumSteps + 1, read: readProgress },
  };
}

function readProgress(values: ArrayLike<number>): SolveProgress {
  const value = (name: (typeof control)[number]) => values[control.indexOf(name)] as number;
  return {
    status: value("status") as SolveStatus,
    time: value("time"),
    stepSize: value("stepSize"),
    accepted: value("accepted"),
    rejected: value("rejected"),
  };
}

type States = Record<"x" | "velocity" | "end" | "control" | "logDensity" | "divergences", StateDeclaration>;

/** The field at the start, and a first step size (Hairer, Norsett, Wanner I, section II.4). */
function startUpdates({ options, method }: Made, { field, rows }: SolveProblem, states: States): Update[] {
  const x = state(states.x);
  const { time, ...others } = readControl(states.control);
  const remaining = subtract(state(states.end), time);
  const first = field(x, timeColumn(time, rows));

  const tolerance = toleranceOf(options, abs(x));
  const position = largestRoot([divide(x, tolerance)]);
  const speed = largestRoot([divide(first.velocity, tolerance)]);
  const guess = maximum(multiply(divide(position, maximum(speed, LEAST_ERROR)), 0.01), FIRST_TRY);
  const ahead = multiply(minimum(guess, abs(remaining)), sign(remaining));
  const second = field(add(x, multiply(first.velocity, ahead)), timeColumn(add(time, ahead), rows));
  const bend = largestRoot([divide(subtract(second.velocity, first.velocity), tolerance)]);
  const curvature = divide(bend, maximum(abs(ahead), LEAST_ERROR));
  const byOrder = power(divide(0.01, maximum(maximum(speed, curvature), LEAST_ERROR)), 1 / method.errorOrder);
  const size = minimum(maximum(minimum(multiply(guess, 100), byOrder), options.minimumStep), abs(remaining));

  const updates = [
    { state: states.velocity, value: first.velocity },
    {
      state: states.control,
      value: writeControl({ ...others, time, stepSize: select(finite(size), size, FIRST_TRY) }),
    },
  ];
  return first.divergences ? [...updates, { state: states.divergences, value: first.divergences }] : updates;
}

/** The least first guess of a step: with a smaller one, differences of f32 velocities are rounding. */
const FIRST_TRY = 1e-4;

function stepUpdates(made: Made, problem: SolveProblem, states: States, dense: DenseOutput | undefined): Update[] {
  const { options, method } = made;
  const { tableau, errorWeights } = method;
  const x = state(states.x);
  const stop = state(states.end);
  // With dense output steps end where they like, but for the last; else at each stop.
  const end = dense ? constant(problem.stops[problem.stops.length - 1] as number, [1]) : stop;
  const old = readControl(states.control);
  const left = subtract(end, old.time);
  const distance = abs(left);
  // Up to 1 % further rather than leaving a sliver of a step.
  const last = lessEqual(distance, multiply(old.stepSize, 1.01));
  const next = select(last, end, add(old.time, multiply(old.stepSize, sign(left))));
  const size = subtract(next, old.time);
  const ahead = dense ? isBefore(problem, old.time, stop) : less(0, distance);
  const running = multiply(lessEqual(old.status, 1), ahead);

  const withDensity = problem.estimates > 0;
  const logDensity = withDensity ? state(states.logDensity) : undefined;
  const first: FieldValue = {
    velocity: state(states.velocity),
    divergences: withDensity ? state(states.divergences) : undefined,
  };
  const step = { x, time: old.time, next, size };
  const values = stages(tableau, problem.field, step, first);
  const velocities = values.map((value) => value.velocity);
  const newX = add(x, multiply(weightedSum(tableau.b, velocities) as Node, size));
  const errors = [scaledError(options, multiply(weightedSum(errorWeights, velocities) as Node, size), x, newX)];
  const rate = logDensityRate(tableau.b, values);
  const newLogDensity = logDensity && rate && add(logDensity, multiply(rate, size));
  if (logDensity && newLogDensity) {
    const error = multiply(logDensityRate(errorWeights, values) as Node, size);
    errors.push(scaledError(options, error, logDensity, newLogDensity));
  }

  const numbers = problem.dimension + problem.estimates;
  const error = maximum(largestRoot(errors), LEAST_ERROR);
  const accepted = lessEqual(error, 1);
  const wild = less(0.9 * (NOT_FINITE / Math.sqrt(numbers)), error);
  const there = dense ? subtract(1, isBefore(problem, next, stop)) : equal(next, end);
  const updated = controlStep(made, old, { there, next, size: abs(size), last, error, accepted, wild });

  const moved = multiply(running, accepted);
  const final = values[values.length - 1] as FieldValue;
  const keep = (declaration: StateDeclaration, value: Node, when: Node): Update => ({
    state: declaration,
    value: select(when, value, state(declaration)),
  });
  const updates = [
    keep(states.x, newX, moved),
    keep(states.velocity, final.velocity, moved),
    { state: states.control, value: select(running, writeControl(updated), writeControl(still(old, ahead))) },
  ];
  if (newLogDensity && final.divergences) {
    updates.push(keep(states.logDensity, newLogDensity, moved), keep(states.divergences, final.divergences, moved));
  }
  const kept = dense?.values(step, values) ?? [];
  updates.push(...(dense?.states(problem) ?? []).map((one, i) => keep(one, kept[i] as Node, moved)));
  return updates;
}

/** 1 where a solve comes to the first time, strictly, before it comes to the other. */
function isBefore({ stops }: SolveProblem, time: Node, other: Node): Node {
  return (stops[1] as number) > (stops[0] as number) ? less(time, other) : less(other, time);
}

/** The control where nothing moves: a solve that has failed stays so; one at its stop, from the start on, has ended. */
function still(old: Control, ahead: Node): Control {
  return { ...old, status: maximum(old.status, subtract(1, ahead)) };
}

/** A step as the control sees it: all [1]; flags are 1 or 0. */
interface Attempt {
  /** Whether the step, if it is accepted, has come to the stop. */
  readonly there: Node;
  readonly next: Node;
  readonly size: Node;
  readonly last: Node;
  readonly error: Node;
  readonly accepted: Node;
  readonly wild: Node;
}

function controlStep({ options, method }: Made, old: Control, attempt: Attempt): Control {
  const { minimumStep, maximumSteps } = options;
  const { next, size, last, error, accepted, wild } = attempt;
  const integral = INTEGRAL / method.errorOrder;
  const proportional = 1 / method.errorOrder - 0.75 * integral;
  const history = power(maximum(old.previousError, LEAST_ERROR), integral);
  // The first step has no previous error, and after a rejection the step does not grow.
  const growth = multiply(power(error, -proportional), select(less(0, old.previousError), history, 1));
  const most = select(old.rejectedLast, 1, GREATEST_FACTOR);
  const growing = minimum(maximum(multiply(growth, SAFETY), LEAST_FACTOR), most);
  const shrinking = minimum(maximum(multiply(power(error, -1 / method.errorOrder), SAFETY), LEAST_FACTOR), 1);
  const proposed = multiply(size, select(accepted, growing, shrinking));
  // A step cut short by the stop says nothing against the size it was cut from.
  const stepSize = select(multiply(accepted, last), maximum(proposed, old.stepSize), proposed);

  const acceptedCount = add(old.accepted, accepted);
  const rejectedCount = add(old.rejected, subtract(1, accepted));
  // Or so small that it is lost beside the time: it would be accepted, and go nowhere.
  const tooSmall = maximum(multiply(subtract(1, accepted), less(stepSize, minimumStep)), lessEqual(size, 0));
  const tooMany = lessEqual(maximumSteps, add(acceptedCount, rejectedCount));
  const failure = select(tooSmall, select(wild, 4, 2), select(tooMany, 3, 0));
  return {
    time: select(accepted, next, old.time),
    stepSize,
    previousError: select(accepted, maximum(error, 1e-4), old.previousError),
    rejectedLast: subtract(1, accepted),
    accepted: acceptedCount,
    rejected: rejectedCount,
    status: select(multiply(accepted, attempt.there), 1, failure),
  };
}

function readControl(declaration: StateDeclaration): Control {
  const all = state(declaration);
  return Object.fromEntries(control.map((name, i) => [name, slice(all, 0, i, i + 1)])) as Control;
}

function writeControl(values: Control): Node {
  return concat(
    control.map((name) => values[name]),
    0,
  );
}

function toleranceOf({ absoluteTolerance, relativeTolerance }: Required<AdaptiveOptions>, size: Node): Node {
  return add(multiply(size, relativeTolerance), absoluteTolerance);
}

/** Errors in units of the tolerance, at most GREATEST_RATIO; NOT_FINITE where the error or the step's end is not. */
function scaledError(options: Required<AdaptiveOptions>, error: Node, before: Node, after: Node): Node {
  const ratio = abs(divide(error, toleranceOf(options, maximum(abs(before), abs(after)))));
  return select(multiply(finite(error), finite(after)), minimum(ratio, GREATEST_RATIO), NOT_FINITE);
}

/** The largest over rows of the root of the mean square over all columns of all parts [S, n_i]: [1]. */
function largestRoot(parts: readonly Node[]): Node {
  const columns = parts.reduce((total, part) => total + (part.shape[1] as number), 0);
  const squares = parts.map((part) => sum(square(part), [1])).reduce((a, b) => add(a, b));
  return sqrt(reshape(max(multiply(squares, 1 / columns), [0]), [1]));
}

/** base^exponent for a positive base. */
function power(base: Node, exponent: number): Node {
  return exp(multiply(log(base), exponent));
}
