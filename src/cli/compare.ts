/**
 * `divflow compare`: trains CFM and FDM from one seed, samples both, judges both by the same rule and writes a report.
 * This is what `npm start` runs.
 */
import { join } from "node:path";
import { defineCommand } from "citty";
import {
  createTrainer,
  type DataSource,
  evaluateLosses,
  fdm,
  type Runtime,
  rk4,
  type StepMetrics,
  sampleData,
  type Trainer,
  writeNpy,
} from "../index.ts";
import { positiveInteger } from "./arguments.ts";
import { summarize } from "./evaluate.ts";
import { makeFolder, replaceFile } from "./files.ts";
import { exitCodes, progressBar, remark, report, textTable } from "./output.ts";
import { type Recipe, readRecipe, recipeArguments } from "./recipe.ts";
import { densityPixels, gridPoints, histogram, rowOfPictures } from "./report/density.ts";
import { type Picture, page } from "./report/page.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { describeRecipe, trainerOptions, trainInto, writeRun } from "./train.ts";

const COLOURS = { cfm: "#3f8efc", fdm: "#f2545b" } as const;

/** Grid cells along each side of the densities' pictures. */
const PICTURE_SIZE = 96;

/** The seed of everything evaluated is this far from the run's, so that no point is one trained on. */
const EVALUATION_SEED_OFFSET = 1_000_003;

/** Both are judged at their last step, with equal solvers, points and noise. */
interface Judged {
  readonly name: "cfm" | "fdm";
  readonly velocityLoss: number;
  readonly divergenceLoss: number;
  readonly negativeLogLikelihood: number;
  readonly standardError: number;
  readonly seconds: number;
  readonly metrics: readonly StepMetrics[];
  readonly picture?: Picture;
}

export const compare = defineCommand({
  meta: { name: "compare", description: "Train CFM and FDM from one seed and report on both" },
  args: {
    data: {
      type: "positional",
      description: "data set by name, or a .npy or .csv file of points",
      default: "checkerboard",
    },
    out: { type: "string", description: "run folder", default: "runs/compare" },
    ...recipeArguments,
    points: { type: "string", description: "fresh points to judge by", default: "4096" },
    backend: backendArgument,
    threads: threadsArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const recipe = await readRecipe(args.data, args);
    const pointCount = positiveInteger("--points", args.points);
    const choice = readRuntime(args);
    await makeFolder("--out", args.out);
    using runtime = await openRuntime(choice);

    const points = sampleData(recipe.data, pointCount, recipe.seed + EVALUATION_SEED_OFFSET);
    const judged: Judged[] = [];
    for (const name of ["cfm", "fdm"] as const) {
      using trainer = await createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(name) });
      const config = describeRecipe(recipe, args.data, name, runtime.backend);
      const run = await trainInto(trainer, recipe.steps, name.toUpperCase(), (metrics) =>
        writeRun(args.out, `${name}-`, config, metrics, trainer),
      );
      if (run.interrupted) {
        remark(
          `Interrupted at step ${trainer.step} of ${name}; ${name}-model.safetensors in ${args.out} can be resumed.`,
        );
        return exitCodes.interrupted;
      }
      judged.push(await judge(runtime, trainer, recipe, name, points, run.seconds, run.metrics, args.out));
    }
    const truth = truthOf(recipe.data);
    const table = resultTable(judged, truth);
    const summary =
      `${args.data}, ${recipe.steps} steps of ${recipe.batchSize} samples, seed ${recipe.seed}. ${runtime.reason} ` +
      `Both models at their last step; likelihoods of ${pointCount} fresh points by RK4 with exact divergence.`;
    const shown = pictures(recipe, judged);
    const html = page({
      title: `divflow: CFM and FDM on ${args.data}`,
      summary,
      pictures: shown,
      charts: [
        { title: "Velocity loss", curves: judged.map((one) => curve(one, "velocityLoss")) },
        { title: "Divergence loss (FDM trains on it)", curves: judged.map((one) => curve(one, "divergenceLoss")) },
      ],
      table,
      config: describeRecipe(recipe, args.data, "fdm", runtime.backend),
    });
    await replaceFile(join(args.out, "report.html"), html);
    const row = shown.map(({ pixels }) => pixels);
    if (row.length > 0) await replaceFile(join(args.out, "densities.png"), rowOfPictures(row, PICTURE_SIZE));
    const results = judged.map(({ metrics: _metrics, picture: _picture, ...result }) => result);
    report(args.json === true, { data: args.data, backend: runtime.backend, truth, results, out: args.out }, [
      ...textTable(table),
      "",
      `Report: ${join(args.out, "report.html")}`,
    ]);
    return exitCodes.success;
  },
});

