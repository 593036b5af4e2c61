/** What is known of parameters before there are data: distributions to draw from, each with the bounds that it never leaves. */
import { ConfigError } from "../errors.ts";
import { type NamedOptions, numberOption, optionsObject } from "../graph/options.ts";
import { type Bounds, boundsOf, boundsOption, normalQuantile, type Transform, transformOf } from "./transforms.ts";

/** Random numbers for priors and simulators: those of a seed and of the simulation's number, whatever runs beside it. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal, |value| at most 5.3. */
  normal(): number;
  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number;
}

/** A number for a parameter that is one, an array for one that has several. */
export type ParameterValue = number | Float64Array;

/** A distribution of one parameter: a number, or `dimension` of them. */
export interface Prior<Value extends ParameterValue = ParameterValue> extends NamedOptions {
  /** How many numbers it is. */
  readonly dimension: number;
  /** Whether its value is a number and no array of one. */
  readonly isNumber: boolean;
  /** Of each number; also its bounds. */
  readonly transforms: readonly Transform[];
  /** A draw. */
  draw(random: Random): Value;
}

/** Parameters by name: independent of each other. */
export type Priors = Readonly<Record<string, Prior>>;

/** What a simulator is given: by name what each prior draws, or that of the only prior. */
export type ParametersOf<Given extends Prior | Priors> =
  Given extends Prior<infer Value>
    ? Value
    : { readonly [Name in keyof Given]: Given[Name] extends Prior<infer Value> ? Value : never };

/** A number where both options are, else an array. */
type ValueOf<First, Second> = [First, Second] extends [number, number] ? number : Float64Array;
type NumberOrMany = number | readonly number[];

/**
 * Uniform on an interval, or on a box where ends are arrays.
 *
 * @throws {@link ConfigError} when `low` is not below `high`, or they differ in length.
 * @example
 * uniform({ low: 0, high: 5 }); // a number
 * uniform({ low: [-1, -1], high: [1, 1] }); // two of them
 */
export function uniform<Low extends NumberOrMany, High extends NumberOrMany>(options: {
  readonly low: Low;
  readonly high: High;
}): Prior<ValueOf<Low, High>> {
  const { low, high } = optionsObject("options of uniform", options, ["low", "high"]);
  return ofColumns<"low" | "high", ValueOf<Low, High>>("uniform", { low, high }, (ends) => {
    expectOrder("uniform", ends);
    return { kind: "between", low: ends.low, high: ends.high };
  });
}

/**
 * Uniform in the logarithm: for scales of which only the order of magnitude is known.
 *
 * @throws {@link ConfigError} when `low` is not above 0, not below `high`, or they differ in length.
 */
export function logUniform<Low extends NumberOrMany, High extends NumberOrMany>(options: {
  readonly low: Low;
  readonly high: High;
}): Prior<ValueOf<Low, High>> {
  const { low, high } = optionsObject("options of logUniform", options, ["low", "high"]);
  return ofColumns<"low" | "high", ValueOf<Low, High>>("logUniform", { low, high }, (ends) => {
    numberOption("low of logUniform", ends.low, { minimum: 0, open: "minimum" });
    expectOrder("logUniform", ends);
    return { kind: "logBetween", low: ends.low, high: ends.high };
  });
}

/**
 * Normal; of arrays independent coordinates.
 *
 * @throws {@link ConfigError} when a deviation is not above 0, or they differ in length.
 */
export function normal<Mean extends NumberOrMany, Deviation extends NumberOrMany>(options: {
  readonly mean: Mean;
  readonly deviation: Deviation;
}): Prior<ValueOf<Mean, Deviation>> {
  const { mean, deviation } = optionsObject("options of normal", options, ["mean", "deviation"]);
  return ofColumns<"mean" | "deviation", ValueOf<Mean, Deviation>>("normal", { mean, deviation }, (each) => ({
    kind: "unbounded",
    ...scaleOf("normal", each),
  }));
}

/**
 * Log-normal: its logarithm has this mean and deviation. Above 0.
 *
 * @throws {@link ConfigError} when a deviation is not above 0, or they differ in length.
 */
export function logNormal<Mean extends NumberOrMany, Deviation extends NumberOrMany>(options: {
  readonly mean: Mean;
  readonly deviation: Deviation;
}): Prior<ValueOf<Mean, Deviation>> {
  const { mean, deviation } = optionsObject("options of logNormal", options, ["mean", "deviation"]);
  return ofColumns<"mean" | "deviation", ValueOf<Mean, Deviation>>("logNormal", { mean, deviation }, (each) => ({
    kind: "above",
    low: 0,
    ...scaleOf("logNormal", each),
  }));
}

