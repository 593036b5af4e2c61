/** g(t), how much noise a stochastic solver adds, as users say it and as it is kept. */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { choiceOption, f32Option, isRecord, optionsObject } from "../../graph/options.ts";
import { abs, maximum, multiply, subtract } from "../../ops/arithmetic.ts";
import { sum } from "../../ops/reduce.ts";
import { table as constants } from "../../ops/sources.ts";

export const diffusionKinds = ["sigma", "reverse", "table"] as const;

/**
 * - { kind: "sigma", strength }: g^2 = strength sigma(t), in proportion to the noise that is left.
 * - { kind: "reverse", strength }: g^2 = 2 strength sigma (sigma alpha' / alpha - sigma'); with 1 the diffusion whose reverse
 *   the path is, such as Song et al.'s on vp and ve. For paths whose alpha is above 0 at t = 0.
 * - a function of t, or its values at equal steps from t = 0 to 1: any g(t) >= 0, linear between 1,025 of its values or
 *   those that are given.
 */
export type Diffusion =
  | { readonly kind: "sigma" | "reverse"; readonly strength?: number }
  | { readonly kind: "table"; readonly values: readonly number[] }
  | ((t: number) => number)
  | readonly number[];

export type PlainDiffusion =
  | { readonly kind: "sigma" | "reverse"; readonly strength: number }
  | { readonly kind: "table"; readonly values: readonly number[] };

/** Values of a function of time that are kept. */
const SAMPLED = 1025;
const MOST_VALUES = 4097;

/**
 * The same as plain data, checked; the default is { kind: "sigma", strength: 1 }.
 *
 * @throws {@link ConfigError} when a strength or value is negative or no number that f32 holds.
 */
export function diffusionOption(subject: string, given: Diffusion = { kind: "sigma" }): PlainDiffusion {
  if (typeof given === "function") {
    return tabulated(subject, (i) => given(i / (SAMPLED - 1)), SAMPLED);
  }
  if (Array.isArray(given)) return table(subject, given);
  if (!isRecord(given)) {
    throw new ConfigError({
      subject,
      given,
      expected: '{ kind: "sigma" or "reverse", strength }, a function of t, or its values',
      remedy: 'Leave it out for { kind: "sigma", strength: 1 }.',
    });
  }
  const { kind } = given as { kind?: unknown };
  choiceOption(`kind of ${subject}`, kind, diffusionKinds);
  if (kind === "table") return table(subject, optionsObject(subject, given as never, ["kind", "values"])["values"]);
  const { strength = 1 } = optionsObject<{ strength?: number }>(subject, given as never, ["kind", "strength"] as never);
  f32Option(`strength of ${subject}`, strength, { minimum: 0 });
  return { kind: kind as "sigma" | "reverse", strength };
}

function table(subject: string, values: unknown): PlainDiffusion {
  if (Array.isArray(values) && values.length >= 2 && values.length <= MOST_VALUES) {
    return tabulated(subject, (i) => values[i], values.length);
  }
  throw new ConfigError({
    subject,
    given: Array.isArray(values) ? `${values.length} values` : values,
    expected: `2 to ${MOST_VALUES} values of g at equal steps from t = 0 to 1`,
    remedy: "Give a function of t: it is looked up as often as it takes.",
  });
}

function tabulated(subject: string, at: (i: number) => unknown, count: number): PlainDiffusion {
  const values = Array.from({ length: count }, (_, i) => {
    const value = at(i);
    return f32Option(`${subject} at t = ${i / (count - 1)}`, value as number, { minimum: 0 });
  });
  return { kind: "table", values };
}

/** g at a time [1, 1], between the values at equal steps from 0 to 1: [1, 1]. */
export function tableAt(values: readonly number[], t: Node): Node {
  const last = values.length - 1;
  const places = constants(
    values.map((_, i) => i),
    [1, values.length],
  );
  const near = maximum(subtract(1, abs(subtract(multiply(t, last), places))), 0);
  return sum(multiply(near, constants(values, [1, values.length])), [1]);
}
