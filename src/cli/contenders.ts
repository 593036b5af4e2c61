/** The models of a comparison, what is measured of each, and how two are held against each other. */
import type { Judgement } from "./judge.ts";
import { meanAndDeviation, pairedDifference, standardErrorOf } from "./statistics.ts";

/**
 * In the order they are trained and shown in. A step of FDM costs more than one of CFM, so there are two ways to be fair:
 * equal steps, and equal seconds, for which CFM is trained once more, from the start, for the steps that FDM's seconds buy.
 */
export const contenders = ["cfm", "fdm", "cfm-seconds"] as const;
export type Contender = (typeof contenders)[number];

export const titleOf: Readonly<Record<Contender, string>> = {
  cfm: "CFM",
  fdm: "FDM",
  "cfm-seconds": "CFM, equal seconds",
};

/** The loss that a contender trains on. */
export const lossOf = { cfm: "cfm", fdm: "fdm", "cfm-seconds": "cfm" } as const satisfies Record<Contender, string>;

/** What `compare` holds equal. */
export const equals = ["both", "seconds", "steps"] as const;
export type Equal = (typeof equals)[number];

/** A model that was trained and judged. */
export interface Judged extends Judgement {
  readonly name: Contender;
  readonly seed: number;
  /** Training steps done. */
  readonly steps: number;
  /** Whether early stopping ended it. */
  readonly stopped?: boolean;
  /** The step whose parameters were best on the rows held out, which are the model's; left out: the last one. */
  readonly bestStep?: number;
  /** Of training. */
  readonly seconds: number;
}

export const figures = ["negativeLogLikelihood", "velocityLoss", "divergenceLoss", "steps", "seconds"] as const;
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
  readonly equal: "steps" | "seconds";
  /** FDM's less the other's, in nats: below 0 where FDM is better. */
  readonly mean: number;
  /** Over the points, each with its own difference; of several seeds, over these. NaN of a single point. */
  readonly standardError: number;
  /** So many standard errors could be chance: two, and more where few seeds tell what one is. */
  readonly chance: number;
  /** FDM's seconds of training divided by the other's; the other's steps divided by FDM's. */
  readonly timesTheSeconds: number;
  readonly timesTheSteps: number;
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
      const sum = (who: "fdm" | "other", figure: "seconds" | "steps") =>
        pairs.reduce((total, pair) => total + pair[who][figure], 0);
      const over = meanAndDeviation(bySeed.map(({ mean }) => mean));
      const [only] = bySeed;
      const single = bySeed.length === 1 && only;
      return {
        name: "fdm",
        against,
        equal: against === "cfm-seconds" ? "seconds" : "steps",
        mean: over.mean,
        standardError: single ? only.standardError : standardErrorOf(over.deviation, bySeed.length),
        chance: single ? 2 : (STUDENT[bySeed.length - 2] ?? 2),
        timesTheSeconds: sum("fdm", "seconds") / sum("other", "seconds"),
        timesTheSteps: sum("other", "steps") / sum("fdm", "steps"),
      };
    });
}

/** Decimals of a difference, wherever it is said: those that its error leaves, three to six. */
export function digitsOf({ standardError }: Difference): number {
  return standardError > 0 ? Math.min(6, Math.max(3, Math.ceil(-Math.log10(standardError)))) : 3;
}

/** A difference in a sentence: who is better, by how much, and at what cost. */
export function verdict(difference: Difference): string {
  const { equal, mean, standardError, timesTheSeconds, timesTheSteps } = difference;
  const digits = digitsOf(difference);
  const error = Number.isNaN(standardError)
    ? "one point: no telling how sure"
    : `${standardError.toFixed(digits)} s.e.`;
  const times = (ratio: number) => `${ratio.toFixed(ratio < 0.995 ? 2 : 1)} times`;
  const size = `${Math.abs(mean).toFixed(digits)} nats (${error})`;
  const cost = { steps: `${times(timesTheSeconds)} the time`, seconds: `${times(timesTheSteps)} the steps` }[equal];
  const winner = winnerOf(difference);
  const who = `At equal ${equal}`;
  if (!winner) return `${who}: no difference beyond chance, FDM less CFM is ${signed(mean, digits)} nats (${error})`;
  // The time is FDM's, the steps are CFM's: said plainly where it is not the winner's.
  const taken =
    winner === "fdm" ? (equal === "steps" ? cost : `CFM took ${cost}`) : equal === "steps" ? `FDM took ${cost}` : cost;
  return `${who}: ${winner === "fdm" ? "FDM" : "CFM"} better by ${size}, ${taken}; lower is better`;
}

/** What speaks against "equal" seconds, with means over the seeds: over a tenth between them. Empty where they are. */
export function unequalSeconds(judged: readonly Judged[]): string {
  const of = (wanted: Contender) => judged.filter(({ name }) => name === wanted);
  const [others, fdm] = [of("cfm-seconds"), of("fdm")];
  const meanSeconds = (those: readonly Judged[]) => meanAndDeviation(those.map(({ seconds }) => seconds)).mean;
  const [taken, given] = [meanSeconds(others), meanSeconds(fdm)];
  if (!(Math.abs(taken - given) > 0.1 * given)) return ""; // also where there are none
  const stopped = others.some((one) => one.stopped) ? ", for it stopped early" : "";
  return `${titleOf["cfm-seconds"]}, took ${inSeconds(taken)} beside FDM's ${inSeconds(given)}${stopped}.`;
}

const inSeconds = (value: number) => `${value < 1 ? value.toPrecision(2) : value.toFixed(1)} s`;

/** Who is better beyond chance. */
export function winnerOf({ against, mean, standardError, chance }: Difference): Contender | undefined {
  if (!(Math.abs(mean) > chance * standardError)) return undefined;
  return mean < 0 ? "fdm" : against;
}

export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "-" : "+"}${text}`;
}
