/** The models of a comparison, what is measured of each, and how two are held against each other. */
import type { Judgement } from "./judge.ts";
import { meanAndDeviation, pairedDifference } from "./statistics.ts";

/** In the order they are trained and shown in. */
export const contenders = ["cfm", "fdm"] as const;
export type Contender = (typeof contenders)[number];

export const titleOf: Readonly<Record<Contender, string>> = { cfm: "CFM", fdm: "FDM" };

/** A model that was trained and judged. */
export interface Judged extends Judgement {
  readonly name: Contender;
  readonly seed: number;
  /** Training steps behind its parameters. */
  readonly steps: number;
  /** Of training. */
  readonly seconds: number;
}

export const figures = ["negativeLogLikelihood", "velocityLoss", "divergenceLoss", "seconds"] as const;
export type Figure = (typeof figures)[number];

/** The contenders that there are, in their order. */
export function namesOf(judged: readonly Judged[]): Contender[] {
  return contenders.filter((name) => judged.some((one) => one.name === name));
}

/** Means and standard deviations over the seeds, by contender. */
export function summaryOf(judged: readonly Judged[]) {
  return namesOf(judged).map((name) => {
    const those = judged.filter((one) => one.name === name);
    const over = (figure: Figure) => meanAndDeviation(those.map((one) => one[figure]));
    return { name, seeds: those.length, ...Object.fromEntries(figures.map((figure) => [figure, over(figure)])) };
  });
}

/** FDM against another contender: mean negative log-likelihoods, on the same points. */
export interface Difference {
  readonly name: "fdm";
  readonly against: Contender;
  /** FDM's less the other's, in nats: below 0 where FDM is better. */
  readonly mean: number;
  /** Over the points, each with its own difference; of several seeds, over these. */
  readonly standardError: number;
  /** So many standard errors could be chance: two, and more where few seeds tell what one is. */
  readonly chance: number;
  /** FDM's seconds of training divided by the other's. */
  readonly timesTheSeconds: number;
}

/** Student's t with so many degrees of freedom: 95 % lie within it on either side. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

export function differencesOf(judged: readonly Judged[]): Difference[] {
  const those = judged.filter(({ name }) => name === "fdm");
  return namesOf(judged)
    .filter((name) => name !== "fdm")
    .map((against) => {
      const pairs = those.flatMap((fdm) => {
        const other = judged.find(({ name, seed }) => name === against && seed === fdm.seed);
        return other ? [{ fdm, other }] : [];
      });
      const bySeed = pairs.map(({ fdm, other }) => pairedDifference(fdm.values, other.values));
      const seconds = (who: "fdm" | "other") => pairs.reduce((sum, pair) => sum + pair[who].seconds, 0);
      const over = meanAndDeviation(bySeed.map(({ mean }) => mean));
      const [only] = bySeed;
      const single = bySeed.length === 1 && only;
      return {
        name: "fdm",
        against,
        mean: over.mean,
        standardError: single ? only.standardError : over.deviation / Math.sqrt(bySeed.length),
        chance: single ? 2 : (STUDENT[bySeed.length - 2] ?? 2),
        timesTheSeconds: seconds("fdm") / seconds("other"),
      };
    });
}

/** A difference in a sentence: who is better, by how much, and for how much time. */
export function verdict({ against, mean, standardError, chance, timesTheSeconds }: Difference): string {
  const digits = standardError > 0 ? Math.min(6, Math.max(3, Math.ceil(-Math.log10(standardError)))) : 3;
  const error = `${standardError.toFixed(digits)} s.e.`;
  const time = `${timesTheSeconds.toFixed(timesTheSeconds < 0.995 ? 2 : 1)} times the time`;
  if (!(Math.abs(mean) > chance * standardError)) {
    return `No difference beyond chance: FDM less ${titleOf[against]} is ${signed(mean, digits)} nats (${error}); FDM took ${time}`;
  }
  const size = `${Math.abs(mean).toFixed(digits)} nats (${error})`;
  if (mean < 0) return `FDM better by ${size}, ${time}; lower is better`;
  return `${titleOf[against]} better by ${size}, FDM took ${time}; lower is better`;
}

export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "-" : "+"}${text}`;
}
