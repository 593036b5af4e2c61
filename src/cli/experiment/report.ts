/** The report of an experiment: what is seen at once first, then what was measured, then how. */
import { VERSION } from "../../index.ts";
import { chart } from "../report/curves.ts";
import { escapeHtml } from "../report/html.ts";
import { within } from "../report/numbers.ts";
import { documentOf, settingsOf, tableSection, verdictOf } from "../report/page.ts";
import type { Plan, Run } from "./conduct.ts";
import { curvesOf, type Trace } from "./curves.ts";
import type { Contender, Experiment, Metric } from "./experiment.ts";
import { type Difference, metricsOf, type PointDifference, pText, type Summary, sentenceOf } from "./outcome.ts";
import { paperTable, resultTables, seedsTable } from "./tables.ts";

/** All that a report is of. */
export interface Outcome {
  readonly plan: Plan;
  readonly backend: string;
  readonly device: string;
  readonly runs: readonly Run[];
  readonly summaries: readonly Summary[];
  readonly differences: readonly Difference[];
  readonly pointDifferences: readonly PointDifference[];
  /** Of the first seed's trainings. */
  readonly traces: readonly Trace[];
  /** As HTML. */
  readonly pictures: string;
  /** What results.json says. */
  readonly document: unknown;
}

/** Colours of losses: the two that most is about have their own. */
const others = ["more", "violet", "ochre", "pink", "slate"] as const;

export function stylesOf(losses: readonly string[]): ReadonlyMap<string, string> {
  const rest = losses.filter((loss) => loss !== "cfm" && loss !== "fdm");
  return new Map(
    losses.map((loss) => [loss, rest.includes(loss) ? (others[rest.indexOf(loss) % others.length] as string) : loss]),
  );
}

export function reportOf(outcome: Outcome): string {
  const { plan, runs, summaries, differences, pointDifferences, traces, pictures } = outcome;
  const { experiment, settings, input, losses, seeds } = plan;
  const styles = stylesOf(losses);
  const metrics = metricsOf(runs);
  const sentences = verdictsOf(outcome);
  const verdicts = sentences
    .slice(0, 1)
    .map(({ text, winner }) => verdictOf({ text, style: winner === undefined ? "" : (styles.get(winner) ?? "") }));
  const further = sentences.slice(1).map(({ text }) => `<li>${escapeHtml(text)}.</li>`);
  const failures = runs.flatMap(({ loss, seed, judgement: { failed } }) => {
    const title = experiment.contenders[loss]?.title ?? loss;
    return failed === undefined ? [] : [`<li>${escapeHtml(`${title}, seed ${seed}, has no figures: ${failed}`)}</li>`];
  });
  const charts = curvesOf(traces, experiment, styles);
  const series = seriesCharts(runs, experiment, styles);
  const [paper, sources] = paperTable(experiment, losses, summaries, metrics);
  const differing = experiment.differences(settings, input);
  const body = [
    `<p>${escapeHtml(leadOf(outcome))}</p>`,
    ...verdicts,
    pictures,
    failures.length === 0 ? "" : `<ul class="found">${failures.join("")}</ul>`,
    further.length === 0 ? "" : `<ul class="found">${further.join("")}</ul>`,
    series === "" ? "" : `<div class="row charts">${series}</div>`,
    `<h2>Result</h2>${resultTables(experiment, losses, summaries, metrics, runs, styles).map(tableSection).join("")}`,
    differences.length === 0
      ? ""
      : `<h2>Differences</h2>${tableSection(differencesTable(differences, pointDifferences, metrics, experiment, losses))}`,
    paper.rows.length > 1 ? `<h2>Beside the paper</h2>${tableSection({ ...paper, note: sources })}` : "",
    differing.length === 0
      ? ""
      : `<p class="note">In what this run differs from the paper's:</p><ul>${differing.map((one) => `<li>${escapeHtml(one)}</li>`).join("")}</ul>`,
    charts === ""
      ? ""
      : `<h2>Training</h2><p>Of seed ${seeds[0]}, against steps and against seconds: a step of one loss costs more than one of another. Seconds are of training alone, with what is saved and validated on the way. Minibatch losses are running means.</p><div class="row charts">${charts}</div>`,
    seeds.length > 1 ? `<h2>Each seed</h2>${tableSection(seedsTable(runs, metrics, experiment))}` : "",
    `<h2>Losses</h2><div class="card"><dl>${losses.map((loss) => describeLoss(experiment.contenders[loss] as Contender)).join("")}</dl></div>`,
    `<h2>Settings</h2>${settingsOf(settingsList(outcome), outcome.document)}`,
  ];
  const today = new Date().toISOString().slice(0, 16).replace("T", " ");
  return documentOf(titleOf(plan), body.filter(Boolean).join("\n"), `divflow ${VERSION}, ${today} UTC`);
}

export function titleOf({ experiment, input }: Pick<Plan, "experiment" | "input">): string {
  const { name } = experiment;
  return input === "" || input === name ? name : `${name}: ${input}`;
}

const describeLoss = ({ title, about }: Contender) => `<dt>${escapeHtml(title)}</dt><dd>${escapeHtml(about)}</dd>`;

