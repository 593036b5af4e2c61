/** Distances between samples that are means over pairs of points, with tests by permutation: MMD and the energy distance. */
import { ConfigError } from "../errors.ts";
import { integerOption, numberOption, optionsObject, signalOption } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { type Sample, type SamplePoints, samplePair } from "../transport/cost.ts";
import { RandomSequence } from "../transport/random-sequence.ts";
import { inTurns } from "../turns.ts";

export interface PermutationOptions {
  /** Ways of telling the points apart at random that the true one is compared with; 0: no test. Default 200. */
  readonly permutations?: number;
  /** An integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

export interface MMDOptions extends PermutationOptions {
  /** Of the kernel exp(-|x - y|^2 / (2 bandwidth^2)), in data units. Default: the median distance of two points of both samples. */
  readonly bandwidth?: number;
}

/** What two samples' distance is, and how often points told apart at random are as far: (1 + those) / (1 + permutations). */
export interface TwoSampleTest {
  /** Unbiased: its mean is 0 for two samples of one distribution, so that it may be below 0. */
  readonly squared: number;
  /** NaN without permutations. */
  readonly pValue: number;
}

export interface MMD extends TwoSampleTest {
  /** That of the kernel, in data units. */
  readonly bandwidth: number;
}

/** Points of both samples together at most: the matrix of their pairs takes 4 n^2 bytes, 268 MB. */
const MOST_POINTS = 8192;

/** Points whose distances the median is taken of, at most. */
const MEDIAN_OF = 1000;

const optionNames = [...(["permutations", "seed", "signal"] as const)];

/**
 * The squared maximum mean discrepancy with a Gaussian kernel, unbiased, and its permutation test. The test holds its level whatever
 * the distributions; it sees differences at the scale of the bandwidth. In many dimensions it needs more points.
 *
 * O(n^2 (D + permutations)), n of both samples together: 2,000 take 1 s, in turns of 25 ms.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or there are fewer than 2 or too many points.
 * @throws {@link DataError} when points are none, their dimensions differ, or a value is not finite.
 * @see Gretton et al., "A kernel two-sample test", JMLR 13 (2012).
 */
export async function mmd(first: Sample, second: Sample, options: MMDOptions = {}): Promise<MMD> {
  optionsObject("options of mmd", options, [...optionNames, "bandwidth"]);
  const given = options.bandwidth;
  if (given !== undefined) numberOption("bandwidth", given, { minimum: 0, open: "minimum" });
  const settings = settingsOf(options);
  const pooled = pooledOf("mmd", first, second);
  const bandwidth = given ?? medianDistance(pooled, settings.seed);
  const rate = -0.5 / bandwidth ** 2;
  const result = await tested(pooled, (square) => Math.exp(rate * square), settings);
  return { ...result, bandwidth };
}

/**
 * The energy distance 2 E|X - Y| - E|X - X'| - E|Y - Y'|, unbiased, and its permutation test: without a bandwidth to choose. In one
 * dimension it is twice the integral of the squared difference of the distribution functions (Cramer's distance). Costs what {@link mmd} does.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or there are fewer than 2 or too many points.
 * @throws {@link DataError} when points are none, their dimensions differ, or a value is not finite.
 * @see Szekely and Rizzo, "Energy statistics: a class of statistics based on distances" (2013).
 */
export async function energyDistance(
  first: Sample,
  second: Sample,
  options: PermutationOptions = {},
): Promise<TwoSampleTest> {
  optionsObject("options of energyDistance", options, optionNames);
  return tested(pooledOf("energyDistance", first, second), (square) => -Math.sqrt(square), settingsOf(options));
}

