/** Paths of a user's own: written with the ops, kept and sent as the graphs that they build. */
import { jvp } from "../../autodiff/jvp.ts";
import { ConfigError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Node } from "../../graph/node.ts";
import { f32Option, optionsObject, textOption } from "../../graph/options.ts";
import { broadcast, reshape } from "../../ops/shape.ts";
import { constant, table } from "../../ops/sources.ts";
import { graphPath, pathConfig } from "./graph-path.ts";
import { LEAST_DILATION, type PathScheduler, type PathValues } from "./path.ts";

type OfTime = (t: Node) => Node;

export interface PathDefinition {
  /** What messages call it. */
  readonly name: string;
  /** Factor of the data, from times t [B, 1] in [0, 1] to [B, 1] (or a constant, []). */
  readonly alpha: OfTime;
  /** Factor of the noise, likewise: positive for t < 1. */
  readonly sigma: OfTime;
  /** Derivative of alpha by t. Left out: by forward mode, which may lose digits in f32 where a form of its own does not. */
  readonly alphaRate?: OfTime;
  /** The same of sigma. */
  readonly sigmaRate?: OfTime;
  /** Standard deviation of the noise that sampling starts from; default sigma(0). */
  readonly priorDeviation?: number;
}

/**
 * A path of your own, x_t = alpha(t) x1 + sigma(t) x0. The functions are called here; what is trained with, sent to a
 * worker and kept in checkpoints are the graphs that they build.
 *
 * @throws {@link ConfigError} when an option is wrong, a value is not finite or sigma not positive somewhere in [0, 1), or
 * a rate that was given is not the derivative: the message says at what t.
 * @throws {@link UnsupportedError} when a graph is another for other numbers of times.
 * @example
 * const quadratic = definePath({ name: "quadratic", alpha: (t) => multiply(t, t), sigma: (t) => subtract(1, t) });
 */
export function definePath(definition: PathDefinition): PathScheduler {
  const known = ["name", "alpha", "sigma", "alphaRate", "sigmaRate", "priorDeviation"] as const;
  const { name, priorDeviation, ...given } = optionsObject("options of definePath", definition, known);
  textOption("name of definePath", name ?? "", "what messages call the path");
  const subject = `path "${name}"`;
  const alpha = functionOf(subject, "alpha", given.alpha);
  const sigma = functionOf(subject, "sigma", given.sigma);
  const at = (t: Node): PathValues => {
    const values = { alpha: alpha(t), sigma: sigma(t) };
    return {
      ...values,
      alphaRate: given.alphaRate ? functionOf(subject, "alphaRate", given.alphaRate)(t) : derivative(values.alpha, t),
      sigmaRate: given.sigmaRate ? functionOf(subject, "sigmaRate", given.sigmaRate)(t) : derivative(values.sigma, t),
    };
  };
  const values = tried(subject, at);
  const deviation = priorDeviation ?? (values.sigma[0] as number);
  f32Option(`priorDeviation of ${subject}`, deviation, { minimum: 0, open: "minimum" });
  const dilations = values.sigmaRate.map((rate, i) => rate / (values.sigma[i] as number));
  const dilationVanishes =
    dilations.some((dilation) => Math.abs(dilation) < LEAST_DILATION) ||
    dilations.some((dilation) => Math.sign(dilation) !== Math.sign(dilations[0] as number));
  const path = { name, options: {}, priorDeviation: deviation, dilationVanishes, at };
  return graphPath(pathConfig(path));
}

/** A function that gives [B, 1] whatever is given, with its result checked. */
function functionOf(subject: string, name: string, given: unknown): OfTime {
  if (typeof given !== "function") {
    throw new ConfigError({
      subject: `${name} of ${subject}`,
      given: given ?? String(given),
      expected: "a function of times [B, 1]",
      remedy: "Give a function that builds it with the ops.",
    });
  }
  return (t) => {
    const value: Node | number = given(t);
    if (typeof value === "number") return constant(value, t.shape);
    const { shape, dtype } = Object(value) as Partial<Node>;
    if (shape?.length === 0 && dtype === "f32") return broadcast(reshape(value, [1, 1]), t.shape);
    if (shape?.join() === t.shape.join() && dtype === "f32") return value;
    throw new ConfigError({
      subject: `${name} of ${subject}`,
      given: shape ?? String(value),
      expected: `f32 [B, 1], here [${t.shape.join(", ")}]`,
      remedy: "Give a value for each time.",
    });
  };
}

function derivative(value: Node, t: Node): Node {
  const [tangent] = jvp([value], [t], [constant(1, t.shape)]);
  return tangent ?? constant(0, t.shape);
}

/** Times at which a path is tried: t = 0 first, and none at t = 1, where it may end in a point. */
const TIMES = Array.from({ length: 257 }, (_, i) => i / 257);

/** A rate may differ by so much of the largest one, from a form of its own that sums up otherwise. */
const TOLERANCE = 1e-6;

/** Values in f64 at {@link TIMES}, once found to be those of a path. */
function tried(subject: string, at: (t: Node) => PathValues) {
  const t = table(TIMES, [TIMES.length, 1]);
  const { alpha, sigma, alphaRate, sigmaRate } = at(t);
  const nodes = [alpha, sigma, alphaRate, sigmaRate, derivative(alpha, t), derivative(sigma, t)];
  const values = evaluate(nodes).map(({ data }) => Array.from(data));
  const [names, [a, s, aRate, sRate, ofAlpha, ofSigma]] = [
    ["alpha", "sigma", "alphaRate", "sigmaRate"],
    values as [number[], number[], number[], number[], number[], number[]],
  ];
  const refuse = (name: string, i: number, value: unknown, expected: string): never => {
    const remedy = "Choose a path that is finite and has noise left before t = 1.";
    throw new ConfigError({ subject: `${name} of ${subject} at t = ${TIMES[i]}`, given: value, expected, remedy });
  };
  names.forEach((name, k) => {
    const i = (values[k] as number[]).findIndex((value) => !Number.isFinite(value));
    if (i >= 0) refuse(name, i, String(values[k]?.[i]), "a finite number");
  });
  const i = s.findIndex((value) => !(value > 0));
  if (i >= 0) refuse("sigma", i, s[i], "a positive number");
  for (const [name, own, derived] of [["alphaRate", aRate, ofAlpha] as const, ["sigmaRate", sRate, ofSigma] as const]) {
    const largest = derived.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const wrong = own.findIndex((value, i) => !(Math.abs(value - (derived[i] as number)) <= TOLERANCE * largest));
    if (wrong >= 0) refuse(name, wrong, own[wrong], `${derived[wrong]}, the derivative`);
  }
  return { alpha: a, sigma: s, alphaRate: aRate, sigmaRate: sRate };
}
