/**
 * `divflow compare`: trains CFM and FDM from one seed, samples both, judges both by the same rule and writes a report.
 * This is what `npm start` runs. With `--seeds` it does so for several seeds and tells how much they differ.
 */
import { join } from "node:path";
import { defineCommand } from "citty";
import { createTrainer, type Runtime, sampleData } from "../index.ts";
import { positiveInteger } from "./arguments.ts";
import {
  comparisonPage,
  type Judged,
  lossesCompared,
  picturesOf,
  resultTable,
  type Shown,
  summaryOf,
} from "./comparison.ts";
import { checkFolder, makeFolder, replaceFile } from "./files.ts";
import { judge } from "./judge.ts";
import { exitCodes, remark, report, textTable } from "./output.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { type Recipe, readRecipe, recipeArguments } from "./recipe.ts";
import { rowOfPictures } from "./report/density.ts";
import { type View, viewOf } from "./report/view.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";
import { describeRecipe, trainerOptions, trainInto, writeRun } from "./train.ts";

/** The seed of everything evaluated is this far from the run's, so that no point is one trained on. */
const EVALUATION_SEED_OFFSET = 1_000_003;

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
    seeds: { type: "string", description: "how many seeds to compare over, from --seed on", default: "1" },
    points: { type: "string", description: "fresh points to judge by", default: "4096" },
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const recipe = await readRecipe(args.data, args);
    const seedCount = positiveInteger("--seeds", args.seeds);
    const pointCount = positiveInteger("--points", args.points);
    const choice = readRuntime(args);
    await checkFolder("--out", args.out);
    await refuseRun("--out", args.out, args);

    using runtime = await openRuntime(choice);
    await makeFolder("--out", args.out);
    const view = viewOf(recipe.data, recipe.seed);
    const judged: Judged[] = [];
    const shown = new Map<Judged["name"], Shown>();
    for (let i = 0; i < seedCount; i++) {
      const seed = recipe.seed + i;
      for (const name of lossesCompared) {
        const folder = join(args.out, ...(seedCount > 1 ? [`seed-${seed}`] : []), name);
        const one = { name, seed, folder, dataName: args.data, pointCount, view: i === 0 ? view : undefined };
        const result = await trainAndJudge(runtime, { ...recipe, seed }, one);
        if (!result) return exitCodes.interrupted;
        judged.push(result.judged);
        if (i === 0) shown.set(name, result.shown);
      }
    }

    const { device } = runtime;
    const truth = recipe.data.entropy;
    const config = describeRecipe(recipe, args.data, "fdm", runtime.backend);
    const table = resultTable(judged, pointCount, truth);
    const pictures = view ? picturesOf(view, shown) : [];
    const html = comparisonPage({ dataName: args.data, device, recipe, config, judged, shown, table, pictures });
    await replaceFile(join(args.out, "report.html"), html);
    if (view) {
      const row = pictures.map(({ pixels }) => pixels);
      await replaceFile(join(args.out, "densities.png"), rowOfPictures(row, view.size));
    }
    const document = { data: args.data, backend: runtime.backend, device, config, points: pointCount, truth };
    report(args.json === true, { ...document, results: judged, summary: summaryOf(judged), out: args.out }, [
      ...textTable(table.rows),
      table.note,
      "",
      `Report: ${join(args.out, "report.html")}`,
    ]);
    return exitCodes.success;
  },
});

/** One model, in a run folder of its own; undefined when Ctrl-C ended its training, which is saved. */
async function trainAndJudge(
  runtime: Runtime,
  recipe: Recipe,
  one: {
    readonly name: Judged["name"];
    readonly seed: number;
    readonly folder: string;
    readonly dataName: string;
    readonly pointCount: number;
    readonly view: View | undefined;
  },
): Promise<{ judged: Judged; shown: Shown } | undefined> {
  const { name, seed, folder, dataName, pointCount, view } = one;
  using trainer = await createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(name) });
  const config = describeRecipe(recipe, dataName, name, runtime.backend);
  const title = name.toUpperCase();
  await makeFolder("--out", folder);
  const run = await trainInto(trainer, recipe.steps, title, (metrics) => writeRun(folder, config, metrics, trainer));
  if (run.interrupted) {
    const file = join(folder, "model.safetensors");
    remark(
      `Interrupted at step ${trainer.step} of ${name}. divflow train ${dataName} --resume ${file} --out ${folder} goes on.`,
    );
    return undefined;
  }
  const evaluationSeed = recipe.seed + EVALUATION_SEED_OFFSET;
  const rule = { points: sampleData(recipe.data, pointCount, evaluationSeed), seed: evaluationSeed };
  const { judgement, density } = await judge(runtime, trainer, recipe, rule, { title, folder, view });
  const { metrics, seconds } = run;
  return { judged: { name, seed, ...judgement, seconds }, shown: { metrics, ...(density ? { density } : {}) } };
}
