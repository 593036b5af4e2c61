/** Adam and AdamW as graphs over the flat parameter vector: one fused chain a step. */
import type { Node } from "../graph/node.ts";
import { f32Option, isRecord, madeFrom, type NamedOptions, optionsObject, type Registry } from "../graph/options.ts";
import { add, divide, expm1, multiply, negate, sqrt, subtract } from "../ops/arithmetic.ts";
import { type Rate, rateFrom, toRate } from "./rates.ts";

/** What an optimizer makes of a step. All vectors are [N]. */
export interface OptimizerStep {
  readonly parameters: Node;
  /** In the order of {@link Optimizer.moments}. */
  readonly moments: readonly Node[];
  /** The learning rate of this step, [1]. */
  readonly learningRate: Node;
}

export interface Optimizer extends NamedOptions {
  /** Names of the vectors it keeps, each [N] and zero at the start: state "adam.first", ... */
  readonly moments: readonly string[];
  /**
   * No parameter grows in size by more than this in a step whose gradient and rate are finite. Left out, or large: not
   * known, and each step looks at all of its new parameters before it takes them, which is two kernel calls more.
   */
  readonly largestMove?: number | undefined;
  /** One step. `step` is f32 [1], the number of steps done before. */
  update(inputs: { parameters: Node; gradient: Node; step: Node; moments: readonly Node[] }): OptimizerStep;
}

export interface AdamOptions {
  /** A number, or a rate such as `product(1e-3, warmUp({ steps: 10 }))`. Default 1e-3. */
  readonly learningRate?: number | Rate;
  /** Decay of the mean of gradients, in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squared gradients, in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
}

export interface AdamWOptions extends AdamOptions {
  /** Share of the parameters, times the learning rate, taken off each step. Default 0.01. */
  readonly weightDecay?: number;
}

/**
 * Adam: m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2,
 * parameters -= rate (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + epsilon), k = step + 1.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Kingma and Ba, Adam: A Method for Stochastic Optimization (ICLR 2015), algorithm 1.
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return makeAdam("adam", optionsObject("options of adam", options, adamNames), 0);
}

/**
 * AdamW: Adam, and parameters *= 1 - rate weightDecay before each step.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (ICLR 2019), algorithm 2.
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  const { weightDecay = 0.01 } = optionsObject("options of adamW", options, [...adamNames, "weightDecay"]);
  return makeAdam("adamw", options, f32Option("weightDecay of adamW", weightDecay, { minimum: 0 }));
}

const adamNames = ["learningRate", "beta1", "beta2", "epsilon"] as const;

function makeAdam(name: string, options: AdamOptions, weightDecay: number): Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const rate = toRate(learningRate);
  f32Option("beta1", beta1, { minimum: 0, maximum: 1, open: "maximum" });
  f32Option("beta2", beta2, { minimum: 0, maximum: 1, open: "maximum" });
  f32Option("epsilon", epsilon, { minimum: 0, open: "minimum" });
  return {
    name,
    options: {
      learningRate: { name: rate.name, options: rate.options },
      beta1,
      beta2,
      epsilon,
      ...(name === "adamw" ? { weightDecay } : {}),
    },
    moments: ["adam.first", "adam.second"],
    largestMove: largestMove({ rate: rate.largest, beta1, beta2, epsilon, weightDecay }),
    update({ parameters, gradient, step, moments: [oldFirst, oldSecond] }) {
      if (!oldFirst || !oldSecond) throw new RangeError("adam keeps two moments");
      const count = add(step, 1);
      const learningRate = rate.at(step);
      const first = add(multiply(oldFirst, beta1), multiply(gradient, 1 - beta1));
      const second = add(multiply(oldSecond, beta2), multiply(multiply(gradient, gradient), 1 - beta2));
      // Scalars [1] first: what is left for the vectors is one division and one root an element.
      const size = divide(learningRate, oneMinusPower(beta1, count));
      const scale = divide(1, sqrt(oneMinusPower(beta2, count)));
      // Divided first, so that a finite gradient and rate give a finite step however large both are.
      const move = multiply(divide(first, add(multiply(sqrt(second), scale), epsilon)), size);
      const decayed =
        weightDecay === 0 ? parameters : multiply(parameters, subtract(1, multiply(learningRate, weightDecay)));
      return { parameters: subtract(decayed, move), moments: [first, second], learningRate };
    },
  };
}

/** Least of what f32 squares without becoming 0, on devices that take subnormal numbers for 0. */
const SMALLEST_SQUARED = 2 ** -63;

/**
 * How far one step of Adam can move a parameter. By Cauchy and Schwarz |m| <= ratio sqrt(v) while beta1^2 < beta2; what
 * of v is lost to underflow is at most SMALLEST_SQUARED^2 / (1 - beta2), and epsilon stands against it. Twice that, for
 * rounding.
 */
function largestMove(of: {
  readonly rate: number | undefined;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}): number | undefined {
  const { rate, beta1, beta2, epsilon, weightDecay } = of;
  // Decay beyond 2 would make parameters grow.
  if (rate === undefined || beta1 ** 2 >= beta2 || rate * weightDecay > 1) return undefined;
  const ratio = (1 - beta1) / Math.sqrt((1 - beta2) * (1 - beta1 ** 2 / beta2));
  const lost = SMALLEST_SQUARED / Math.sqrt(1 - beta2);
  return ((2 * rate) / (1 - beta1)) * ratio * (1 + lost / epsilon);
}

/** 1 - beta^count by expm1: at count = 1 and beta = 0.999 a plain subtraction would keep three digits in f32. */
function oneMinusPower(beta: number, count: Node): Node {
  // beta = 0 has no logarithm; exp(-1000) is 0 in f32 and f64 alike.
  return negate(expm1(multiply(count, beta === 0 ? -1000 : Math.log(beta))));
}

/** Optimizers by name. */
export const optimizers: Registry<Optimizer> = { adam: stored(adam), adamw: stored(adamW) };

/** Of plain options, in which a rate is its name and options. */
function stored(make: (options: AdamWOptions) => Optimizer) {
  return (options: { readonly learningRate: NamedOptions }) => {
    if (!isRecord(options)) return make(options);
    return make({ ...options, learningRate: rateFrom(options.learningRate) });
  };
}

/** The optimizer of this name and these options, as a checkpoint holds them. */
export function optimizerFrom(named: NamedOptions): Optimizer {
  return madeFrom("optimizer", optimizers, named);
}
