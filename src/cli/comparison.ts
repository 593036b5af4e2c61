/** What `compare` says of the models it judged: the table of figures and the report's page. */
import { type DataSource, VERSION } from "../index.ts";
import {
  type Contender,
  contenders,
  type Difference,
  digitsOf,
  type Figure,
  type Judged,
  namesOf,
  signed,
  titleOf,
  unequalSeconds,
  verdict,
  winnerOf,
} from "./contenders.ts";
import type { Criterion, History } from "./history.ts";
import type { describeRecipe, Recipe } from "./recipe.ts";
import type { Curve } from "./report/curves.ts";
import type { Table } from "./report/html.ts";
import { counted, errorOf, withError, within } from "./report/numbers.ts";
import { page } from "./report/page.ts";
import { columnPictures, linePicture, type Portrait, planePictures } from "./report/pictures.ts";
import { type Rows, summarizeColumns } from "./report/rows.ts";
import type { Plane, View } from "./report/view.ts";
import { meanAndDeviation } from "./statistics.ts";

/** What the report shows of a model beside its figures. */
export interface Shown {
  readonly history: History;
  /** Row-major [count, dimension], in data units. */
  readonly samples: Float32Array | Float64Array;
  /** On the view's grid. */
  readonly density?: Float64Array;
}

/** Class of a contender's colour. */
const styleOf: Readonly<Record<Contender, string>> = { cfm: "cfm", fdm: "fdm", "cfm-seconds": "more" };

export interface ResultTable extends Table {
  readonly note: string;
}

/** @param truth - the data's own entropy in nats, the least there is; undefined where it is not known. */
export function resultTable(
  judged: readonly Judged[],
  differences: readonly Difference[],
  {
    pointCount,
    truth,
    judgedBy,
  }: {
    readonly pointCount: number;
    readonly truth: number | undefined;
    /** Which rows of a file were used for what; undefined where points were drawn fresh. */
    readonly judgedBy: string | undefined;
  },
): ResultTable {
  const names = namesOf(judged);
  const seeds = judged.length / names.length;
  const rows = names.map((name) => {
    const those = judged.filter((one) => one.name === name);
    const cell = (figure: Figure, digits: number, error?: number) => {
      const { mean, deviation } = meanAndDeviation(those.map((one) => one[figure]));
      const spread = seeds > 1 ? deviation : error;
      return withError(mean, spread, digits);
    };
    const difference = differences.find(({ against }) => against === name);
    const digits = difference ? digitsOf(difference) : 0;
    const less = difference ? signed(difference.mean, digits) + errorOf(difference.standardError, digits) : "";
    return [
      titleOf[name],
      cell("negativeLogLikelihood", 4, those[0]?.standardError),
      less,
      cell("velocityLoss", 4),
      cell("divergenceLoss", 4),
      stepsOf(those),
      cell("seconds", 1),
    ];
  });
  const head = [
    "model",
    "negative log-likelihood",
    "FDM less this",
    "velocity loss",
    "divergence loss",
    "steps",
    "seconds",
  ];
  const entropy = truth === undefined ? [] : [["data's entropy", truth.toFixed(4), "", "", "", "", ""]];
  const spread =
    seeds > 1 ? `standard deviation over ${seeds} seeds` : `standard error over ${counted(pointCount, "point")}`;
  const paired = seeds > 1 ? "standard error over the seeds" : "standard error over the points, paired";
  return {
    name: "Result",
    rows: [head, ...rows, ...entropy],
    styles: names.map((name) => styleOf[name]),
    note: [
      ...(judgedBy ? [judgedBy] : []),
      `Likelihoods in nats, exact divergence, lower is better; ${seeds > 1 || pointCount > 1 ? `±: ${spread}, of differences ${paired}` : "of one point there is no standard error"}.`,
      "Seconds of training.",
      ...[unequalSeconds(judged)].filter(Boolean),
    ].join(" "),
  };
}

