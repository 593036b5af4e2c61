/** The most probable points: ascent on the log-density, many points at once. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import type { Model, SolveOptions } from "../engine/api.ts";
import { ask, solveOptionsAnd } from "../engine/asking.ts";
import { DataError } from "../errors.ts";
import { integerOption, numberOption } from "../graph/options.ts";

export interface ModeOptions extends SolveOptions {
  /** Steps at most, each a solve back and one forth; default 50. */
  readonly iterations?: number;
  /** A point is there when no step gains as many nats; default 1e-4, positive. */
  readonly tolerance?: number;
}

export interface Modes {
  /** Where each start has led, row-major [count, D], in data units. */
  readonly values: Float64Array;
  /** Log-density there [count]. */
  readonly logDensity: Float64Array;
  /** Its gradient there [count, D]: near 0 at a mode. */
  readonly gradient: Float64Array;
  /** Whether each got there before the iterations ended [count]. */
  readonly converged: readonly boolean[];
  readonly iterations: number;
  readonly count: number;
  readonly dimension: number;
}

/** Pairs of steps and changes of the gradient that the curvature is told from. */
const MEMORY = 8;
/** What f32 leaves uncertain of a log-density, relative. */
const NOISE = 2e-6;
/** A step's share of what the gradient promises, at least (Armijo). */
const SUFFICIENT = 1e-4;

/**
 * The points of highest log-density that ascent from each start leads to: local maxima, by the exact gradient and a
 * quasi-Newton method (L-BFGS) with backtracking. Starts on samples of the model find the modes that have probability; the most
 * probable point is the best of them.
 *
 * @param starts - row-major [count, D] or rows of D, in data units.
 * @throws what `model.logDensity` throws.
 * @example
 * const { values, logDensity } = await mode(model, (await model.sample({ count: 20 })).values);
 */
export async function mode(model: Model, starts: Numbers, options: ModeOptions = {}): Promise<Modes> {
  const names = ["iterations", "tolerance"] as const;
  const { iterations = 50, tolerance = 1e-4, ...solve } = solveOptionsAnd("mode", options, names);
  integerOption("iterations of mode", iterations);
  numberOption("tolerance of mode", tolerance, { minimum: 0, open: "minimum" });
  const evaluate = (points: Float64Array) => ask("mode", model, points.slice(), { ...solve, of: "gradient" });
  return climbed(evaluate, Float64Array.from(copiedNumbers("starts", starts)), {
    ...{ dimension: model.dimension, iterations, tolerance },
  });
}

/** The same ascent on any log-density that comes with its gradient: [count] and [count, D] at points [count, D]. */
export async function climbed(
  evaluate: (points: Float64Array) => Promise<{ readonly values: Float64Array; readonly gradient: Float64Array }>,
  given: Float64Array,
  { dimension, iterations, tolerance }: { dimension: number; iterations: number; tolerance: number },
): Promise<Modes> {
  const first = await evaluate(given);
  const count = first.values.length;
  const rows = (of: Float64Array) =>
    Array.from({ length: count }, (_, i) => of.slice(i * dimension, (i + 1) * dimension));
  const gradients = rows(first.gradient);
  const climbers = rows(given).map((x, i) => new Climber(x, first.values[i] as number, gradients[i] as Float64Array));

  let done = 0;
  while (done < iterations && climbers.some(({ there }) => !there)) {
    const trial = new Float64Array(count * dimension);
    for (const [i, climber] of climbers.entries()) trial.set(climber.trial(), i * dimension);
    if (!trial.every((value) => Number.isFinite(Math.fround(value)))) throw outOfRange();
    const { values, gradient } = await evaluate(trial);
    const slopes = rows(gradient);
    for (const [i, climber] of climbers.entries()) {
      climber.judge(values[i] as number, slopes[i] as Float64Array, tolerance);
    }
    done++;
  }
  const flat = (of: (climber: Climber) => Float64Array) => {
    const all = new Float64Array(count * dimension);
    for (const [i, climber] of climbers.entries()) all.set(of(climber), i * dimension);
    return all;
  };
  return {
    values: flat(({ x }) => x),
    logDensity: Float64Array.from(climbers, ({ value }) => value),
    gradient: flat((climber) => climber.gradient),
    converged: climbers.map(({ there }) => there),
    ...{ iterations: done, count, dimension },
  };
}

