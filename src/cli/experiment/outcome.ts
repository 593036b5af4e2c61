/** What came out of an experiment: means over seeds, differences between losses, and who won in a sentence. */
import { brief } from "../report/numbers.ts";
import { meanAndDeviation, pairedTest, standardErrorOf, type TTest, welchTest } from "../statistics.ts";
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

/** Who won by how much, and whether it is more than chance. Without a full stop. */
export function sentenceOf(
  { loss, against, paired, winner, seeds, moreThanChance }: Difference,
  metric: Pick<Metric, "title" | "unit" | "better">,
  contenders: Readonly<Record<string, Pick<Contender, "title">>>,
): string {
  const titleOf = (name: string) => contenders[name]?.title ?? name;
  const [one, other] = [titleOf(loss), titleOf(against)];
  const unit = metric.unit === undefined ? "" : ` ${metric.unit}`;
  const size = `${brief(Math.abs(paired.difference))}${unit}`;
  const sign = paired.difference < 0 ? "less" : "more";
  const what = metric.title.slice(0, 1).toUpperCase() + metric.title.slice(1);
  if (paired.difference === 0) return `${what}: ${one} and ${other} are equal`;
  const differs = `${what}: ${one} has ${size} ${sign} than ${other}`;
  if (seeds.length === 1) return `${differs}; one seed cannot tell that from chance`;
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