/** "8,000", or "1,900, best 900" where rows held out chose the parameters; means over seeds. */
function stepsOf(judged: readonly Judged[]): string {
  const mean = (values: readonly number[]) => Math.round(meanAndDeviation(values).mean).toLocaleString("en");
  const best = judged.flatMap(({ bestStep }) => (bestStep === undefined ? [] : [bestStep]));
  return mean(judged.map(({ steps }) => steps)) + (best.length > 0 ? `, best ${mean(best)}` : "");
}

/** How the report's pictures are made; what `compare` also writes as densities.png is of these. */
export interface Scene {
  readonly data: DataSource;
  readonly rows: Rows;
  readonly view: View | undefined;
  /** Of two coordinates. */
  readonly plane: Plane | undefined;
}

export function comparisonPage(content: {
  readonly dataName: string;
  readonly device: string;
  readonly commandLine: string;
  readonly recipe: Recipe;
  readonly config: ReturnType<typeof describeRecipe>;
  readonly judged: readonly Judged[];
  readonly differences: readonly Difference[];
  readonly shown: ReadonlyMap<Contender, Shown>;
  readonly table: ResultTable;
  readonly scene: Scene;
}): string {
  const { dataName, device, recipe, config, judged, differences, shown, table, scene, commandLine } = content;
  const seeds = [...new Set(judged.map(({ seed }) => seed))];
  const { steps, batchSize } = recipe;
  const byLikelihood = isByLikelihood(shown);
  const today = new Date().toISOString().slice(0, 16).replace("T", " ");
  return page({
    title: `CFM and FDM on ${dataName}`,
    summary:
      `Two equal networks, trained for ${steps.toLocaleString("en")} steps from ` +
      `${seeds.length > 1 ? `each of ${seeds.length} seeds, which both share,` : "one seed"} on the same data: one on the ` +
      "velocity alone (CFM), the other on the velocity and its divergence (FDM)." +
      (judged.some(({ name }) => name === "cfm-seconds")
        ? " A step of FDM costs more, so there is a third one: CFM for as many steps as FDM's seconds buy."
        : "") +
      (seeds.length > 1 ? ` Figures are means over the seeds; pictures and curves are of the first, ${seeds[0]}.` : ""),
    verdicts: differences.map((difference) => {
      const winner = winnerOf(difference);
      return { text: verdict(difference).replace(/-(?=\d)/, "−"), style: winner ? styleOf[winner] : "" };
    }),
    ...picturesOf(scene, shown),
    results: table,
    chartsNote: "Running means over the minibatches; dashed: the models as judged, on the points they were judged by.",
    charts: [
      { title: "Velocity loss", note: "all train on it", curves: curvesOf("velocityLoss", judged, shown) },
      {
        title: `${byLikelihood ? "Negative log-likelihood" : "Velocity loss"}, rows held out`,
        note: `the same rows and draws each time${byLikelihood ? ", nats" : ""}; dot: the best, which the model keeps`,
        curves: heldOutCurves(byLikelihood ? "negativeLogLikelihood" : "velocityLoss", judged, shown),
      },
      { title: "Divergence loss", note: "only FDM trains on it", curves: curvesOf("divergenceLoss", judged, shown) },
    ],
    data: dataTable(scene.rows),
    settings: [
      ["data", dataName],
      ["network", inWords({ name: config.network.kind, options: config.network.config })],
      ["path", inWords(config.path)],
      ["loss of FDM", inWords(config.loss)],
      ["optimizer", inWords(config.optimizer)],
      ["batch", String(batchSize)],
      [seeds.length > 1 ? "seeds" : "seed", seeds.join(", ")],
      ["device", device],
      ["command", commandLine],
    ],
    config,
    footer: `divflow ${VERSION}, ${today} UTC`,
  });
}

