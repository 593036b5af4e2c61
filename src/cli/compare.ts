/**
 * `divflow compare`: trains CFM and FDM from one seed, samples both, judges both by the same rule and writes a report.
 * This is what `npm start` runs. With `--seeds` it does so for several seeds and tells how much they differ.
 */
import { join } from "node:path";
import { defineCommand } from "citty";
import { createTrainer, type Runtime, sampleData } from "../index.ts";
import { oneOf, positiveInteger } from "./arguments.ts";
import { comparisonPage, resultTable, type Scene, type Shown } from "./comparison.ts";
import {
  type Contender,
  contenders,
  differencesOf,
  equals,
  type Judged,
  lossOf,
  stepsForSeconds,
  summaryOf,
  titleOf,
  verdict,
} from "./contenders.ts";
import { dataArguments } from "./data.ts";
import { checkFolder, makeFolder, replaceFile } from "./files.ts";
import { judge } from "./judge.ts";
import { exitCodes, remark, report, textTable } from "./output.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { whilePlanning } from "./progress.ts";
import { type Recipe, readRecipe, recipeArguments } from "./recipe.ts";
import { rowOfPictures } from "./report/density.ts";
import { columnNames, drawnRows } from "./report/rows.ts";
import { planeOf, type View, viewOf } from "./report/view.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";
import { describeRecipe, trainerOptions, trainInto, writeRun } from "./train.ts";

/** The seed of everything evaluated is this far from the run's, so that no point is one trained on. */
const EVALUATION_SEED_OFFSET = 1_000_003;

export const compare = defineCommand({
  meta: { name: "compare", description: "Train CFM and FDM from one seed and report on both" },
  args: {
    data: {
      type: "positional",
      description: "data set by name, or a file of points (.csv, .tsv, .txt, .npy, .npz)",
      default: "checkerboard",
    },
    out: { type: "string", description: "run folder", default: "runs/compare" },
    ...recipeArguments,
    ...dataArguments,
    seeds: { type: "string", description: "how many seeds to compare over, from --seed on", default: "1" },
    equal: {
      type: "string",
      description: "what CFM and FDM are given alike: steps, seconds (CFM once more, for as long as FDM took) or both",
      default: "both",
    },
    points: { type: "string", description: "fresh points to judge by", default: "4096" },
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args, rawArgs }) {
    const recipe = await readRecipe(args.data, args);
    const seedCount = positiveInteger("--seeds", args.seeds);
    const equal = oneOf("--equal", args.equal, equals);
    const pointCount = positiveInteger("--points", args.points);
    const choice = readRuntime(args);
    await checkFolder("--out", args.out);
    await refuseRun("--out", args.out, args);

    using runtime = await openRuntime(choice);
    await makeFolder("--out", args.out);
    const scene = sceneOf(recipe);
    const judged: Judged[] = [];
    const shown = new Map<Contender, Shown>();
    for (let i = 0; i < seedCount; i++) {
      const seed = recipe.seed + i;
      const of: { [name in Contender]?: Judged } = {};
      for (const name of contenders) {
        if (name === "cfm-seconds" && equal === "steps") continue;
        const steps =
          name === "cfm-seconds" ? stepsForSeconds(recipe.steps, of.cfm as Judged, of.fdm as Judged) : recipe.steps;
        const folder = join(args.out, ...(seedCount > 1 ? [`seed-${seed}`] : []), name);
        const one = { name, seed, folder, dataName: args.data, pointCount, view: i === 0 ? scene.view : undefined };
        const result = await trainAndJudge(runtime, { ...recipe, seed, steps }, one);
        if (!result) return exitCodes.interrupted;
        judged.push(result.judged);
        of[name] = result.judged;
        if (i === 0) shown.set(name, result.shown);
      }
    }

    const { device } = runtime;
    const truth = recipe.data.entropy;
    const config = describeRecipe(recipe, args.data, "fdm", runtime.backend);
    const differences = differencesOf(judged).filter((one) => equal === "both" || one.equal === equal);
    const table = resultTable(judged, differences, { pointCount, truth });
    const content = { dataName: args.data, device, recipe, config, judged, differences, shown, table, scene };
    const html = comparisonPage({ ...content, commandLine: commandLine(rawArgs) });
    await replaceFile(join(args.out, "report.html"), html);
    const { plane } = scene;
    if (plane) {
      const densities = [...shown.values()].flatMap(({ density }) => (density ? [plane.pixels(density)] : []));
      await replaceFile(join(args.out, "densities.png"), rowOfPictures([plane.truth, ...densities], plane.size));
    }
    const document = { data: args.data, backend: runtime.backend, device, config, points: pointCount, truth };
    const results = judged.map(({ values: _, ...figures }) => figures);
    report(args.json === true, { ...document, results, summary: summaryOf(judged), differences, out: args.out }, [
      ...textTable(table.rows),
      table.note,
      ...differences.map((difference) => `${verdict(difference)}.`),
      "",
      `Report: ${join(args.out, "report.html")}`,
    ]);
    return exitCodes.success;
  },
});

/** What the report's pictures are of. */
function sceneOf({ data, points, seed }: Recipe): Scene {
  const rows = points ? { ...points, columns: columnNames(data.dimension), drawn: false } : drawnRows(data, seed);
  const view = viewOf(data, rows);
  return { data, rows, view, plane: view && data.dimension === 2 ? planeOf(view, data, rows, seed) : undefined };
}

/** The command as it was given, for the report. */
function commandLine(rawArguments: readonly string[]): string {
  const quoted = rawArguments.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", "'\\''")}'`));
  return ["divflow compare", ...quoted].join(" ");
}

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
  using trainer = await whilePlanning(titleOf[name], () =>
    createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(lossOf[name]) }),
  );
  const config = describeRecipe(recipe, dataName, lossOf[name], runtime.backend);
  const title = titleOf[name];
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
  const points = sampleData(recipe.data, pointCount, evaluationSeed);
  const rule = { points, samples: pointCount, seed: evaluationSeed };
  const { judgement, samples, density } = await judge(runtime, trainer, recipe, rule, { title, folder, view });
  const { metrics, seconds } = run;
  return {
    judged: { name, seed, steps: trainer.step, ...judgement, seconds },
    shown: { metrics, samples, ...(density ? { density } : {}) },
  };
}
