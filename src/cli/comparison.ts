/** What `compare` says of the models it judged: the table of figures and the report's page. */
import type { StepMetrics } from "../index.ts";
import { type Judgement, meanAndDeviation } from "./judge.ts";
import type { Recipe } from "./recipe.ts";
import { type Picture, page, type Table } from "./report/page.ts";
import type { View } from "./report/view.ts";
import type { describeRecipe } from "./train.ts";

export const lossesCompared = ["cfm", "fdm"] as const;

type Name = (typeof lossesCompared)[number];

/** A model that was trained and judged, both at its last step. */
export interface Judged extends Judgement {
  readonly name: Name;
  readonly seed: number;
  /** Of training. */
  readonly seconds: number;
}

/** What the report shows of a model beside its figures. */
export interface Shown {
  readonly metrics: readonly StepMetrics[];
  /** On the view's grid. */
  readonly density?: ArrayLike<number>;
}

const figures = ["negativeLogLikelihood", "velocityLoss", "divergenceLoss", "seconds"] as const;

/** Means and standard deviations over the seeds, by loss. */
export function summaryOf(judged: readonly Judged[]) {
  return lossesCompared.map((name) => {
    const those = judged.filter((one) => one.name === name);
    const over = (figure: (typeof figures)[number]) => meanAndDeviation(those.map((one) => one[figure]));
    return { name, seeds: those.length, ...Object.fromEntries(figures.map((figure) => [figure, over(figure)])) };
  });
}

/** @param truth - the data's own entropy in nats, the least there is; undefined where it is not known. */
export function resultTable(judged: readonly Judged[], pointCount: number, truth: number | undefined): Table {
  const seeds = judged.length / lossesCompared.length;
  const digits = { velocityLoss: 4, divergenceLoss: 4, negativeLogLikelihood: 4, seconds: 1 };
  const rows = lossesCompared.map((name) => {
    const those = judged.filter((one) => one.name === name);
    const cells = figures.map((figure) => {
      const { mean, deviation } = meanAndDeviation(those.map((one) => one[figure]));
      const spread = seeds > 1 ? deviation : figure === "negativeLogLikelihood" ? those[0]?.standardError : undefined;
      return spread === undefined
        ? mean.toFixed(digits[figure])
        : `${mean.toFixed(digits[figure])} ± ${spread.toFixed(digits[figure])}`;
    });
    return [name.toUpperCase(), ...cells];
  });
  const spread = seeds > 1 ? `standard deviation over ${seeds} seeds` : `standard error over ${pointCount} points`;
  return {
    rows: [
      ["", "negative log-likelihood", "velocity loss", "divergence loss", "seconds"],
      ...rows,
      ...(truth === undefined ? [] : [["data's entropy", truth.toFixed(4), "", "", ""]]),
    ],
    note: `Likelihoods in nats, exact divergence; ±: ${spread}. Both models at their last step. Seconds of training.`,
  };
}

/** The truth and the models' densities on one scale. */
export function picturesOf(view: View, shown: ReadonlyMap<Name, Shown>): Picture[] {
  const truth = {
    title: "Ground truth",
    note: view.exact ? "exact density" : "density counted from samples",
    pixels: view.pixels(view.truth),
    size: view.size,
  };
  const models = lossesCompared.flatMap((name) => {
    const density = shown.get(name)?.density;
    const [title, note] = [name.toUpperCase(), "exact, of the trained model"];
    return density ? [{ title, note, pixels: view.pixels(density), size: view.size }] : [];
  });
  return [truth, ...models];
}

export function comparisonPage(content: {
  readonly dataName: string;
  readonly device: string;
  readonly recipe: Recipe;
  readonly config: ReturnType<typeof describeRecipe>;
  readonly judged: readonly Judged[];
  readonly shown: ReadonlyMap<Name, Shown>;
  readonly table: Table;
  readonly pictures: readonly Picture[];
}): string {
  const { dataName, device, recipe, config, judged, shown, table, pictures } = content;
  const curves = (metric: "velocityLoss" | "divergenceLoss") =>
    lossesCompared.map((name) => {
      const rows = shown.get(name)?.metrics ?? [];
      const judgedAt = judged.find((one) => one.name === name)?.[metric];
      // CFM does not compute the divergence loss while it trains.
      const points =
        metric === "divergenceLoss" && name === "cfm" ? [] : rows.map((row) => [row.step, row[metric]] as const);
      return { name: name.toUpperCase(), style: name, points, ...(judgedAt === undefined ? {} : { judged: judgedAt }) };
    });
  const seeds = [...new Set(judged.map(({ seed }) => seed))];
  const { steps, batchSize } = recipe;
  return page({
    title: `CFM and FDM on ${dataName}`,
    summary:
      `Two equal networks, trained for ${steps.toLocaleString("en")} steps from one seed on the same data: one on the ` +
      "velocity alone (CFM), the other on the velocity and its divergence (FDM).",
    pictures,
    table,
    charts: [
      { title: "Velocity loss", note: "running mean over the minibatches", curves: curves("velocityLoss") },
      {
        title: "Divergence loss",
        note: "only FDM trains on it; dashed: the finished models on fresh data",
        curves: curves("divergenceLoss"),
      },
    ],
    settings: [
      ["data", dataName],
      ["network", inWords({ name: config.network.kind, options: config.network.config })],
      ["path", inWords(config.path)],
      ["loss of FDM", inWords(config.loss)],
      ["optimizer", inWords(config.optimizer)],
      ["batch", String(batchSize)],
      [seeds.length > 1 ? "seeds" : "seed", seeds.join(", ")],
      ["device", device],
    ],
    config,
  });
}

/** Plain settings in a line: what has a name and options as name(option value, ...). */
function inWords(setting: unknown): string {
  if (Array.isArray(setting)) return setting.map(inWords).join(" × ");
  if (typeof setting !== "object" || setting === null) return String(setting);
  const { name, options = setting } = setting as { name?: string; options?: object };
  const words = Object.entries(options).map(([key, value]) => `${key} ${inWords(value)}`);
  return name === undefined ? words.join(", ") : words.length > 0 ? `${name} (${words.join(", ")})` : name;
}
