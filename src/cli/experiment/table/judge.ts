/** Judges a density of a table: held-out likelihood, planted rows found, synthetic rows beside real ones, hidden values filled. */
import { c2st } from "../../../diagnostics.ts";
import { ConfigError, heun, type Model, rk4 } from "../../../index.ts";
import { meanAndDeviation, meanWithError, median } from "../../statistics.ts";
import type { Judgement, LossJob, Metric } from "../experiment.ts";
import { uniformSequence } from "../random-numbers.ts";
import { blamesOf, scoresOf } from "./anomalies.ts";
import type { Rows, TableCodec } from "./codec.ts";
import { csvOf, MADE, type Part, type TableData } from "./data.ts";
import { gaussianOf, kernelOf, type TableDensity } from "./densities.ts";
import { fillErrors, fillWith, hiddenColumns, maskOf } from "./fill.ts";
import { drawTable, madeLogDensity } from "./made-table.ts";
import { columnDistances, correlationGap, howFound, nearestDistances, spansOf } from "./measures.ts";
import type { TableSettings } from "./settings.ts";

export type TableJob = LossJob<TableSettings, TableData>;

/** Rows that a kernel density estimate has a kernel at, that distances and classifiers see, and that a file is searched through for anomalies. */
const [MOST_CENTRES, MOST_COMPARED, MOST_SEARCHED] = [4000, 1000, 5000];

/** The array of held-out rows' log-densities. */
const LOGS = "log-densities";

/** Parts that a classifier's rows are cut into: of fewer rows there is none. */
const FOLDS = 5;

/** Rows of anomalies.csv, and columns of each that it names. */
const [LISTED, NAMED] = [50, 3];

/** Planted rows whose one changed column is to be named. */
const BLAMED = 50;

