/** The report's tables of an experiment: its figures by loss, by seed, and the paper's beside them. */
import type { Table } from "../report/html.ts";
import { within } from "../report/numbers.ts";
import { meanAndDeviation } from "../statistics.ts";
import type { Run } from "./conduct.ts";
import type { Experiment, Metric } from "./experiment.ts";
import type { Summary } from "./outcome.ts";

type Noted = Table & { readonly note: string };

/** "held-out likelihood, nats, lower is better" */
export function measureOf({ title, unit, better }: Pick<Metric, "title" | "unit" | "better">): string {
  return [title, unit, better && `${better} is better`].filter(Boolean).join(", ");
}

/** A value with its error, as many digits as that leaves; four significant ones where it is not known. */
export function figure(value: number, error: number | undefined): string {
  if (!Number.isFinite(value)) return "–";
  if (error === undefined || !(error > 0)) return String(Number(value.toPrecision(4)));
  return `${within(value, 10 * error)} ± ${within(error, 10 * error)}`;
}

/** The cell of a summary: over several seeds with their standard deviation, else with the value's own error. */
export function cellOf(summary: Summary | undefined): string {
  if (!summary) return "";
  return figure(summary.mean, summary.seeds > 1 ? summary.deviation : summary.ownError);
}

export function resultTable(
  { contenders }: Experiment,
  losses: readonly string[],
  summaries: readonly Summary[],
  metrics: readonly Metric[],
  runs: readonly Run[],
  styles: ReadonlyMap<string, string>,
): Noted {
  const found = losses.filter((loss) => runs.some((run) => run.loss === loss));
  const of = (loss: string, metric: string) => summaries.find((one) => one.loss === loss && one.metric === metric);
  const isWide = found.length <= 4;
  const fitted = (loss: string, what: (run: NonNullable<Run["fitted"]>) => number) => {
    const values = runs.flatMap((run) => (run.loss === loss && run.fitted ? [what(run.fitted)] : []));
    return values.length === 0 ? undefined : meanAndDeviation(values).mean;
  };
  const training = [
    [
      "training steps",
      (loss: string) => fitted(loss, ({ step }) => step)?.toLocaleString("en", { maximumFractionDigits: 0 }),
    ],
    ["seconds of training", (loss: string) => fitted(loss, ({ seconds }) => seconds)?.toPrecision(3)],
    [
      "milliseconds a step",
      (loss: string) => fitted(loss, ({ seconds, step }) => (1000 * seconds) / Math.max(1, step))?.toPrecision(3),
    ],
  ] as const;
  const measures = [
    ...metrics.map((metric) => [measureOf(metric), (loss: string) => cellOf(of(loss, metric.name))] as const),
    ...training.map(([name, cell]) => [name, (loss: string) => cell(loss) ?? ""] as const),
  ];
  const titles = found.map((loss) => contenders[loss]?.title ?? loss);
  const many = summaries.some(({ seeds }) => seeds > 1);
  const note = many
    ? "Means over the seeds; ±: standard deviation over them."
    : "Of one seed; ±: standard error of the figure itself, such as over points, where it is known.";
  const table = isWide
    ? { rows: [["measure", ...titles], ...measures.map(([name, cell]) => [name, ...found.map(cell)])] }
    : {
        rows: [
          ["loss", ...measures.map(([name]) => name)],
          ...found.map((loss, i) => [titles[i] as string, ...measures.map(([, cell]) => cell(loss))]),
        ],
        styles: found.map((loss) => styles.get(loss) ?? ""),
        wraps: true,
      };
  return { name: "Result", ...table, note };
}

/** All figures of all runs: a row for each loss and measure, a column for each seed. */
export function seedsTable(runs: readonly Run[], metrics: readonly Metric[], { contenders }: Experiment): Noted {
  const losses = [...new Set(runs.map(({ loss }) => loss))];
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const rows = losses.flatMap((loss) =>
    metrics.map((metric) => [
      `${contenders[loss]?.title ?? loss}: ${metric.title}`,
      ...seeds.map((seed) => {
        const run = runs.find((one) => one.loss === loss && one.seed === seed);
        const found = run?.judgement.metrics.find(({ name }) => name === metric.name);
        return found ? figure(found.value, found.error) : "";
      }),
    ]),
  );
  return {
    name: "Each seed",
    rows: [["measure", ...seeds.map((seed) => `seed ${seed}`)], ...rows],
    wraps: true,
    note: "±: standard error of the figure itself, where it is known.",
  };
}

/** The paper's figures beside ours, and where they are from. */
export function paperTable(
  { paper, contenders }: Experiment,
  losses: readonly string[],
  summaries: readonly Summary[],
  metrics: readonly Metric[],
): readonly [table: Table, note: string] {
  const named = [...new Set(paper.flatMap(({ figures }) => Object.keys(figures)))];
  const ours = losses.filter((loss) =>
    paper.some(({ metric }) => summaries.some((one) => one.loss === loss && one.metric === metric)),
  );
  const title = (name: string) => contenders[name]?.title ?? name;
  const rows = paper.map(({ measure, figures, metric }) => {
    const own = metrics.find(({ name }) => name === metric);
    return [
      own && own.title !== measure ? `${measure}; ours: ${measureOf(own)}` : measure,
      ...named.map((name) => figures[name] ?? ""),
      ...ours.map((loss) => cellOf(summaries.find((one) => one.loss === loss && one.metric === metric))),
    ];
  });
  const head = [
    "measure",
    ...named.map((name) => `${title(name)}, there`),
    ...ours.map((loss) => `${title(loss)}, here`),
  ];
  const sources = [...new Set(paper.map(({ source }) => source))].join("; ");
  return [{ name: "Beside the paper", rows: [head, ...rows] }, `There: ${sources}.`];
}
