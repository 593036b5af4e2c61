/** The report's tables of an experiment: its figures by loss, by seed, and the paper's beside them. */
import type { Table } from "../report/html.ts";
import { within } from "../report/numbers.ts";
import { meanAndDeviation } from "../statistics.ts";
import type { Run } from "./conduct.ts";
import type { Experiment, Fitted, Metric } from "./experiment.ts";
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

/** Columns of figures that a page of 1,120 pixels has room for. */
const MOST_COLUMNS = 4;

/** Figures by loss: of few losses a column each; of more a row each, in as many tables as the measures need. */
export function resultTables(
  { contenders }: Experiment,
  losses: readonly string[],
  summaries: readonly Summary[],
  metrics: readonly Metric[],
  runs: readonly Run[],
  styles: ReadonlyMap<string, string>,
): readonly Noted[] {
  const found = losses.filter((loss) => runs.some((run) => run.loss === loss));
  const titles = found.map((loss) => contenders[loss]?.title ?? loss);
  const measures = [
    ...metrics.map((metric) => ({
      name: measureOf(metric),
      cell: (loss: string) => cellOf(summaries.find((one) => one.loss === loss && one.metric === metric.name)),
    })),
    ...trainingMeasures(runs),
  ].filter(({ cell }) => found.some((loss) => cell(loss) !== ""));
  const note = summaries.some(({ seeds }) => seeds > 1)
    ? "Means over the seeds; ±: standard deviation over them."
    : "Of one seed; ±: standard error of the figure itself, such as over points, where it is known.";
  if (found.length <= MOST_COLUMNS) {
    const rows = measures.map(({ name, cell }) => [name, ...found.map(cell)]);
    return [{ name: "Result", rows: [["measure", ...titles], ...rows], note }];
  }
  const tables = Math.ceil(measures.length / MOST_COLUMNS);
  return Array.from({ length: tables }, (_, table) => {
    const shown = measures.slice(table * MOST_COLUMNS, (table + 1) * MOST_COLUMNS);
    const head = ["loss", ...shown.map(({ name }) => name)];
    const rows = found.map((loss, i) => [titles[i] as string, ...shown.map(({ cell }) => cell(loss))]);
    return {
      name: tables === 1 ? "Result" : `Result, ${table + 1} of ${tables}`,
      rows: [head, ...rows],
      styles: found.map((loss) => styles.get(loss) ?? ""),
      wraps: true,
      note: table === tables - 1 ? note : "",
    };
  });
}

/** Columns of figures, and characters of a measure's name, that a line of a terminal has room for. */
const TERMINAL = { columns: 4, name: 44 };

/** The same for a terminal: measures by row, their names wrapped, so many losses beside each other. */
export function terminalTables(
  experiment: Experiment,
  losses: readonly string[],
  ...rest: readonly [summaries: readonly Summary[], metrics: readonly Metric[], runs: readonly Run[]]
): readonly Noted[] {
  const [, , runs] = rest;
  const found = losses.filter((loss) => runs.some((run) => run.loss === loss));
  const parts = Math.ceil(found.length / TERMINAL.columns);
  return Array.from({ length: parts }, (_, part) => found.slice(part * TERMINAL.columns, (part + 1) * TERMINAL.columns))
    .flatMap((some) => resultTables(experiment, some, ...rest, new Map()))
    .map((table, part) => ({
      ...table,
      rows: table.rows.flatMap(([name = "", ...cells]) => {
        const [first = "", ...more] = wrapped(name, TERMINAL.name);
        return [[first, ...cells], ...more.map((line) => [`  ${line}`])];
      }),
      note: part === parts - 1 ? table.note : "",
    }));
}

/** Words in lines of at most so many characters, or of one longer word. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** What trainings took, means over seeds; of several models one after the other their sum; empty for losses that train nothing. */
function trainingMeasures(runs: readonly Run[]) {
  const measure = (name: string, value: (fitted: Fitted) => number, text: (mean: number) => string) => ({
    name,
    cell(loss: string) {
      const values = runs.flatMap((run) => (run.loss === loss && run.fitted ? [value(run.fitted)] : []));
      return values.length === 0 ? "" : text(meanAndDeviation(values).mean);
    },
  });
  const brief = (mean: number) => String(Number(mean.toPrecision(3)));
  return [
    measure(
      "training steps",
      ({ step }) => step,
      (mean) => Math.round(mean).toLocaleString("en"),
    ),
    measure("seconds of training", ({ seconds }) => seconds, brief),
    measure("milliseconds a step", ({ seconds, step }) => (1000 * seconds) / Math.max(1, step), brief),
  ];
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
  const summaryOf = (loss: string, metric: string | undefined) =>
    cellOf(summaries.find((one) => one.loss === loss && one.metric === metric));
  const own = (metric: string | undefined) => metrics.find(({ name }) => name === metric);
  const words = ({ measure, metric }: Experiment["paper"][number]) => {
    const beside = own(metric);
    return beside && beside.title !== measure ? `${measure}; ours: ${measureOf(beside)}` : measure;
  };
  const sources = `There: ${[...new Set(paper.map(({ source }) => source))].join("; ")}.`;
  if (named.length + ours.length <= MOST_COLUMNS) {
    const head = [
      "measure",
      ...named.map((name) => `${title(name)}, there`),
      ...ours.map((loss) => `${title(loss)}, here`),
    ];
    const rows = paper.map((one) => [
      words(one),
      ...named.map((name) => one.figures[name] ?? ""),
      ...ours.map((loss) => summaryOf(loss, one.metric)),
    ]);
    return [{ name: "Beside the paper", rows: [head, ...rows] }, sources];
  }
  // A row for each system or loss of a measure.
  const rows = paper.flatMap((one) =>
    [...new Set([...Object.keys(one.figures), ...ours])].flatMap((name) => {
      const [there, here] = [one.figures[name] ?? "", summaryOf(name, one.metric)];
      return there === "" && here === "" ? [] : [[`${one.measure}: ${title(name)}`, there, here]];
    }),
  );
  const ourWords = paper.flatMap((one) => (words(one) === one.measure ? [] : [`${words(one)}.`]));
  const note = [sources, ...new Set(ourWords)].join(" ");
  return [{ name: "Beside the paper", rows: [["measure", "there", "here"], ...rows] }, note];
}
