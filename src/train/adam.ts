/** Adam and AdamW as graphs over the flat parameter vector: one fused chain a step. */
import type { Node } from "../graph/node.ts";
import { choiceOption, type NamedOptions, numberOption } from "../graph/options.ts";
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
  return makeAdam("adam", options, 0);
}

/**
 * AdamW: Adam, and parameters *= 1 - rate weightDecay before each step.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (ICLR 2019), algorithm 2.
 */
export function adamW({ weightDecay = 0.01, ...options }: AdamWOptions = {}): Optimizer {
  return makeAdam("adamw", options, numberOption("weightDecay of adamW", weightDecay, { minimum: 0 }));
}

function makeAdam(name: string, options: AdamOptions, weightDecay: number): Optimizer {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const rate = toRate(learningRate);
  numberOption("beta1", beta1, { minimum: 0, maximum: 1, open: "maximum" });
  numberOption("beta2", beta2, { minimum: 0, maximum: 1, open: "maximum" });
  numberOption("epsilon", epsilon, { minimum: 0, open: "minimum" });
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

/** 1 - beta^count by expm1: at count = 1 and beta = 0.999 a plain subtraction would keep three digits in f32. */
function oneMinusPower(beta: number, count: Node): Node {
  // beta = 0 has no logarithm; exp(-1000) is 0 in f32 and f64 alike.
  return negate(expm1(multiply(count, beta === 0 ? -1000 : Math.log(beta))));
}

/** Optimizers by name. */
export const optimizers: Readonly<Record<string, (options: never) => Optimizer>> = {
  adam: (options: AdamOptions & { learningRate: NamedOptions }) =>
    adam({ ...options, learningRate: rateFrom(options.learningRate) }),
  adamw: (options: AdamWOptions & { learningRate: NamedOptions }) =>
    adamW({ ...options, learningRate: rateFrom(options.learningRate) }),
};

/** The optimizer of this name and these options, as a checkpoint holds them. */
export function optimizerFrom({ name, options }: NamedOptions): Optimizer {
  const make = optimizers[choiceOption("optimizer", name, Object.keys(optimizers))] as (options: never) => Optimizer;
  return make(options as never);
}