function picturesOf({ data, rows, view, plane }: Scene, shown: ReadonlyMap<Contender, Shown>) {
  const portraits: Portrait[] = contenders.flatMap((name) => {
    const one = shown.get(name);
    return one ? [{ title: titleOf[name], style: styleOf[name], ...one }] : [];
  });
  if (!view) return { pictures: "", columns: columnPictures(rows, portraits) };
  const pictures = plane ? planePictures(view, plane, rows, portraits) : linePicture(view, data, rows, portraits);
  return { pictures, columns: "" };
}

function curvesOf(
  metric: "velocityLoss" | "divergenceLoss",
  judged: readonly Judged[],
  shown: ReadonlyMap<Contender, Shown>,
): Curve[] {
  return namesOf(judged).map((name) => {
    const judgedAt = judged.find((one) => one.name === name)?.[metric];
    // Only FDM computes the divergence loss while it trains.
    const points = metric === "divergenceLoss" && name !== "fdm" ? [] : (shown.get(name)?.history[metric].points ?? []);
    const key = { name: titleOf[name], style: styleOf[name] };
    return { ...key, points, ...(judgedAt === undefined ? {} : { judged: judgedAt }) };
  });
}

/** Whether runs chose their best by the likelihood of the rows held out: then it is told of each validation. */
function isByLikelihood(shown: ReadonlyMap<Contender, Shown>): boolean {
  const histories = [...shown.values()].map(({ history }) => history);
  return (
    histories.some(({ validations }) => validations > 0) && histories.every((one) => one.judged === one.validations)
  );
}

/** What the best is chosen by, on the rows held out while training, the best one marked; nothing where none were. */
function heldOutCurves(criterion: Criterion, judged: readonly Judged[], shown: ReadonlyMap<Contender, Shown>): Curve[] {
  return namesOf(judged).flatMap((name) => {
    const { heldOut, best } = shown.get(name)?.history ?? {};
    const points = heldOut?.[criterion].points ?? [];
    if (points.length === 0) return [];
    const key = { name: titleOf[name], style: styleOf[name] };
    const value = best?.[criterion];
    const marked = best && value !== undefined ? { marked: [best.step, value] as const } : {};
    return [{ ...key, points, exact: true, ...marked }];
  });
}

/** Columns that the data's table lists at most. */
const LISTED = 60;

function dataTable(rows: Rows): ResultTable {
  const summaries = summarizeColumns(rows);
  const listed = summaries.slice(0, LISTED).map(({ name, mean, deviation, least, most }) => {
    const scale = deviation || 10 * Math.abs(mean);
    const cell = (value: number) => within(value, scale).replace("-", "−");
    return [name, cell(mean), least === most ? "0, constant" : cell(deviation), cell(least), cell(most)];
  });
  const size = `${counted(rows.count, rows.drawn ? "point" : "row")} of ${counted(rows.dimension, "column")}`;
  const left = summaries.length - listed.length;
  const constant = summaries.filter(({ least, most }) => least === most).map(({ name }) => name);
  return {
    name: "Data",
    rows: [["column", "mean", "standard deviation", "least", "most"], ...listed],
    note:
      `${size}${rows.drawn ? ", drawn for this table: there is no end of them" : ""}.` +
      (constant.length > 0 ? ` Constant: ${constant.slice(0, LISTED).join(", ")}.` : "") +
      (left > 0 ? ` ${counted(left, "column")} more are not listed.` : ""),
  };
}

/** Plain settings in a line: what has a name and options as name(option value, ...). */
function inWords(setting: unknown): string {
  if (Array.isArray(setting)) return setting.map(inWords).join(" × ");
  if (typeof setting !== "object" || setting === null) return String(setting);
  const { name, options = setting } = setting as { name?: string; options?: object };
  const words = Object.entries(options).map(([key, value]) => `${key} ${inWords(value)}`);
  return name === undefined ? words.join(", ") : words.length > 0 ? `${name} (${words.join(", ")})` : name;
}