async function judge(
  runtime: Runtime,
  trainer: Trainer,
  recipe: Recipe,
  name: Judged["name"],
  points: Float32Array,
  seconds: number,
  metrics: readonly StepMetrics[],
  out: string,
): Promise<Judged> {
  const bar = progressBar(`${name.toUpperCase()} judged`, 4);
  const seed = recipe.seed + EVALUATION_SEED_OFFSET;
  const solver = rk4({ steps: 50 });
  const { data, path, batchSize } = recipe;
  // One rule for both: the losses of fdm's definition, on the same fresh draws.
  const losses = await evaluateLosses(runtime, trainer.model, {
    data,
    path,
    loss: fdm(),
    batchSize,
    batches: 20,
    seed,
  });
  bar.update(1, "losses");
  const samples = await trainer.model.sample({ count: points.length / data.dimension, solver, seed });
  await replaceFile(join(out, `${name}-samples.npy`), writeNpy(samples.values, [samples.count, data.dimension]));
  bar.update(2, "samples");
  const density = await trainer.model.logDensity(points, { solver, divergence: "exact" });
  bar.update(3, "likelihoods");
  const picture = data.dimension === 2 ? await modelPicture(trainer, recipe, name) : undefined;
  bar.update(4, "picture");
  bar.stop();
  const { velocityLoss, divergenceLoss } = losses;
  return {
    name,
    velocityLoss,
    divergenceLoss,
    ...summarize(density),
    seconds,
    metrics,
    ...(picture ? { picture } : {}),
  };
}

/** Half the side of the square shown: the data and a margin. */
function extentOf(recipe: Recipe): number {
  const points = sampleData(recipe.data, 4096, recipe.seed);
  let largest = 0;
  for (const value of points) largest = Math.max(largest, Math.abs(value));
  return largest * 1.1;
}

/** The brightest colour stands for this density: the truth's largest of few cells would be noise. */
function brightest(density: ArrayLike<number>): number {
  const sorted = Float64Array.from(density).sort();
  return (sorted[Math.floor(sorted.length * 0.98)] as number) || 1;
}

async function modelPicture(trainer: Trainer, recipe: Recipe, name: Judged["name"]): Promise<Picture> {
  const grid = gridPoints(PICTURE_SIZE, extentOf(recipe));
  const { values } = await trainer.model.logDensity(grid, { solver: rk4({ steps: 25 }), divergence: "exact" });
  const density = values.map((value) => Math.exp(value));
  return {
    title: name.toUpperCase(),
    note: "exact density of the trained model",
    pixels: densityPixels(density, PICTURE_SIZE, brightest(trueDensity(recipe))),
    size: PICTURE_SIZE,
  };
}

/** The truth on the picture's grid: exact where the data set knows it, else counted from many points. */
function trueDensity(recipe: Recipe): ArrayLike<number> {
  const extent = extentOf(recipe);
  const { data } = recipe;
  if (data.logDensity) {
    const grid = gridPoints(PICTURE_SIZE, extent);
    return Array.from({ length: PICTURE_SIZE * PICTURE_SIZE }, (_, i) =>
      Math.exp((data.logDensity as (x: ArrayLike<number>) => number)(grid.subarray(2 * i, 2 * i + 2))),
    );
  }
  return histogram(sampleData(data, 200_000, recipe.seed + 1), PICTURE_SIZE, extent);
}

function pictures(recipe: Recipe, judged: readonly Judged[]): Picture[] {
  if (recipe.data.dimension !== 2) return [];
  const truth = trueDensity(recipe);
  const note = recipe.data.logDensity ? "exact density" : "density counted from samples";
  const pixels = densityPixels(truth, PICTURE_SIZE, brightest(truth));
  return [
    { title: "Ground truth", note, pixels, size: PICTURE_SIZE },
    ...judged.flatMap(({ picture }) => (picture ? [picture] : [])),
  ];
}

function curve({ name, metrics }: Judged, metric: "velocityLoss" | "divergenceLoss") {
  const points = metrics.map((row) => [row.step, row[metric]] as const);
  return { name: name.toUpperCase(), colour: COLOURS[name], points };
}

/** The data's own entropy in nats, the least negative log-likelihood there is; undefined where it is not known. */
function truthOf(data: DataSource): number | undefined {
  return data.entropy;
}

function resultTable(judged: readonly Judged[], truth: number | undefined): string[][] {
  return [
    ["", "velocity loss", "divergence loss", "negative log-likelihood", "seconds"],
    ...judged.map((one) => [
      one.name.toUpperCase(),
      one.velocityLoss.toFixed(4),
      one.divergenceLoss.toFixed(4),
      `${one.negativeLogLikelihood.toFixed(4)} +- ${one.standardError.toFixed(4)}`,
      one.seconds.toFixed(1),
    ]),
    ...(truth === undefined ? [] : [["data's entropy", "", "", truth.toFixed(4), ""]]),
  ];
}
