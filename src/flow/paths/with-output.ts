/**
 * What the output of a network on a path means. Everything that is asked of a model is asked of its velocity, so the output is
 * turned into one in one place, right behind the network: losses, solvers, log-densities and guidance see a velocity field
 * like any other, and its divergence goes through the conversion.
 *
 * Conversions divide by alpha (noise and score to velocity) or by sigma (data to velocity). Where these are nearly 0 they are
 * taken as at the nearest time where alpha is 2e-3, sigma 1e-3 ({@link windowOf}): of a network that is right, the velocity
 * is then off by these parts of a data point, or of noise.
 */
import { ConfigError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Node } from "../../graph/node.ts";
import { choiceOption, f32Option, optionsObject, partOption } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { add, divide, maximum, minimum, multiply, sqrt, square } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import { convertField, type FieldKind, fieldKinds } from "../conversions.ts";
import { expectAffine } from "./affine.ts";
import type { PathScheduler, PathValues } from "./path.ts";
import { type Window, windowOf } from "./window.ts";

export interface OutputOptions {
  /**
   * Standard deviation of the data, in the units that the network sees (1 where they are standardised), positive. Given: the
   * network sees x / sqrt(sigma^2 + alpha^2 dataDeviation^2), and what it gives is multiplied by the size that the quantity has
   * over data of this deviation: a score by 1 / sqrt(sigma^2 + alpha^2 dataDeviation^2), data by dataDeviation, noise by 1, a
   * velocity by sqrt(sigma'^2 + alpha'^2 dataDeviation^2). So both are of size 1 at all times, also where sigma is 300.
   * Default: neither is scaled.
   */
  readonly dataDeviation?: number;
}

/** The name of such a path: {@link morePathNames}. */
export const WITH_OUTPUT = "with-output";

/**
 * The path, on which a network's output is this quantity: "velocity", "noise" (E[x0 | x]), "data" (E[x1 | x]) or "score". Files
 * hold it, `divflow info` tells it.
 *
 * Losses act on the velocity that follows from it, so the mean square of its error is that of the quantity's, times a factor
 * that is infinite at an end: for noise det^2 / alpha^2, det = alpha' sigma - sigma' alpha, for data det^2 / sigma^2. Weigh it
 * back by {@link weighted}: `weighted(cfm(), { by: "noise" })` is the mean square of the noise's error, whatever the output.
 *
 * @throws {@link ConfigError} when an option is wrong, or the path has an output of its own.
 * @see Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models (2022), for the scaling.
 * @example
 * const path = withOutput("noise", vp());
 * const trainer = await createTrainer(runtime, { network, path, loss: weighted(cfm(), { by: "noise" }), data });
 */
export function withOutput(output: FieldKind, path: PathScheduler, options: OutputOptions = {}): PathScheduler {
  const { dataDeviation } = optionsObject("options of withOutput", options, ["dataDeviation"]);
  choiceOption("output of withOutput", output, fieldKinds);
  partOption("path of withOutput", path, "at", "condOT()");
  if (dataDeviation !== undefined)
    f32Option("dataDeviation of withOutput", dataDeviation, { minimum: 1e-6, maximum: 1e6 });
  expectAffine("path of withOutput", path);
  if (path.bind) {
    throw new ConfigError({
      subject: "path of withOutput",
      given: path.name,
      expected: "a path on which a network gives velocities",
      remedy: "Give the path that it was made of.",
    });
  }
  const { name, options: own, priorDeviation, dilationVanishes, at } = path;
  const scaled = dataDeviation === undefined ? {} : { dataDeviation };
  return {
    name: WITH_OUTPUT,
    options: { output, path: { name, options: own }, ...scaled },
    priorDeviation,
    dilationVanishes,
    at: (t) => at(t),
    bind: (network) => ({ ...network, own: network, apply: converted(network, output, path, dataDeviation) }),
  };
}

function converted(
  network: Network,
  output: FieldKind,
  path: PathScheduler,
  deviation: number | undefined,
): Network["apply"] {
  const [first, last] = safeTimes(output, path);
  return (parameters, x, t, conditions) => {
    const seen = deviation === undefined ? x : divide(x, marginalDeviation(path.at(t), deviation));
    const given = network.apply(parameters, seen, t, conditions);
    const late = first > 0 ? maximum(t, first) : t;
    const at = path.at(last < 1 ? minimum(late, last) : late);
    const value = deviation === undefined ? given : multiply(given, sizeOf(output, at, deviation));
    return convertField(output, "velocity", value, x, at);
  };
}

/** sqrt(sigma^2 + alpha^2 deviation^2) [B, 1]. */
function marginalDeviation({ alpha, sigma }: PathValues, deviation: number): Node {
  return sqrt(add(square(sigma), square(multiply(alpha, deviation))));
}

/** Root mean square of a quantity over data of this deviation: [B, 1], or a number. */
function sizeOf(output: FieldKind, at: PathValues, deviation: number): Node | number {
  if (output === "noise") return 1;
  if (output === "data") return deviation;
  if (output === "score") return divide(1, marginalDeviation(at, deviation));
  return marginalDeviation({ ...at, alpha: at.alphaRate, sigma: at.sigmaRate }, deviation);
}

/** The times between which the conversion to a velocity stays finite. */
function safeTimes(output: FieldKind, path: PathScheduler): Window {
  const [first, last] = windowOf(path);
  const { alphaRate, sigmaRate } = path.at(constant(1, [1, 1]));
  const ends = evaluate([alphaRate, sigmaRate]).every(({ data }) => Number.isFinite(data[0]));
  return [output === "noise" || output === "score" ? first : 0, output === "data" || !ends ? last : 1];
}
