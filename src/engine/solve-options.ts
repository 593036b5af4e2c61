/** Options of solves as the public API has them, checked and put into the words of flow/. */
import { ConfigError } from "../errors.ts";
import type { DivergenceOptions as Estimator } from "../flow/likelihood.ts";
import { choiceOption, integerOption, optionsObject } from "../graph/options.ts";
import type { DivergenceOptions, SolveOptions } from "./api.ts";

const DEFAULT_PROBES = 8;

/** The options of every solve. */
export const solveOptionNames = [
  "solver",
  "seed",
  "signal",
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
export function estimatorOf({ divergence = "exact", probes = DEFAULT_PROBES }: DivergenceOptions): Required<Estimator> {
  choiceOption("divergence", divergence, ["exact", "hutchinson"] as const);
  integerOption("probes", probes, 1, 256);
  return { estimator: divergence, probes: divergence === "exact" ? 1 : probes, probe: "rademacher" };
}

/** The same for `sample`, where the log-density may be left out. */
export function sampleEstimator(logDensity: boolean | DivergenceOptions): Required<Estimator> | undefined {
  if (logDensity === false) return undefined;
  if (logDensity === true) return estimatorOf({});
  return estimatorOf(optionsObject("logDensity of sample", logDensity, ["divergence", "probes"]) as DivergenceOptions);
}

/** Directions that derivatives are taken along, beside the value itself. */
export function tangentCount(estimator: Estimator | undefined, dimension: number): number {
  if (!estimator) return 0;
  return estimator.estimator === "hutchinson" ? (estimator.probes ?? 1) : dimension;
}

/** The stops of a solve from 0 to 1 that passes `times`. */
export function stopsOf(times: readonly number[]): number[] {
  const ascending = times.every((time, i) => time >= 0 && time <= 1 && (i === 0 || time > (times[i - 1] as number)));
  if (ascending) return [...new Set([0, ...times, 1])];
  throw new ConfigError({
    subject: "times of sample",
    given: times,
    expected: "ascending times in [0, 1]",
    remedy: "Sort them and give each once.",
  });
}
