/**
 * Simultaneous bands for the empirical distribution of uniform numbers: with a given probability all of it lies within.
 *
 * A band for each point alone would be left somewhere much more often. So intervals of each point are widened together until the
 * probability that all hold is what is asked; which is computed, not simulated: counts below increasing points are a Markov chain.
 * As Saeilynoja, Buerkner and Vehtari, "Graphical test for discrete uniformity and its applications in goodness-of-fit evaluation
 * and multiple sample comparison" (2022).
 */
import { ConfigError } from "../errors.ts";
import { integerOption, numberOption } from "../graph/options.ts";
import { logGamma } from "./distributions.ts";

/** For each point the least and the largest share of numbers at most as large that the band allows. */
export interface Bands {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** Narrowing the pointwise probability takes so many halvings: to 1e-5. */
const HALVINGS = 13;

/**
 * Bands that hold the shares of `count` uniform numbers at most as large as each point, at all points at once, with probability
 * `level` or a little more (counts are whole numbers). 10,000 numbers and 50 points take about a second.
 *
 * @param count - how many uniform numbers, up to 1e5.
 * @param points - ascending, in (0, 1).
 * @param level - in (0, 1), such as 0.95.
 * @throws {@link ConfigError} when one is outside its range.
 */
export function uniformBands(count: number, points: ArrayLike<number>, level: number): Bands {
  integerOption("count of uniformBands", count, 1, 100_000);
  numberOption("level of uniformBands", level, { minimum: 0, maximum: 1, open: "both" });
  const isList = Array.isArray(points) || ArrayBuffer.isView(points);
  const given = isList ? Array.from(points) : [];
  if (given.length === 0 || !given.every((point, k) => point > (k === 0 ? 0 : given[k - 1]) && point < 1)) {
    throw new ConfigError({
      subject: "points of uniformBands",
      given: isList ? given : points,
      expected: "ascending numbers between 0 and 1",
      remedy: "Give points such as [0.1, 0.5, 0.9].",
    });
  }
  const binomial = new Binomial(count);
  let [low, high] = [0, 1 - level]; // probability outside at each point: at most what is allowed in all
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (binomial.allWithin(points, intervalsOf(binomial, points, middle)) >= level) low = middle;
    else high = middle;
  }
  const counts = intervalsOf(binomial, points, low);
  return { lower: counts.lower.map((value) => value / count), upper: counts.upper.map((value) => value / count) };
}

/** Counts that each point may have, so that it has others with at most `outside` in all, half on each side. */
function intervalsOf(binomial: Binomial, points: ArrayLike<number>, outside: number): Bands {
  const lower = new Float64Array(points.length);
  const upper = new Float64Array(points.length);
  for (let k = 0; k < points.length; k++) {
    const share = points[k];
    let below = 0;
    let least = 0;
    while (below + binomial.probability(binomial.count, least, share) <= outside / 2) {
      below += binomial.probability(binomial.count, least++, share);
    }
    let above = 0;
    let most = binomial.count;
    while (above + binomial.probability(binomial.count, most, share) <= outside / 2) {
      above += binomial.probability(binomial.count, most--, share);
    }
    lower[k] = least;
    upper[k] = most;
  }
  return { lower, upper };
}

class Binomial {
  readonly count: number;
  readonly #logFactorials: Float64Array;

  constructor(count: number) {
    this.count = count;
    this.#logFactorials = Float64Array.from({ length: count + 1 }, (_, n) => logGamma(n + 1));
  }

  /** Of k among n at this probability each. */
  probability(n: number, k: number, share: number): number {
    if (share >= 1) return k === n ? 1 : 0;
    const ways = this.#logFactorials[n] - this.#logFactorials[k] - this.#logFactorials[n - k];
    return Math.exp(ways + k * Math.log(share) + (n - k) * Math.log1p(-share));
  }

  /** The probability that all counts are within. Of those that are at one point, each goes on to the next as a binomial. */
  allWithin(points: ArrayLike<number>, { lower, upper }: Bands): number {
    const [factorials, count] = [this.#logFactorials, this.count];
    let chances = new Float64Array(count + 1);
    chances[0] = 1;
    let [first, last, before] = [0, 0, 0];
    for (let k = 0; k < points.length; k++) {
      const share = (points[k] - before) / (1 - before);
      const [yes, no] = [Math.log(share), Math.log1p(-share)];
      const next = new Float64Array(count + 1);
      for (let here = first; here <= last; here++) {
        const left = count - here;
        for (let there = Math.max(here, lower[k]); there <= upper[k]; there++) {
          const more = there - here;
          const ways = factorials[left] - factorials[more] - factorials[left - more];
          next[there] += chances[here] * Math.exp(ways + more * yes + (left - more) * no);
        }
      }
      [chances, first, last, before] = [next, lower[k], upper[k], points[k]];
    }
    return chances.reduce((sum, chance) => sum + chance, 0);
  }
}
