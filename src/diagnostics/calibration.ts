/**
 * Calibration of posteriors by simulation: parameters from the prior, data made with them, draws of each posterior. Where the
 * posteriors are right, the truth is but one more draw: its rank among the draws is uniform.
 */

import { type Numbers, shapedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { ConfigError, DataError } from "../errors.ts";
import { integerOption, isRecord, numberOption, optionsObject } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { type Sample, type SamplePoints, samplePoints } from "../transport/cost.ts";
import { RandomSequence } from "../transport/random-sequence.ts";
import { type Bands, uniformBands } from "./bands.ts";
import { chiSquareTail, kolmogorovTail } from "./distributions.ts";

/** Draws of a posterior for each truth: [truths, draws, D], as arrays in arrays or as values with their shape. */
export type PosteriorDraws = Numbers | { readonly values: Numbers; readonly shape: readonly number[] };

export interface CalibrationOptions {
  /** An integer from 0 to 2^53 - 1, for where between two ranks a truth is said to lie. Default 0. */
  readonly seed?: number;
  /** Probability that the bands hold all of a calibrated posterior's curve. Default 0.95. */
  readonly level?: number;
  /** Points that curves and bands are given at: k / (points + 1). Default 50. */
  readonly points?: number;
}

export interface SBCOptions extends CalibrationOptions {
  /** Bins of the chi-square test. Default: as many as hold 20 truths each, from 2 to 20, and no more than draws + 1. */
  readonly bins?: number;
}

export interface TARPOptions extends CalibrationOptions {
  /** A reference point for each truth; default: uniform, by seed, in the box that holds all truths. */
  readonly references?: Sample;
}

/** A statistic, and how often chance alone would make it as large. */
export interface TestResult {
  readonly statistic: number;
  readonly pValue: number;
}

/** Of numbers that are uniform where all is right: their distribution, with what is allowed. */
export interface Uniformity {
  /** Where the curve is looked at, in (0, 1). */
  readonly points: Float64Array;
  /** Share of truths whose place among their draws, from 0 to 1, is at most each point. */
  readonly shares: Float64Array;
  /** Simultaneous bands: of calibrated posteriors a share of `level` lies within at all points. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Whether all shares are within. */
  readonly isWithin: boolean;
  readonly kolmogorovSmirnov: TestResult;
}

/** Of one coordinate. */
export interface CoordinateCalibration extends Uniformity {
  /** Of each truth: how many draws are below it, from 0 to draws; of equal ones a share drawn by seed. */
  readonly ranks: Uint32Array;
  readonly chiSquare: TestResult & { readonly counts: Uint32Array; readonly expected: Float64Array };
}

/** Its `shares` are the expected coverage at the credibilities `points`. */
export interface TARP extends Uniformity {
  /** Of each truth: how many draws are nearer to its random point. */
  readonly ranks: Uint32Array;
}

export interface IntervalCoverageOptions {
  /** In (0, 1). Default 0.5, 0.8, 0.9 and 0.95. */
  readonly levels?: readonly number[];
  /** An integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
}

const optionNames = [...(["seed", "level", "points"] as const)];

/**
 * Simulation-based calibration: ranks of the truths among the draws of their posteriors, coordinate by coordinate.
 *
 * An overconfident posterior has too many ranks at both ends, an underconfident one in the middle, a shifted one at one end. Right
 * marginals say nothing of how coordinates go together: {@link tarp} does. 200 truths with 100 draws each find a deviation that is
 * 1.5 times too small or too large in at least 95 of 100 tries; draws of one posterior must be independent (thin chains).
 *
 * @param truths - parameters [N, D] drawn from the prior.
 * @param draws - of the posterior given what was simulated with each: [N, L, D].
 * @returns for each coordinate ranks, tests and simultaneous bands. With D coordinates look at the least p-value times D.
 * @throws {@link DataError} when shapes do not fit each other or a value is not finite.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @see Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration" (2018); of the bands,
 * Saeilynoja et al. (2022).
 * @example
 * const [first] = sbc(truths, draws);
 * if (first.kolmogorovSmirnov.pValue < 0.01) console.log("not calibrated", first.ranks);
 */
export function sbc(truths: Sample, draws: PosteriorDraws, options: SBCOptions = {}): CoordinateCalibration[] {
  optionsObject("options of sbc", options, [...optionNames, "bins"]);
  const settings = settingsOf(options);
  const { points, values, count } = paired("sbc", truths, draws);
  const standard = Math.max(2, Math.min(20, Math.floor(points.count / 20), count + 1));
  const bins = integerOption("bins", options.bins ?? standard, 2, count + 1);
  const random = new RandomSequence(settings.seed, streamOf("diagnostics", 0));
  return Array.from({ length: points.dimension }, (_, coordinate) => {
    const ranks = Uint32Array.from({ length: points.count }, (_one, i) => {
      const own = points.values[i * points.dimension + coordinate];
      const first = i * count * points.dimension + coordinate;
      return rankOf(own, count, (draw) => values[first + draw * points.dimension], random);
    });
    return { ranks, ...uniformityOf(ranks, count, settings, random), chiSquare: chiSquareOf(ranks, count, bins) };
  });
}

/**
 * TARP: tests of accuracy with random points. For each truth: which share of its posterior's draws is nearer to a random point than
 * the truth is. Uniform for every way of choosing the points only if the posteriors are right, correlations among them: what
 * {@link sbc} does not see. Distances are of coordinates divided by the truths' standard deviations.
 *
 * @param truths - parameters [N, D] drawn from the prior.
 * @param draws - of the posterior given what was simulated with each: [N, L, D].
 * @returns the expected coverage `shares` at the credibilities `points`, with simultaneous bands and a test. An overconfident
 * posterior's curve is above the diagonal at its lower end and below it at its upper end.
 * @throws {@link DataError} when shapes do not fit each other or a value is not finite.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @see Lemos et al., "Sampling-based accuracy testing of posterior estimators for general inference" (ICML 2023).
 */
export function tarp(truths: Sample, draws: PosteriorDraws, options: TARPOptions = {}): TARP {
  optionsObject("options of tarp", options, [...optionNames, "references"]);
  const settings = settingsOf(options);
  const { points, values, count } = paired("tarp", truths, draws);
  const { dimension } = points;
  const random = new RandomSequence(settings.seed, streamOf("diagnostics", 1));
  const scales = deviationsOf(points);
  const references =
    options.references === undefined ? inBoxOf(points, random) : referencesOf(options.references, points);
  const ranks = Uint32Array.from({ length: points.count }, (_, i) => {
    const distance = (from: ArrayLike<number>, begin: number) => {
      let sum = 0;
      for (let k = 0; k < dimension; k++) sum += ((from[begin + k] - references[i * dimension + k]) / scales[k]) ** 2;
      return sum;
    };
    const own = distance(points.values, i * dimension);
    return rankOf(own, count, (draw) => distance(values, (i * count + draw) * dimension), random);
  });
  return { ranks, ...uniformityOf(ranks, count, settings, random) };
}

/** How often intervals of one level hold the truth. */
export interface IntervalCoverage {
  readonly level: number;
  /** Of each coordinate: the share of truths within. */
  readonly coverage: Float64Array;
  /** Of a calibrated posterior's coverage: sqrt(level (1 - level) / N). */
  readonly standardError: number;
}

/**
 * Coverage of central credible intervals, coordinate by coordinate: of a calibrated posterior the one of level 0.9 holds the truth
 * in 90 of 100 cases, up to its standard error. With few draws too: where between two draws an interval ends is drawn by seed.
 *
 * @param truths - parameters [N, D] drawn from the prior.
 * @param draws - of the posterior given what was simulated with each: [N, L, D].
 * @throws {@link DataError} when shapes do not fit each other or a value is not finite.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 */
export function intervalCoverage(
  truths: Sample,
  draws: PosteriorDraws,
  options: IntervalCoverageOptions = {},
): IntervalCoverage[] {
  optionsObject("options of intervalCoverage", options, ["levels", "seed"]);
  const seed = integerOption("seed", options.seed ?? 0, 0);
  const given = options.levels ?? [0.5, 0.8, 0.9, 0.95];
  if (!Array.isArray(given) || given.length === 0) {
    throw new ConfigError({
      subject: "levels",
      given,
      expected: "an array of numbers in (0, 1)",
      remedy: "Give levels such as [0.5, 0.9].",
    });
  }
  const levels = given.map((level) => numberOption("levels", level, { minimum: 0, maximum: 1, open: "both" }));
  const { points, values, count } = paired("intervalCoverage", truths, draws);
  const random = new RandomSequence(seed, streamOf("diagnostics", 2));
  const { dimension } = points;
  const coverage = levels.map(() => new Float64Array(dimension));
  for (let at = 0; at < points.values.length; at++) {
    const [i, k] = [Math.floor(at / dimension), at % dimension];
    const rank = rankOf(points.values[at], count, (draw) => values[(i * count + draw) * dimension + k], random);
    const place = (rank + random.uniform()) / (count + 1);
    levels.forEach((level, one) => {
      if (Math.abs(place - 0.5) <= level / 2) (coverage[one] as Float64Array)[k] += 1 / points.count;
    });
  }
  return levels.map((level, one) => ({
    level,
    coverage: coverage[one] as Float64Array,
    standardError: Math.sqrt((level * (1 - level)) / points.count),
  }));
}

interface Settings {
  readonly seed: number;
  readonly at: Float64Array;
  /** Bands of so many truths, computed once. */
  bands(count: number): Bands;
}

function settingsOf({ seed, level, points }: CalibrationOptions): Settings {
  const most = integerOption("points", points ?? 50, 1, 1000);
  const probability = numberOption("level", level ?? 0.95, { minimum: 0, maximum: 1, open: "both" });
  const at = Float64Array.from({ length: most }, (_, k) => (k + 1) / (most + 1));
  let bands: Bands | undefined;
  return {
    seed: integerOption("seed", seed ?? 0, 0),
    at,
    bands(count) {
      bands ??= uniformBands(count, at, probability);
      return bands;
    },
  };
}

/** How many draws are below; of those that are equal a share, each as likely. */
function rankOf(own: number, count: number, drawn: (draw: number) => number, random: RandomSequence): number {
  let below = 0;
  let equal = 0;
  for (let draw = 0; draw < count; draw++) {
    const value = drawn(draw);
    if (value < own) below++;
    else if (value === own) equal++;
  }
  return equal === 0 ? below : below + random.below(equal + 1);
}

/** Ranks are made uniform in (0, 1) by where within its rank each lies: drawn, so that no test needs to know of ranks. */
function uniformityOf(ranks: Uint32Array, draws: number, { at, bands }: Settings, random: RandomSequence): Uniformity {
  const places = Float64Array.from(ranks, (rank) => (rank + random.uniform()) / (draws + 1)).sort();
  const count = places.length;
  const shares = at.map((point) => firstAbove(places, point) / count);
  const { lower, upper } = bands(count);
  let statistic = 0;
  for (let i = 0; i < count; i++) statistic = Math.max(statistic, (i + 1) / count - places[i], places[i] - i / count);
  return {
    ...{ points: at, shares, lower, upper },
    isWithin: shares.every((share, k) => share >= lower[k] && share <= upper[k]),
    kolmogorovSmirnov: { statistic, pValue: kolmogorovTail(statistic, count) },
  };
}

/** How many of ascending values are at most this. */
function firstAbove(values: Float64Array, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function chiSquareOf(ranks: Uint32Array, draws: number, bins: number): CoordinateCalibration["chiSquare"] {
  const binOf = (rank: number) => Math.floor((rank * bins) / (draws + 1));
  const counts = new Uint32Array(bins);
  const expected = new Float64Array(bins);
  for (const rank of ranks) counts[binOf(rank)]++;
  for (let rank = 0; rank <= draws; rank++) expected[binOf(rank)] += ranks.length / (draws + 1);
  const statistic = expected.reduce((sum, mean, bin) => sum + (counts[bin] - mean) ** 2 / mean, 0);
  return { statistic, pValue: chiSquareTail(statistic, bins - 1), counts, expected };
}

/** Truths, and draws for each of them. */
function paired(subject: string, truths: Sample, draws: PosteriorDraws) {
  const points = samplePoints(`truths of ${subject}`, truths);
  const what = `draws of ${subject}`;
  const given: { values?: Numbers; shape?: readonly number[] } = isRecord(draws) ? draws : { values: draws };
  const { values, shape } = shapedNumbers(what, given.values, given.shape);
  checkPoints(values, shape, what);
  const [count = 0, each = 0, ...sample] = shape;
  const size = sample.reduce((product, axis) => product * axis, 1);
  if (count === points.count && each > 0 && shape.length > 1 && size === points.dimension)
    return { points, values, count: each };
  throw new DataError({
    subject: `shape of ${what}`,
    given: shape,
    expected: `[${points.count}, draws, ${points.dimension}]: draws for each of ${points.count} truths of ${points.dimension} numbers`,
    remedy: "Give the draws of the posterior of each truth, in the order of the truths.",
  });
}

function deviationsOf({ values, count, dimension }: SamplePoints): Float64Array {
  return Float64Array.from({ length: dimension }, (_, k) => {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += values[i * dimension + k] / count;
    let square = 0;
    for (let i = 0; i < count; i++) square += (values[i * dimension + k] - mean) ** 2 / count;
    return Math.sqrt(square) || 1;
  });
}

function inBoxOf({ values, count, dimension }: SamplePoints, random: RandomSequence): Float64Array {
  const lower = new Float64Array(dimension).fill(Number.POSITIVE_INFINITY);
  const upper = new Float64Array(dimension).fill(Number.NEGATIVE_INFINITY);
  for (let at = 0; at < values.length; at++) {
    lower[at % dimension] = Math.min(lower[at % dimension], values[at]);
    upper[at % dimension] = Math.max(upper[at % dimension], values[at]);
  }
  return Float64Array.from({ length: count * dimension }, (_, at) => {
    const k = at % dimension;
    return lower[k] + random.uniform() * (upper[k] - lower[k]);
  });
}

function referencesOf(given: Sample, { count, dimension }: SamplePoints): ArrayLike<number> {
  const references = samplePoints("references of tarp", given);
  if (references.count === count && references.dimension === dimension) return references.values;
  throw new DataError({
    subject: "references of tarp",
    given: `${references.count} points of dimension ${references.dimension}`,
    expected: `${count} of dimension ${dimension}, one for each truth`,
    remedy: "Leave them out for points drawn by seed.",
  });
}