export interface DefinePriorOptions {
  /** What messages and files call it. */
  readonly name: string;
  /** Of each number, [low, high], infinite where there is none: what is drawn lies within, and so does the posterior. */
  readonly bounds: readonly Bounds[];
  /** A draw: as many numbers as there are bounds. */
  readonly draw: (random: Random) => ArrayLike<number>;
}

/**
 * A prior of your own: anything that can be drawn from, such as correlated parameters. Its density is not needed.
 *
 * @throws {@link ConfigError} when an option is missing or wrong.
 * @example
 * const ordered = definePrior({
 *   name: "two rates, the first the smaller",
 *   bounds: [[0, 1], [0, 1]],
 *   draw: (random) => [random.uniform(), random.uniform()].sort((a, b) => a - b),
 * });
 */
export function definePrior(options: DefinePriorOptions): Prior<Float64Array> {
  const { name, bounds, draw } = optionsObject("options of definePrior", options, ["name", "bounds", "draw"]);
  if (typeof name !== "string" || name === "" || typeof draw !== "function") {
    throw new ConfigError({
      subject: "options of definePrior",
      given: { name, draw: typeof draw },
      expected: "a name, and a function draw(random)",
      remedy: "Give both, such as { name, bounds: [[0, 1]], draw: (random) => [random.uniform()] }.",
    });
  }
  const transforms = (Array.isArray(bounds) && bounds.length > 0 ? bounds : [undefined]).map((each, k) =>
    transformOf(boundsOption(`bounds[${k}] of definePrior`, each)),
  );
  return {
    ...{ name, options: { own: true }, dimension: transforms.length, isNumber: false, transforms },
    draw(random) {
      const values = Float64Array.from(draw(random));
      const isWithin = transforms.every((transform, k) => isInside(boundsOf(transform), values[k]));
      if (values.length === transforms.length && isWithin) return values;
      throw new ConfigError({
        subject: `a draw of the prior "${name}"`,
        given: [...values],
        expected: `${transforms.length} numbers within the bounds`,
        remedy: "Draw within the bounds, or make them wider.",
      });
    },
  };
}

export const isInside = ([low, high]: Bounds, value: number): boolean => value >= low && value <= high;

/** A prior whose numbers are independent, each the image of a standard normal. */
function ofColumns<Name extends string, Value extends ParameterValue>(
  name: string,
  options: Readonly<Record<Name, NumberOrMany>>,
  transformFor: (each: Record<Name, number>) => Transform,
): Prior<Value> {
  const names = Object.keys(options) as Name[];
  const isNumber = names.every((one) => typeof options[one] === "number");
  const lists = names.map((one) => {
    const given: NumberOrMany = options[one];
    const list = typeof given === "number" ? [given] : Array.from(given ?? []);
    for (const value of list.length > 0 ? list : [undefined]) numberOption(`${one} of ${name}`, value);
    return { isNumber: typeof given === "number", list };
  });
  const dimension = Math.max(...lists.map(({ list }) => list.length));
  if (lists.some((one) => !one.isNumber && one.list.length !== dimension)) {
    throw new ConfigError({
      subject: `options of ${name}`,
      given: lists.map(({ list }) => `${list.length} numbers`).join(" and "),
      expected: "as many numbers in each",
      remedy: "Give arrays of one length, or one number for all.",
    });
  }
  const transforms = Array.from({ length: dimension }, (_, k) =>
    transformFor(
      Object.fromEntries(names.map((one, i) => [one, lists[i]?.list[lists[i]?.isNumber ? 0 : k]])) as Record<
        Name,
        number
      >,
    ),
  );
  const drawn = (random: Random) => Float64Array.from(transforms, (transform) => drawnBy(transform, random));
  return {
    ...{ name, options, dimension, isNumber, transforms },
    draw: (random) => (isNumber ? (drawn(random)[0] as number) : drawn(random)) as Value,
  };
}

/** Uniform shares have 53 bits, normals more than that of f32: both by the quantile. */
function drawnBy(transform: Transform, random: Random): number {
  const share = random.uniform();
  switch (transform.kind) {
    case "between":
      return Math.min(transform.high, transform.low + (transform.high - transform.low) * share);
    case "logBetween":
      return Math.min(transform.high, transform.low * (transform.high / transform.low) ** share);
    default: {
      const scaled = transform.mean + transform.deviation * normalQuantile(share + 2 ** -54);
      if (transform.kind === "unbounded") return scaled;
      return transform.kind === "above" ? transform.low + Math.exp(scaled) : transform.high - Math.exp(scaled);
    }
  }
}

function scaleOf(of: string, { mean, deviation }: { readonly mean: number; readonly deviation: number }) {
  numberOption(`deviation of ${of}`, deviation, { minimum: 0, open: "minimum" });
  return { mean, deviation };
}

function expectOrder(of: string, { low, high }: { readonly low: number; readonly high: number }): void {
  numberOption(`high of ${of}`, high, { minimum: low, open: "minimum" });
}
