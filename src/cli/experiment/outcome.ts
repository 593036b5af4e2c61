/** What came out of an experiment: means over seeds, differences between losses, and who won in a sentence. */
import { brief, within } from "../report/numbers.ts";
import {
  meanAndDeviation,
  pairedDifference,
  pairedTest,
  standardErrorOf,
  type TTest,
  welchTest,
} from "../statistics.ts";
import type { Run } from "./conduct.ts";
import type { Contender, Metric } from "./experiment.ts";

/** A metric of a loss over its seeds. */
export interface Summary {
  readonly loss: string;
  readonly metric: string;
  readonly seeds: number;
  readonly mean: number;
  /** Standard deviation over the seeds; 0 of one. */
  readonly deviation: number;
  /** Of the mean; NaN of one. */
  readonly standardError: number;
  /** The metric's own, of one seed's value, where it is known: the root of the mean square over seeds. */
  readonly ownError?: number;
}

/** A loss less another in a metric, over the seeds that both have. */
export interface Difference {
  readonly loss: string;
  readonly against: string;
  readonly metric: string;
  readonly seeds: readonly number[];
  readonly paired: TTest;
  readonly welch: TTest;
  /** Whether it is more than chance by the paired test: p of at most 0.05. */
  readonly moreThanChance: boolean;
  /** Who is better beyond chance; left out: neither, or no way is better. */
  readonly winner?: string;
}

/** Above this p a difference is not told from chance. */
export const CHANCE = 0.05;

/** The metrics of all runs, in the order they first come in. */
export function metricsOf(runs: readonly Run[]): readonly Metric[] {
  const metrics = new Map<string, Metric>();
  for (const { judgement } of runs) {
    for (const metric of judgement.metrics) if (!metrics.has(metric.name)) metrics.set(metric.name, metric);
  }
  return [...metrics.values()];
}

/** A run's value of a metric; undefined where it has none. */
function figureIn(run: Run, metric: string): Metric | undefined {
  const found = run.judgement.metrics.find(({ name }) => name === metric);
  return found && Number.isFinite(found.value) ? found : undefined;
}

export function summariesOf(runs: readonly Run[]): readonly Summary[] {
  const losses = [...new Set(runs.map(({ loss }) => loss))];
  return losses.flatMap((loss) =>
    metricsOf(runs).flatMap(({ name: metric }) => {
      const found = runs.flatMap((run) => (run.loss === loss ? (figureIn(run, metric) ?? []) : []));
      if (found.length === 0) return [];
      const { mean, deviation } = meanAndDeviation(found.map(({ value }) => value));
      const errors = found.flatMap(({ error }) => (error !== undefined && Number.isFinite(error) ? [error ** 2] : []));
      const own = errors.length === found.length ? { ownError: Math.sqrt(meanAndDeviation(errors).mean) } : {};
      const standardError = standardErrorOf(deviation, found.length);
      return [{ loss, metric, seeds: found.length, mean, deviation, standardError, ...own }];
    }),
  );
}

/** Each loss less each one before it in their order. */
export function differencesOf(runs: readonly Run[]): readonly Difference[] {
  const losses = [...new Set(runs.map(({ loss }) => loss))];
  const pairs = losses.flatMap((loss, i) => losses.slice(0, i).map((against) => ({ loss, against })));
  return pairs.flatMap(({ loss, against }) =>
    metricsOf(runs).flatMap(({ name: metric, better }) => {
      const both = runs.flatMap((run) => {
        const other = runs.find((one) => one.loss === against && one.seed === run.seed);
        const [first, second] = [figureIn(run, metric), other && figureIn(other, metric)];
        return run.loss === loss && first && second ? [{ seed: run.seed, first, second }] : [];
      });
      if (both.length === 0) return [];
      const [a, b] = [both.map(({ first }) => first.value), both.map(({ second }) => second.value)];
      const paired = pairedTest(a, b);
      const moreThanChance = paired.p <= CHANCE;
      const isBetter = better === "higher" ? paired.difference > 0 : paired.difference < 0;
      const winner = moreThanChance && better ? { winner: isBetter ? loss : against } : {};
      const seeds = both.map(({ seed }) => seed);
      return [{ loss, against, metric, seeds, paired, welch: welchTest(a, b), moreThanChance, ...winner }];
    }),
  );
}

