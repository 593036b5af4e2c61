/** Grids of times for solvers with fixed steps: `onGrid(heun(), karrasTimes(18, path))`. */
import { ConfigError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import { f32Option, integerOption, optionsObject, partOption } from "../../graph/options.ts";
import { table } from "../../ops/sources.ts";
import type { PathScheduler } from "../paths/path.ts";

const MOST_TIMES = 1_000_000;

/**
 * The middles of n equal parts of [0, 1], (k + 1/2) / n: n - 1 steps that keep away from both ends, where paths are singular.
 *
 * @throws {@link ConfigError} when the number is below 2.
 */
export function midpointTimes(count: number): number[] {
  integerOption("count of midpointTimes", count, 2, MOST_TIMES);
  return Array.from({ length: count }, (_, k) => (k + 0.5) / count);
}

/**
 * n steps from 0 to 1, short at both ends and long in the middle: (1 - cos(pi k / n)) / 2.
 *
 * @throws {@link ConfigError} when the number is below 1.
 */
export function cosineTimes(steps: number): number[] {
  integerOption("steps of cosineTimes", steps, 1, MOST_TIMES);
  return Array.from({ length: steps + 1 }, (_, k) => Math.sin((Math.PI * k) / (2 * steps)) ** 2);
}

export interface KarrasTimesOptions {
  /** How much shorter steps are where there is little noise; default 7. With 1 the noise falls evenly. In [0.1, 100]. */
  readonly rho?: number;
  /** Ratio of noise to data that the first step begins at; default 80, or the path's at t = 0 where that is less. */
  readonly sigmaMax?: number;
  /** The one from which the last step goes to t = 1; default 0.002, or the path's at t = 1 where that is more. */
  readonly sigmaMin?: number;
}

/** Halvings of an interval of times: to the last bit. */
const HALVINGS = 60;

/**
 * n steps from 0 to 1 whose times have ratios of noise to data, sigma / alpha, of
 * (sigmaMax^(1/rho) + k / (n - 1) (sigmaMin^(1/rho) - sigmaMax^(1/rho)))^rho, k = 0 ... n - 1; the first begins at t = 0 and the
 * last ends at t = 1 whatever the ratio there is. Where noise of sigmaMin or more is left at t = 1 it is k / n, k = 0 ... n.
 *
 * @throws {@link ConfigError} when an option is outside its range, or no noise is left between both ratios on this path.
 * @see Karras et al., Elucidating the Design Space of Diffusion-Based Generative Models (2022), equation 5.
 */
export function karrasTimes(steps: number, path: PathScheduler, options: KarrasTimesOptions = {}): number[] {
  integerOption("steps of karrasTimes", steps, 1, MOST_TIMES);
  partOption("path of karrasTimes", path, "at", "condOT()");
  const given = optionsObject("options of karrasTimes", options, ["rho", "sigmaMax", "sigmaMin"]);
  const { rho = 7, sigmaMax = 80, sigmaMin = 0.002 } = given;
  f32Option("rho of karrasTimes", rho, { minimum: 0.1, maximum: 100 });
  f32Option("sigmaMax of karrasTimes", sigmaMax, { minimum: 0, open: "minimum" });
  f32Option("sigmaMin of karrasTimes", sigmaMin, { minimum: 0, open: "minimum" });
  const [atNoise, atData] = ratiosAt(path, [0, 1]) as [number, number];
  const [most, least] = [Math.min(sigmaMax, atNoise), Math.max(sigmaMin, atData)];
  if (!(most > least)) {
    throw new ConfigError({
      subject: "sigmaMax of karrasTimes",
      given: most,
      expected: `more than ${least}, of sigmaMin or of path ${path.name} at t = 1`,
      remedy: "Leave both out, or choose them within the path's.",
    });
  }
  const [from, to] = [most ** (1 / rho), least ** (1 / rho)];
  const last = atData >= sigmaMin ? steps : steps - 1; // the number of the least, which is that at t = 1 or goes there
  const ratios = Array.from({ length: steps - 1 }, (_, k) => (from + ((k + 1) / last) * (to - from)) ** rho);
  return [0, ...timesOf(path, ratios), 1];
}

/** The times of these ratios, which fall with time: by halving. */
function timesOf(path: PathScheduler, ratios: readonly number[]): number[] {
  if (ratios.length === 0) return [];
  let [early, late] = [ratios.map(() => 0), ratios.map(() => 1)];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = early.map((time, k) => (time + (late[k] as number)) / 2);
    const isEarly = ratiosAt(path, middle).map((ratio, k) => ratio > (ratios[k] as number));
    early = middle.map((time, k) => (isEarly[k] ? time : (early[k] as number)));
    late = middle.map((time, k) => (isEarly[k] ? (late[k] as number) : time));
  }
  return late;
}

function ratiosAt(path: PathScheduler, times: readonly number[]): number[] {
  const { alpha, sigma } = path.at(table(times, [times.length, 1]));
  const [a, s] = evaluate([alpha, sigma]).map(({ data }) => data) as [Float64Array, Float64Array];
  return Array.from(s, (value, i) => value / (a[i] as number));
}