export async function judgeTable(job: TableJob): Promise<Judgement> {
  const { settings, data, evaluationSeed: seed, signal, progress, kept, keptText, loss } = job;
  const { codec, heldOut, planted, training } = data;
  using model = loss === "cfm" || loss === "fdm" ? await job.model() : undefined;
  const density = model ? flowOf(job, model) : baselineOf(job);

  const { data: logs } = await kept(LOGS, async () => {
    const own = await density.logDensity(heldOut.noised);
    const jacobians = codec.logJacobian(heldOut.noised);
    return { values: own.map((value, row) => value + (jacobians[row] as number)), shape: [own.length] };
  });
  await progress(0.15, "likelihoods");
  const { data: ofHeldOut } = await kept("scores", async () => {
    const values = await scoresOf(density, codec, heldOut.middle);
    return { values, shape: [values.length] };
  });
  const { data: ofPlanted } = await kept("planted-scores", async () => {
    const values = await scoresOf(density, codec, planted.points);
    return { values, shape: [values.length] };
  });
  const negated = (values: ArrayLike<number>) => Float64Array.from(values, (value) => -value);
  const found = howFound(negated(ofPlanted), negated(ofHeldOut));
  const named = await shareNamed(density, data);
  await progress(0.3, "planted rows");
  await keptText("anomalies.csv", () => anomaliesOf(job, density));
  await progress(0.45, "anomalies");

  const count = Math.min(settings.samples, training.rows.length);
  const { data: drawn } = await kept("samples", async () => {
    return { values: await density.sample(count, seed), shape: [count, codec.dimension] };
  });
  const fields = codec.decode(drawn);
  await keptText("synthetic.csv", () => syntheticOf(data, fields));
  await progress(0.55, "synthetic rows");
  const synthetic = fieldsByIndex(codec, fields);
  const [middle, noised] = [codec.encode(synthetic, () => 0.5), codec.encode(synthetic, uniformSequence(seed + 3))];
  const real = { values: heldOut.middle, codec };
  const distances = columnDistances({ values: middle, codec }, real);
  await kept("column-distances", () => ({ values: Float64Array.from(distances), shape: [distances.length] }));
  const compared = Math.min(MOST_COMPARED, count, heldOut.rows.length);
  const cloud = (values: Float64Array) => {
    return { values: values.slice(0, compared * codec.dimension), shape: [compared, codec.dimension] };
  };
  const told =
    compared >= FOLDS
      ? await c2st(cloud(noised), cloud(heldOut.noised), {
          ...{ folds: FOLDS, seed, signal },
          ...(settings.epochs > 0 ? { epochs: settings.epochs } : {}),
        })
      : { accuracy: Number.NaN, standardError: Number.NaN };
  await progress(0.75, "told from held-out rows");
  const privacy = privacyOf(data, middle);

  const asked = Math.min(settings.filled, heldOut.rows.length);
  const first = (part: Float64Array) => part.slice(0, asked * codec.dimension);
  const hidden = hiddenColumns(asked, codec.places.length, seed + 4);
  const mask = maskOf(hidden, codec);
  const filled = await fillWith(density, codec, {
    ...{ points: first(heldOut.noised), mask, draws: settings.draws, seed: seed + 5 },
  });
  const errors = filled && fillErrors(filled, { codec, truth: first(heldOut.middle), rows: heldOut.fields, hidden });
  await progress(0.9, "hidden values");
  if (data.incomplete.length > 0 && density.fill) await keptText("filled.csv", () => filledTable(job, density));

  const none = { value: Number.NaN };
  const metrics: Metric[] = [
    {
      ...{ name: "nats", title: "negative log-likelihood of a row, held out", unit: "nats", better: "lower" },
      each: LOGS,
      ...meanWithError(Array.from(logs, (value) => -value)),
    },
    {
      ...{ name: "medianNats", title: "its median over rows", unit: "nats", better: "lower" },
      value: median(Array.from(logs, (value) => -value)),
    },
    {
      ...{ name: "area", title: "planted rows found: area under the ROC curve (0.5: none)", better: "higher" },
      ...{ value: found.area, error: areaError(found.area, ofPlanted.length, ofHeldOut.length) },
    },
    {
      name: "precision",
      title: `planted rows found: average precision (${(ofPlanted.length / (ofPlanted.length + ofHeldOut.length)).toFixed(2)}: none)`,
      ...{ better: "higher", value: found.precision },
    },
    {
      name: "named",
      title: `one changed column named as the first of ${codec.places.length}`,
      ...{ unit: "%", better: "higher", ...named },
    },
    {
      ...{ name: "columns", title: "synthetic columns' distance to held-out ones, mean", better: "lower" },
      value: meanAndDeviation(distances).mean,
    },
    {
      ...{ name: "correlations", title: "correlations off by, mean", better: "lower" },
      value: correlationGap({ values: middle, codec }, real),
    },
    {
      ...{ name: "c2st", title: "accuracy of a classifier against held-out rows (0.5: none)", better: "lower" },
      ...{ value: told.accuracy, error: told.standardError },
    },
    ...privacy,
    {
      ...{ name: "fillNumbers", title: "hidden numbers filled: error, in deviations", better: "lower" },
      ...(errors?.numbers ?? none),
    },
    {
      ...{ name: "fillKinds", title: "hidden categories filled wrongly", unit: "%", better: "lower" },
      ...(errors?.kinds ?? none),
    },
  ];
  return { metrics };
}

/** A trained flow of points. */
function flowOf({ settings, data, signal, evaluationSeed }: TableJob, model: Model): TableDensity {
  const { dimension } = data.codec;
  const solver = rk4({ steps: settings.solver });
  return {
    async logDensity(points) {
      const all = new Float64Array(points.length / dimension);
      for (let from = 0; from < all.length; from += CHUNK) {
        const part = points.subarray(from * dimension, (from + CHUNK) * dimension);
        all.set((await model.logDensity(part, { divergence: "exact", solver, signal })).values, from);
      }
      return all;
    },
    async sample(count, seed) {
      return Float64Array.from((await model.sample({ count, seed, solver, signal })).values);
    },
    async fill(points, mask, draws, seed) {
      const rows = points.length / dimension;
      const each = <Values extends Float64Array | Uint8Array>(of: Values): Values => {
        const all = new (of.constructor as new (length: number) => Values)(of.length * draws);
        for (let i = 0; i < rows * draws; i++) {
          const row = Math.floor(i / draws);
          all.set(of.subarray(row * dimension, (row + 1) * dimension), i * dimension);
        }
        return all;
      };
      const known = { values: each(points), mask: each(mask), strength: settings.strength };
      const options = {
        count: rows * draws,
        seed: seed + evaluationSeed,
        known,
        solver: heun({ steps: GUIDED }),
        signal,
      };
      return Float64Array.from((await model.sample(options)).values);
    },
  };
}

