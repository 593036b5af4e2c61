/** Options of solves as the public API has them, checked and put into the words of flow/. */
import { ConfigError } from "../errors.ts";
import { type DivergenceOptions as Estimator, traceEstimators } from "../flow/likelihood.ts";
import { dopri5 } from "../flow/solvers/dopri5.ts";
import { choiceOption, integerOption, optionsObject, partOption, signalOption } from "../graph/options.ts";
import type { DivergenceOptions, SampleOptions, SolveOptions } from "./api.ts";
import { pointsOf } from "./points.ts";

const DEFAULT_PROBES = 8;

/** The options of every solve. */
export const solveOptionNames = [
  "solver",
  "conditions",
  "guidance",
  "seed",
  "signal",
  "best",
  "ema",
  "onProgress",
] as const satisfies readonly (keyof SolveOptions)[];

type OnProgress = SolveOptions["onProgress"];

export function progressOption(onProgress: OnProgress): OnProgress {
  if (onProgress === undefined || typeof onProgress === "function") return onProgress;
  throw new ConfigError({
    subject: "onProgress",
    given: onProgress,
    expected: "a function of points done and points in all",
    remedy: "Give a function, or leave it out.",
  });
}

/** Takes the part of the way that chunk `chunk` of `rows` points has gone and tells the points done of `count`. */
export function partOf(onProgress: OnProgress, chunk: number, rows: number, count: number) {
  return onProgress && ((part: number) => onProgress(Math.min(count, Math.floor((chunk + part) * rows)), count));
}

/** How to estimate divergences, complete: equal options are equal as JSON. */
export function estimatorOf({ divergence = "exact", probes }: DivergenceOptions): Required<Estimator> {
  choiceOption("divergence", divergence, traceEstimators);
  if (divergence !== "exact") {
    return {
      estimator: divergence,
      probes: integerOption("probes", probes ?? DEFAULT_PROBES, 1, 256),
      probe: "rademacher",
    };
  }
  if (probes === undefined) return { estimator: divergence, probes: 1, probe: "rademacher" };
  throw new ConfigError({
    subject: "probes",
    given: probes,
    expected: 'no such option beside divergence "exact", which draws none',
    remedy: 'Leave it out, or choose divergence "hutchinson".',
  });
}

/** The same where the log-density may be left out; `of` is the call, for messages. */
export function optionalEstimator(
  of: string,
  logDensity: boolean | DivergenceOptions | undefined,
): Required<Estimator> | undefined {
  if (logDensity === undefined || logDensity === false) return undefined;
  if (logDensity === true) return estimatorOf({});
  return estimatorOf(optionsObject(`logDensity of ${of}`, logDensity, ["divergence", "probes"]) as DivergenceOptions);
}

/** What every solve is told, checked. */
export function solveOptions(of: string, options: SolveOptions) {
  const { solver = dopri5(), seed = 0, signal, onProgress } = options;
  partOption(`solver of ${of}`, solver, "plan", "dopri5()");
  integerOption(`seed of ${of}`, seed, 0);
  return { solver, seed, signal: signalOption(signal), onProgress: progressOption(onProgress) };
}

/**
 * How many points `sample` makes, and the noise it starts from where that is given, in model units.
 *
 * @throws {@link ConfigError} when there is neither, or they contradict each other.
 */
export function startOf({ count, noise }: SampleOptions, dimension: number) {
  if (noise === undefined) return { count: integerOption("count of sample", count), noise };
  const points = pointsOf("noise of sample", noise, dimension);
  if (count === undefined || count === points.count) return { count: points.count, noise: points.values };
  throw new ConfigError({
    subject: "count of sample",
    given: count,
    expected: `${points.count}, as many as the noise has rows`,
    remedy: "Leave count out where noise is given.",
  });
}

/** Directions that derivatives are taken along, beside the value itself. */
export function tangentCount(estimator: Estimator | undefined, dimension: number): number {
  if (!estimator) return 0;
  return estimator.estimator === "hutchinson" ? (estimator.probes ?? 1) : dimension;
}

/**
 * The stops of a solve from 0 to 1 that passes `times`, and which of them each time is. Times that f32 makes equal are
 * one stop: a device could not get from one to the other. So are 0 and what f32 holds in fewer digits.
 */
export function stopsOf(times: readonly number[]): { stops: number[]; stopOf: number[] } {
  if (!times.every((time, i) => time >= 0 && time <= 1 && (i === 0 || time > (times[i - 1] as number)))) {
    throw new ConfigError({
      subject: "times of sample",
      given: times,
      expected: "ascending times in [0, 1]",
      remedy: "Sort them and give each once.",
    });
  }
  const stops = [0];
  const add = (time: number) => {
    const last = stops[stops.length - 1] as number;
    if (time >= LEAST_NORMAL && Math.fround(time) !== Math.fround(last)) stops.push(time);
    return stops.length - 1;
  };
  const stopOf = times.map(add);
  add(1);
  return { stops, stopOf };
}

/** The least f32 of full precision; GPUs take smaller ones for 0. */
const LEAST_NORMAL = 2 ** -126;