/** A step, how minus the gradient changed on it, and their product. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

/** One point on its way up. */
class Climber {
  x: Float64Array;
  value: number;
  gradient: Float64Array;
  there = false;
  #direction: Float64Array;
  #size: number;
  readonly #pairs: Pair[] = [];

  constructor(x: Float64Array, value: number, gradient: Float64Array) {
    this.x = x;
    this.value = value;
    this.gradient = gradient;
    const length = Math.sqrt(dot(gradient, gradient));
    this.#direction = gradient;
    this.#size = Math.min(1, 0.5 / length); // nothing is known of the curvature: half a unit at most
    this.there = length === 0;
  }

  /** Where to look next; where it is, if it is there. */
  trial(): Float64Array {
    return this.there ? this.x : this.x.map((value, i) => value + this.#size * (this.#direction[i] as number));
  }

  judge(value: number, gradient: Float64Array, tolerance: number): void {
    if (this.there) return;
    const noise = NOISE * (1 + Math.abs(this.value));
    const promised = this.#size * dot(this.gradient, this.#direction);
    if (!(value >= this.value + SUFFICIENT * promised - noise)) {
      // A parabola through what is known, within a tenth and a half of the step.
      const best = promised / (2 * (promised - (value - this.value)));
      this.#size *= Math.min(0.5, Math.max(0.1, Number.isFinite(best) ? best : 0.1));
      if (promised < tolerance) this.#restartOrEnd();
      return;
    }
    const step = this.#direction.map((each) => this.#size * each);
    const change = gradient.map((each, i) => (this.gradient[i] as number) - each); // of minus the log-density
    const product = dot(step, change);
    const gain = value - this.value;
    this.x = this.x.map((each, i) => each + (step[i] as number));
    this.value = value;
    this.gradient = gradient;
    if (product > 1e-12 * dot(change, change)) {
      this.#pairs.push({ step, change, product });
      if (this.#pairs.length > MEMORY) this.#pairs.shift();
    }
    this.#direction = this.#newton();
    this.#size = 1;
    const next = dot(this.gradient, this.#direction);
    if (gain < tolerance && next < 2 * tolerance) this.there = true;
  }

  /** The direction that was tried gains nothing: along the gradient, once, or here is the end. */
  #restartOrEnd(): void {
    if (this.#pairs.length === 0) {
      this.there = true;
      return;
    }
    this.#pairs.length = 0;
    this.#direction = this.gradient;
    this.#size = Math.min(1, 0.1 / Math.sqrt(dot(this.gradient, this.gradient)));
  }

  /** The inverse Hessian that the pairs tell of, times the gradient: both loops of L-BFGS. */
  #newton(): Float64Array {
    const direction = Float64Array.from(this.gradient);
    const parts = this.#pairs.map(() => 0);
    for (let k = this.#pairs.length - 1; k >= 0; k--) {
      const { step, change, product } = this.#pairs[k] as Pair;
      const part = dot(step, direction) / product;
      parts[k] = part;
      for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) - part * (change[i] as number);
    }
    const last = this.#pairs[this.#pairs.length - 1];
    const scale = last
      ? last.product / dot(last.change, last.change)
      : Math.min(1, 0.5 / Math.sqrt(dot(direction, direction)));
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale;
    for (const [k, { step, change, product }] of this.#pairs.entries()) {
      const part = (parts[k] as number) - dot(change, direction) / product;
      for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) + part * (step[i] as number);
    }
    return direction;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

function outOfRange(): DataError {
  return new DataError({
    subject: "points on the way to a mode",
    given: "one beyond f32",
    expected: "a log-density that falls off far out",
    remedy: "Start nearer to the data, or check the model.",
  });
}