/** For someone with five minutes: the question, and how it was asked. */
function leadOf({ plan }: Outcome): string {
  const { experiment, losses, seeds } = plan;
  const titles = losses.map((loss) => experiment.contenders[loss]?.title ?? loss).join("; ");
  const over = seeds.length > 1 ? `${seeds.length} seeds` : "one seed";
  return (
    `${experiment.question} Trained: ${titles}, each from ${over}; of a seed all share data, initial parameters, batches and ` +
    "the rule that chooses the parameters kept, and all are judged by the same held-out data."
  );
}

/** A sentence for each headline metric and loss against the first; without full stops. */
export function verdictsOf({
  plan,
  runs,
  differences,
  pointDifferences,
}: Pick<Outcome, "plan" | "runs" | "differences" | "pointDifferences">) {
  const { experiment, losses } = plan;
  const metrics = metricsOf(runs);
  // Of many losses the foremost metric alone: the others are in the table.
  const headline = losses.length > 3 ? experiment.headline.slice(0, 1) : experiment.headline;
  return headline.flatMap((name) => {
    const metric = metrics.find((one) => one.name === name);
    const found = differences.filter(
      (one) => one.metric === name && one.against === losses[0] && !experiment.contenders[one.loss]?.isBaseline,
    );
    if (!metric) return [];
    return found.map((one) => ({
      metric: name,
      text: sentenceOf(one, metric, experiment.contenders, overPoints(one, pointDifferences)),
      winner: one.winner,
    }));
  });
}

function overPoints({ loss, against, metric }: Difference, all: readonly PointDifference[]) {
  return all.find((one) => one.loss === loss && one.against === against && one.metric === metric);
}

function differencesTable(
  differences: readonly Difference[],
  points: readonly PointDifference[],
  metrics: readonly Metric[],
  { contenders, headline }: Experiment,
  losses: readonly string[],
) {
  const isShown = ({ against, metric }: Difference) => against === losses[0] && headline.includes(metric);
  const few = losses.length > 3 ? differences.filter(isShown) : differences;
  const title = (loss: string) => contenders[loss]?.title ?? loss;
  const rows = few.flatMap((one) => {
    const { loss, against, metric, paired, welch, moreThanChance, winner, seeds } = one;
    const same = overPoints(one, points);
    const { title: measure, unit } = metrics.find(({ name }) => name === metric) as Metric;
    const scale = Number.isNaN(paired.standardError) ? Math.abs(paired.difference) : paired.standardError;
    const number = (value: number) => within(value, scale || Math.abs(value));
    const interval = paired.interval.some(Number.isNaN) ? "–" : paired.interval.map(number).join(" to ");
    const better =
      winner === undefined ? (moreThanChance ? "more than chance" : "not more than chance") : title(winner);
    return [
      [
        `${title(loss)} less ${title(against)}: ${measure}${unit === undefined ? "" : `, ${unit}`}`,
        number(paired.difference),
        same && same.standardError > 0 ? within(same.standardError, 10 * same.standardError) : "–",
        interval,
        pText(paired.p),
        pText(welch.p),
        seeds.length > 1 ? better : "one seed: no telling",
      ],
    ];
  });
  const left =
    few.length < differences.length
      ? ` Against ${title(losses[0] as string)} and in the foremost measures alone: results.json has all.`
      : "";
  return {
    name: "Differences",
    rows: [["difference", "mean", "± over points", "95 % interval", "p, paired", "p, Welch", "better"], ...rows],
    note:
      "Two-sided t-tests over the seeds: paired, a seed's two models sharing data, batches and parameters to begin with, and " +
      `Welch's, which does without that. Intervals are the paired test's; "± over points" is the standard error on the same held-out points, and says nothing of other seeds; p-values are not corrected for their number.${left}`,
  };
}

/** A chart for each series that losses have, of the first seed that has it. */
function seriesCharts(runs: readonly Run[], { contenders }: Experiment, styles: ReadonlyMap<string, string>): string {
  const names = [...new Set(runs.flatMap(({ judgement }) => (judgement.series ?? []).map(({ name }) => name)))];
  return names
    .map((name) => {
      const losses = [...new Set(runs.map(({ loss }) => loss))];
      const found = losses.flatMap((loss) => {
        const own = runs.flatMap((run) =>
          run.loss === loss ? (run.judgement.series?.find((one) => one.name === name) ?? []) : [],
        );
        const [first] = own;
        if (!first) return [];
        // The mean over the seeds, where all have the same places.
        const mean = first.x.map((x, i) => {
          const values = own.map(({ y }) => y[i] ?? Number.NaN);
          return [x, values.reduce((sum, value) => sum + value, 0) / values.length] as const;
        });
        const curve = { name: contenders[loss]?.title ?? loss, style: styles.get(loss) ?? "", exact: true };
        return [{ series: first, curve: { ...curve, points: mean } }];
      });
      const { title, note, across } = (found[0] as (typeof found)[number]).series;
      return chart(
        title,
        note,
        found.map(({ curve }) => curve),
        { name: across, whole: true },
      );
    })
    .join("");
}

function settingsList({ plan, device }: Outcome): (readonly [string, string])[] {
  const { preset, settings, input, seeds, command } = plan;
  return [
    ["preset", preset],
    ...(input === "" ? [] : [["input", input] as const]),
    ...Object.entries(settings).map(([name, value]) => [name, String(value)] as const),
    [seeds.length > 1 ? "seeds" : "seed", seeds.join(", ")],
    ["device", device],
    ["command", command],
  ];
}