/** A loss less another on the same held-out points, mean over seeds. What other seeds would give is not in its error. */
export interface PointDifference {
  readonly loss: string;
  readonly against: string;
  readonly metric: string;
  readonly points: number;
  readonly mean: number;
  readonly standardError: number;
}

/** @param arrayOf - a kept array of a run. */
export async function pointDifferencesOf(
  runs: readonly Run[],
  differences: readonly Difference[],
  arrayOf: (run: Run, name: string) => Promise<ArrayLike<number>>,
): Promise<readonly PointDifference[]> {
  const found = differences.map(async ({ loss, against, metric, seeds }): Promise<PointDifference[]> => {
    const ofSeeds = await Promise.all(
      seeds.map(async (seed) => {
        const both = [loss, against].map((name) => runs.find((run) => run.loss === name && run.seed === seed));
        const [first, second] = await Promise.all(both.map((run) => run && pointsOf(run, metric, arrayOf)));
        if (!first || first.length !== second?.length) return undefined;
        return { points: first.length, ...pairedDifference(first, second) };
      }),
    );
    const all = ofSeeds.filter((one) => one !== undefined);
    if (all.length === 0 || all.length < seeds.length) return [];
    const { mean } = meanAndDeviation(all.map((one) => one.mean));
    const variance = all.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / all.length ** 2;
    return [{ loss, against, metric, points: all[0]?.points as number, mean, standardError: Math.sqrt(variance) }];
  });
  return (await Promise.all(found)).flat();
}

/** The numbers whose mean the metric is; undefined where it names none, or one is not finite. */
async function pointsOf(
  run: Run,
  metric: string,
  arrayOf: (run: Run, name: string) => Promise<ArrayLike<number>>,
): Promise<number[] | undefined> {
  const figure = figureIn(run, metric);
  if (figure?.each === undefined) return undefined;
  const values = Array.from(await arrayOf(run, figure.each));
  const { mean } = meanAndDeviation(values);
  if (!Number.isFinite(mean)) return undefined;
  const isNegated = Math.abs(mean + figure.value) < Math.abs(mean - figure.value);
  return isNegated ? values.map((value) => -value) : values;
}

/** Who won by how much, and whether it is more than chance. Without a full stop. */
export function sentenceOf(
  { loss, against, paired, winner, seeds, moreThanChance }: Difference,
  metric: Pick<Metric, "title" | "unit" | "better">,
  contenders: Readonly<Record<string, Pick<Contender, "title">>>,
  points?: PointDifference,
): string {
  const titleOf = (name: string) => contenders[name]?.title ?? name;
  const [one, other] = [titleOf(loss), titleOf(against)];
  const unit = metric.unit === undefined ? "" : ` ${metric.unit}`;
  const size = `${brief(Math.abs(paired.difference))}${unit}`;
  const sign = paired.difference < 0 ? "less" : "more";
  const what = metric.title.slice(0, 1).toUpperCase() + metric.title.slice(1);
  if (paired.difference === 0) return `${what}: ${one} and ${other} are equal`;
  const differs = `${what}: ${one} has ${size} ${sign} than ${other}`;
  if (seeds.length === 1) {
    if (!points || !(points.standardError > 0)) return `${differs}; one seed cannot tell that from chance`;
    const scale = 10 * points.standardError;
    const sure = `${within(points.mean, scale)} ± ${within(points.standardError, scale)}${unit}`;
    const own = `${sure} on the same ${points.points.toLocaleString("en")} points`;
    return `${differs} (${own}); one seed cannot tell that from chance between seeds`;
  }
  const over = `p ${paired.p < 0.001 ? "" : "= "}${pText(paired.p)}, paired over ${seeds.length} seeds`;
  if (!moreThanChance) return `${differs}: not more than chance (${over})`;
  if (winner === undefined) return `${differs}: more than chance (${over})`;
  const loser = winner === loss ? other : one;
  return `${what}: ${titleOf(winner)} is better than ${loser} by ${size}, more than chance (${over})`;
}

/** "0.012", "< 0.001". */
export function pText(p: number): string {
  if (Number.isNaN(p)) return "–";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}