/** Points asked at once, and steps of Heun's method under guidance. */
const [CHUNK, GUIDED] = [4096, 30];

function baselineOf({ data, loss, input }: TableJob): TableDensity {
  const { codec, training, chosenBy } = data;
  const { dimension } = codec;
  if (loss === "kernel")
    return kernelOf(training.noised.slice(0, MOST_CENTRES * dimension), dimension, chosenBy.noised);
  if (loss === "gaussian") return gaussianOf(training.noised, dimension, chosenBy.noised);
  if (loss === "independent") return gaussianOf(training.noised, dimension);
  if (input !== MADE) {
    throw new ConfigError({
      subject: "--losses exact",
      given: input,
      expected: "the made table, whose density is known",
      remedy: "Leave exact out.",
    });
  }
  return {
    async logDensity(points) {
      const jacobians = codec.logJacobian(points);
      return Float64Array.from(codec.decode(points), (fields, row) => {
        return madeLogDensity(fieldsInOrder(codec, fields)) - (jacobians[row] as number);
      });
    },
    sample: async (count, seed) => codec.encode(drawTable(count, seed), () => 0.5),
  };
}

/** Fields of the made table's columns, of which the model may have some left out. */
function fieldsInOrder(codec: TableCodec, fields: readonly string[]): string[] {
  const all: string[] = [];
  for (const [i, { column }] of codec.places.entries()) all[column.index] = fields[i] as string;
  return all;
}

const fieldsByIndex = (codec: TableCodec, rows: readonly (readonly string[])[]): Rows =>
  rows.map((fields) => fieldsInOrder(codec, fields));

