/**
 * Learning rates as graph functions of the training step, so that a step needs nothing from the host. A rate is a
 * number or a product of factors: `product(1e-3, warmUp({ steps: 10 }), staircase({ factor: 0.999, every: 10 }))` is
 * the paper's.
 */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import {
  f32Option,
  integerOption,
  madeFrom,
  type NamedOptions,
  numberOption,
  optionsObject,
  partOption,
  type Registry,
} from "../graph/options.ts";
import { add, cos, divide, exp, floor, minimum, multiply } from "../ops/arithmetic.ts";
import { constant } from "../ops/sources.ts";

/** A learning rate, or a factor of one. */
export interface Rate extends NamedOptions {
  /** No step's is above. Left out: not known. */
  readonly largest?: number | undefined;
  /**
   * @param step - f32 [1], steps done so far: 0 at the first. Exact up to 2^24, some 16 million steps; beyond, the
   * nearest number that f32 holds, at most 128 steps off, so that edges of stairs come so much early or late.
   * @returns f32 [1].
   */
  at(step: Node): Node;
}

/** Beyond it a step of f32 parameters might overflow; what is useful is far below. */
const LARGEST_RATE = 1e30;

/** The same rate at every step, from 0 to 1e30. */
export function constantRate(rate: number): Rate {
  f32Option("learning rate", rate, { minimum: 0, maximum: LARGEST_RATE });
  return { name: "constant", options: { rate }, largest: rate, at: (step) => constant(rate, step.shape) };
}

/** Factor (step + 1) / steps, growing to 1 at step `steps` - 1 and staying there: the first step moves already. */
export function warmUp(options: { steps: number }): Rate {
  const { steps } = optionsObject("options of warmUp", options, ["steps"]);
  integerOption("steps of warmUp", steps);
  return {
    name: "warm-up",
    options: { steps },
    largest: 1,
    at: (step) => minimum(multiply(add(step, 1), 1 / steps), 1),
  };
}

/** Factor `factor`^floor(step / every). */
export function staircase(options: { factor: number; every: number }): Rate {
  const { factor, every } = optionsObject("options of staircase", options, ["factor", "every"]);
  numberOption("factor of staircase", factor, { minimum: 0, open: "minimum" });
  integerOption("every of staircase", every);
  return {
    name: "staircase",
    options: { factor, every },
    largest: factor <= 1 ? 1 : undefined,
    // Half a step off the edges: devices round a quotient, and floor(10 / 10) must not be 0.
    at: (step) => exp(multiply(floor(divide(add(step, 0.5), every)), Math.log(factor))),
  };
}

/** Factor `factor`^step. */
export function exponential(options: { factor: number }): Rate {
  const { factor } = optionsObject("options of exponential", options, ["factor"]);
  numberOption("factor of exponential", factor, { minimum: 0, open: "minimum" });
  return {
    name: "exponential",
    options: { factor },
    largest: factor <= 1 ? 1 : undefined,
    at: (step) => exp(multiply(step, Math.log(factor))),
  };
}

/** Factor falling as half a cosine from 1 at step 0 to `final` at step `steps`, and staying there. */
export function cosineDecay(options: { steps: number; final?: number }): Rate {
  const { steps, final = 0 } = optionsObject("options of cosineDecay", options, ["steps", "final"]);
  integerOption("steps of cosineDecay", steps);
  numberOption("final of cosineDecay", final, { minimum: 0, maximum: 1 });
  return {
    name: "cosine",
    options: { steps, final },
    largest: 1,
    at: (step) => {
      const angle = multiply(minimum(multiply(step, 1 / steps), 1), Math.PI);
      return add(multiply(add(cos(angle), 1), (1 - final) / 2), final);
    },
  };
}

/** The product of numbers and rates. */
export function product(...factors: readonly (number | Rate)[]): Rate {
  if (factors.length === 0) {
    throw new ConfigError({
      subject: "product of learning rates",
      given: factors,
      expected: "at least one factor",
      remedy: "Give a number, such as product(1e-3, warmUp({ steps: 10 })).",
    });
  }
  const rates = factors.map(toRate);
  return {
    name: "product",
    options: { factors: rates.map(({ name, options }) => ({ name, options })) },
    largest: rates.reduce<number | undefined>(
      (most, { largest }) => (most === undefined || largest === undefined ? undefined : most * largest),
      1,
    ),
    at: (step) => rates.map((rate) => rate.at(step)).reduce((a, b) => multiply(a, b)),
  };
}

/** A number stands for a constant rate. */
export function toRate(rate: number | Rate): Rate {
  return typeof rate === "object" ? partOption("learning rate", rate, "at", "warmUp({ steps })") : constantRate(rate);
}

/** Rates by name: how a rate is made again from a checkpoint. */
export const rates: Registry<Rate> = {
  constant: (options: { rate: number }) =>
    constantRate(optionsObject("options of a constant rate", options, ["rate"]).rate),
  "warm-up": warmUp,
  staircase,
  exponential,
  cosine: cosineDecay,
  product(options: { factors: readonly NamedOptions[] }) {
    const { factors } = optionsObject("options of product", options, ["factors"]);
    return product(...(Array.isArray(factors) ? factors : []).map(rateFrom));
  },
};

/** The rate of this name and these options. */
export function rateFrom(named: NamedOptions): Rate {
  return madeFrom("learning rate", rates, named);
}