interface Settings {
  readonly permutations: number;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

function settingsOf({ permutations, seed, signal }: PermutationOptions): Settings {
  return {
    permutations: integerOption("permutations", permutations ?? 200, 0, 1 << 20),
    seed: integerOption("seed", seed ?? 0, 0),
    signal: signalOption(signal),
  };
}

/** Points of both samples, those of the first first. */
interface Pooled extends SamplePoints {
  readonly first: number;
}

function pooledOf(subject: string, first: Sample, second: Sample): Pooled {
  const [x, y] = samplePair(subject, first, second);
  const count = x.count + y.count;
  if (Math.min(x.count, y.count) < 2 || count > MOST_POINTS) {
    throw new ConfigError({
      subject: `points of ${subject}`,
      given: `${x.count} and ${y.count}`,
      expected: `2 or more of each, and ${MOST_POINTS} together at most`,
      remedy: "Take a part of the larger sample.",
    });
  }
  const values = new Float64Array(count * x.dimension);
  values.set(x.values);
  values.set(y.values, x.values.length);
  return { values, count, dimension: x.dimension, first: x.count };
}

async function tested(pooled: Pooled, kernel: (square: number) => number, settings: Settings): Promise<TwoSampleTest> {
  return inTurns(permuted(pooled, kernel, settings), () => settings.signal?.throwIfAborted());
}

/**
 * The mean of the kernel over pairs of the first sample, plus that of the second, less twice that of pairs across. A permutation
 * reads the matrix once.
 */
function* permuted(
  pooled: Pooled,
  kernel: (square: number) => number,
  { permutations, seed }: Settings,
): Generator<undefined, TwoSampleTest, undefined> {
  const { count: n, first } = pooled;
  const matrix = new Float32Array(n * n); // of f32: rounding is 1e-7 of each entry, and of no side
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) matrix[i * n + j] = kernel(squareBetween(pooled, i, j));
    yield undefined;
  }
  const random = new RandomSequence(seed, streamOf("diagnostics", 4));
  const isFirst = Float64Array.from({ length: n }, (_, i) => (i < first ? 1 : 0));
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const [pairsOfFirst, pairsOfSecond] = [(first * (first - 1)) / 2, ((n - first) * (n - first - 1)) / 2];
  let actual = 0;
  let asFar = 0;
  for (let one = 0; one <= permutations; one++) {
    if (one > 0) {
      random.shuffle(order);
      isFirst.fill(0);
      for (let k = 0; k < first; k++) isFirst[order[k]] = 1;
    }
    let [among, touching, all] = [0, 0, 0]; // sums over pairs: both of the first sample; by how many are of it; all
    for (let i = 0; i < n; i++) {
      const own = isFirst[i];
      let sum = 0;
      let ofFirst = 0;
      for (let j = i * n; j < i * n + i; j++) {
        sum += matrix[j];
        ofFirst += matrix[j] * isFirst[j - i * n];
      }
      among += own * ofFirst;
      touching += own * sum + ofFirst;
      all += sum;
      if (i % 64 === 63) yield undefined;
    }
    const across = touching - 2 * among;
    const rest = all - among - across;
    const squared = among / pairsOfFirst + rest / pairsOfSecond - (2 * across) / (first * (n - first));
    if (one === 0) actual = squared;
    else if (squared >= actual) asFar++;
  }
  return { squared: actual, pValue: permutations > 0 ? (1 + asFar) / (1 + permutations) : Number.NaN };
}

function squareBetween({ values, dimension }: SamplePoints, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < dimension; k++) sum += (values[i * dimension + k] - values[j * dimension + k]) ** 2;
  return sum;
}

/** Of pairs of at most {@link MEDIAN_OF} points, drawn by seed where there are more; 1 where most points are equal. */
function medianDistance(pooled: Pooled, seed: number): number {
  const order = Uint32Array.from({ length: pooled.count }, (_, i) => i);
  if (pooled.count > MEDIAN_OF) new RandomSequence(seed, streamOf("diagnostics", 5)).shuffle(order);
  const some = order.subarray(0, MEDIAN_OF);
  const squares = new Float64Array((some.length * (some.length - 1)) / 2);
  for (let i = 0, at = 0; i < some.length; i++) {
    for (let j = 0; j < i; j++) squares[at++] = squareBetween(pooled, some[i], some[j]);
  }
  return Math.sqrt(squares.sort()[squares.length >> 1]) || 1;
}