/** How often the column that was changed is the first to blame, of planted rows with one. */
async function shareNamed(density: TableDensity, { codec, planted, training }: TableData) {
  const rows = planted.changed.flatMap((column, row) => (column >= 0 ? [row] : [])).slice(0, BLAMED);
  if (rows.length === 0) return { value: Number.NaN };
  const { dimension } = codec;
  const points = new Float64Array(rows.length * dimension);
  for (const [i, row] of rows.entries())
    points.set(planted.points.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  const blames = await blamesOf(density, codec, points, training.middle);
  return meanWithError(rows.map((row, i) => (blames[i]?.[0]?.column === planted.changed[row] ? 100 : 0)));
}

/** Of Hanley and McNeil (1982). */
function areaError(area: number, planted: number, others: number): number {
  const [first, second] = [area / (2 - area), (2 * area ** 2) / (1 + area)];
  const variance = area * (1 - area) + (planted - 1) * (first - area ** 2) + (others - 1) * (second - area ** 2);
  return Math.sqrt(Math.max(0, variance) / (planted * others));
}

/** How near synthetic rows are to rows trained on, beside rows that were not: equal where a model has learned none by heart. */
function privacyOf({ codec, training, heldOut }: TableData, synthetic: Float64Array): Metric[] {
  const size = Math.min(MOST_COMPARED, training.rows.length, heldOut.rows.length);
  const some = (values: Float64Array, count = size) => {
    return { values: values.subarray(0, count * codec.dimension), codec };
  };
  const spans = spansOf({ values: training.middle, codec });
  const asked = some(synthetic, MOST_COMPARED);
  const [toTraining, toHeldOut] = [some(training.middle), some(heldOut.middle)].map((others) =>
    nearestDistances(asked, others, spans),
  ) as [Float64Array, Float64Array];
  const usual = nearestDistances(some(heldOut.middle), some(training.middle), spans);
  const nearer = Array.from(toTraining, (own, row) => {
    const other = toHeldOut[row] as number;
    return own < other ? 100 : own === other ? 50 : 0;
  });
  const all = nearestDistances(asked, { values: training.middle, codec }, spans);
  return [
    {
      ...{
        name: "nearer",
        title: "synthetic rows nearer to a training row than to a held-out one (50: none learned by heart)",
      },
      ...{ unit: "%", ...meanWithError(nearer) },
    },
    {
      ...{ name: "nearest", title: "median distance to the nearest training row, in that of held-out rows" },
      value: median([...toTraining]) / median([...usual]),
    },
    {
      name: "copies",
      title: "synthetic rows that are training rows",
      unit: "%",
      ...meanWithError(Array.from(all, (one) => (one === 0 ? 100 : 0))),
    },
  ];
}

/** The least likely rows, the first first, and the columns that make them so. */
async function anomaliesOf({ data, input }: TableJob, density: TableDensity): Promise<string> {
  const { codec, table, training, chosenBy, heldOut, planted } = data;
  const { dimension, places } = codec;
  const parts: readonly (readonly [string, Part])[] = [
    ["no", heldOut],
    ...(input === MADE
      ? []
      : ([
          ["yes", training],
          ["yes", chosenBy],
        ] as const)),
  ];
  const rows = parts.flatMap(([trainedOn, part]) =>
    part.rows.map((row, i) => ({ trainedOn, line: table.lines[row] as number, middle: part.middle, i })),
  );
  const all = [
    ...rows.slice(0, MOST_SEARCHED),
    ...(input === MADE
      ? planted.changed.map((_, i) => ({ trainedOn: "planted", line: 0, middle: planted.points, i }))
      : []),
  ];
  const points = new Float64Array(all.length * dimension);
  for (const [at, { middle, i }] of all.entries())
    points.set(middle.subarray(i * dimension, (i + 1) * dimension), at * dimension);
  const scores = await scoresOf(density, codec, points);
  const order = Array.from(scores.keys())
    .sort((a, b) => (scores[a] as number) - (scores[b] as number))
    .slice(0, LISTED);
  const least = new Float64Array(order.length * dimension);
  for (const [at, row] of order.entries())
    least.set(points.subarray(row * dimension, (row + 1) * dimension), at * dimension);
  const blames = await blamesOf(density, codec, least, training.middle);
  const fields = codec.decode(least);
  const named = Array.from({ length: Math.min(NAMED, places.length) }, (_, i) => i);
  const head = [
    "line",
    "trained on",
    "score, nats",
    ...named.flatMap((i) => [`column ${i + 1}`, "value", "likelier", "gain, nats"]),
  ];
  const body = order.map((row, at) => {
    const { line, trainedOn } = all[row] as (typeof all)[number];
    const own = named.flatMap((i) => {
      const blame = blames[at]?.[i];
      if (!blame) return [];
      const { column, gain, likelier } = blame;
      return [
        (places[column] as (typeof places)[number]).column.name,
        fields[at]?.[column] as string,
        likelier,
        gain.toFixed(2),
      ];
    });
    return [line === 0 ? "" : String(line), trainedOn, (scores[row] as number).toFixed(2), ...own];
  });
  return csvOf(head, body);
}

/** Synthetic rows with the columns of the model and those that are constant. */
function syntheticOf({ codec, columns }: TableData, rows: readonly (readonly string[])[]): string {
  const shown = columns.filter(({ kind }) => kind !== "left out");
  const places = codec.places.map(({ column }) => column.index);
  return csvOf(
    shown.map(({ name }) => name),
    rows.map((fields) =>
      shown.map((column) => ("value" in column ? column.value : fields[places.indexOf(column.index)])),
    ),
  );
}

/** Rows whose gaps are filled, at most: guidance takes its time. */
const MOST_FILLED = 1000;

/** The rows that lacked values, with them. */
async function filledTable({ data, settings, evaluationSeed }: TableJob, density: TableDensity): Promise<string> {
  const { codec, table, incomplete } = data;
  const rows = incomplete.slice(0, MOST_FILLED);
  const fields = rows.map((row) => table.rows[row] as Rows[number]);
  const given = codec.encode(fields, () => 0.5);
  const mask = Uint8Array.from(given, (value) => (Number.isNaN(value) ? 0 : 1));
  const points = given.map((value) => (Number.isNaN(value) ? 0 : value));
  const seed = evaluationSeed + 6;
  const filled = await fillWith(density, codec, { points, mask, draws: settings.draws, seed });
  const places = codec.places.map(({ column }) => column.index);
  return csvOf(
    ["line", ...table.columns],
    fields.map((row, i) => [
      String(table.lines[rows[i] as number]),
      ...row.map((field, index) => field ?? filled?.fields[i]?.[places.indexOf(index)]),
    ]),
  );
}
