/**
 * `divflow compare`: trains CFM and FDM from one seed, samples both, judges both by the same rule and writes a report.
 * This is what `npm start` runs. With `--seeds` it does so for several seeds and tells how much they differ.
 */
import { join } from "node:path";
import { defineCommand } from "citty";
import { ConfigError, createTrainer, type Runtime, sampleData, writeNpy } from "../index.ts";
import { number, oneOf, positiveInteger } from "./arguments.ts";
import { checkFolders, folderOf } from "./compare-folders.ts";
import { comparisonPage, resultTable, type Scene, type Shown } from "./comparison.ts";
import {
  type Contender,
  contenders,
  differencesOf,
  equals,
  type Judged,
  lossOf,
  summaryOf,
  titleOf,
  verdict,
} from "./contenders.ts";
import { costRatio } from "./cost-ratio.ts";
import { dataArguments, dataOf, isPointsFile, refuseTrajectories } from "./data.ts";
import { makeFolder } from "./files.ts";
import { type AgainArguments, goOnCommand } from "./go-on.ts";
import { type Parts, partsOf, type RowsUsed, rowsUsed } from "./held-out.ts";
import { inOptions } from "./in-options.ts";
import { judge, type Rule, writeRows } from "./judge.ts";
import { exitCodes, remark, report, shellCommand, textTable } from "./output.ts";
import { checkHeldOut, type HeldOut, readHeldOut } from "./overfitting.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { whilePlanning } from "./progress.ts";
import { describeRecipe, type Recipe, readRecipe, recipeArguments, trainerOptions } from "./recipe.ts";
import { replaceFile } from "./replace-file.ts";
import { rowOfPictures } from "./report/density.ts";
import { counted } from "./report/numbers.ts";
import { columnNames, drawnRows } from "./report/rows.ts";
import { planeOf, type View, viewOf } from "./report/view.ts";
import { RunFolder } from "./run-folder.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";
import { wasInterrupted } from "./signals.ts";
import { trainInto, unusedRows } from "./training.ts";

/** The seed of everything evaluated is this far from the run's, so that no point is one trained on. */
const EVALUATION_SEED_OFFSET = 1_000_003;

/** More would be a mistake in a number: runs that never end, points that fill the memory. */
const [MOST_SEEDS, MOST_POINTS] = [1000, 2 ** 22];

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
    points: { type: "string", description: "fresh points to judge by (4096); of a file, test rows at most" },
    test: {
      type: "string",
      description: "rows of a file to judge by, never trained on: a share, how many, or a file of their own (0.1)",
    },
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args, rawArgs }) {
    const seedCount = positiveInteger("--seeds", args.seeds, MOST_SEEDS);
    const lastSeed = Number.MAX_SAFE_INTEGER - EVALUATION_SEED_OFFSET - seedCount + 1;
    const expected = `an integer from 0 to ${lastSeed} beside ${seedCount} seeds`;
    number("--seed", args.seed, expected, (value) => value <= lastSeed);
    const equal = oneOf("--equal", args.equal, equals);
    const points = args.points === undefined ? undefined : positiveInteger("--points", args.points, MOST_POINTS);
    if (args.test !== undefined) checkHeldOut("--test", args.test, isPointsFile(args.data));
    const choice = readRuntime(args);
    refuseTrajectories(args.data);
    const recipe = await readRecipe(args.data, args, () => checkFolders(args.out, Number(args.seed), seedCount));
    refusePairs(recipe, args);
    const test = await readTest(recipe, args.test);
    using claimed = await RunFolder.claim("--out", args.out);
    await refuseRun("--out", args.out, args);

    using runtime = await openRuntime(choice);
    claimed.keep();
    const scene = sceneOf(recipe);
    const judged: Judged[] = [];
    const rows: RowsUsed[] = [];
    const costRatios: { readonly seed: number; readonly ratio: number }[] = [];
    const shown = new Map<Contender, Shown>();
    recipe.notes.forEach(remark);
    const warnings = new Set<string>();
    for (let i = 0; i < seedCount; i++) {
      const seed = recipe.seed + i;
      const folder = folderOf(args.out, seed, seedCount);
      const round = roundOf({ ...recipe, seed }, test, points);
      await makeFolder("--out", folder);
      if (round.parts?.testRows) {
        const { values, count, dimension, shape, conditions } = round.parts.test;
        if (conditions) await writeRows(join(folder, "test.csv"), round.parts.test, recipe.data);
        else await replaceFile(join(folder, "test.npy"), writeNpy(values, [count, ...(shape ?? [dimension])]));
      }
      for (const name of contenders) {
        if (name === "cfm-seconds" && equal === "steps") continue;
        let { steps } = recipe;
        if (name === "cfm-seconds") {
          const ratio = await costRatio(runtime, round.recipe);
          if (ratio === undefined) return interruptedBetween(folder);
          costRatios.push({ seed, ratio });
          steps = Math.max(1, Math.round(steps * ratio));
        }
        const one = { name, folder: join(folder, name), args, view: i === 0 ? scene.view : undefined };
        const result = await trainAndJudge(runtime, { ...round, recipe: { ...round.recipe, steps } }, one, warnings);
        if (!result) return exitCodes.interrupted;
        judged.push(result.judged);
        if (i === 0) shown.set(name, result.shown);
        if (name === "cfm" && result.rows) rows.push(result.rows);
      }
    }

    const { device } = runtime;
    const truth = recipe.data.entropy;
    const config = describeRecipe(recipe, args.data, "fdm", runtime.backend);
    const differences = differencesOf(judged).filter((one) => equal === "both" || one.equal === equal);
    const pointCount = judged[0]?.values.length ?? 0;
    const judgedBy = judgedByWords(args.data, rows, test, pointCount);
    const table = resultTable(judged, differences, { pointCount, truth, judgedBy });
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
    const costs = costRatios.length > 0 ? { costRatios } : {};
    const compared = {
      results,
      summary: summaryOf(judged),
      differences,
      ...costs,
      ...(rows.length > 0 ? { rows } : {}),
    };
    report(args.json === true, { ...document, ...compared, out: args.out }, [
      ...textTable(table.rows),
      table.note,
      ...differences.map((difference) => `${verdict(difference)}.`),
      "",
      `Report: ${join(args.out, "report.html")}`,
    ]);
    return exitCodes.success;
  },
});

/** FDM would refuse them when CFM is trained already. */
function refusePairs({ path, coupling }: Recipe, args: { readonly coupling?: string | undefined }): void {
  if (!coupling || path.between) return;
  throw new ConfigError({
    subject: "--coupling",
    given: `${args.coupling} on path ${path.name}`,
    expected:
      "--path brownian-bridge: FDM needs a score, and between given ends other paths are points, without a density",
    remedy: "Take that path, or leave --coupling out; train --loss cfm takes pairs on others.",
  });
}

/** Rows of a file that models are judged by, where --test does not say: their share. */
const TEST_SHARE = "0.1";

/** What models are judged by: of a file a part or another file; undefined where fresh points are drawn. */
async function readTest({ points, data }: Recipe, given: string | undefined): Promise<HeldOut | undefined> {
  if (given === undefined && !points) return undefined;
  const { dimension, columns, conditions } = data;
  const test = await readHeldOut("--test", given ?? TEST_SHARE, { points, dimension, columns, conditions });
  if (test !== undefined) return test;
  throw new ConfigError({
    subject: "--test",
    given: "none",
    expected: "rows to judge by",
    remedy: "Give a share of the rows, how many, or a file of rows.",
  });
}

/** What the contenders of one seed have in common. */
interface Round {
  /** With the rows that are trained on as its data. */
  readonly recipe: Recipe;
  readonly rule: Rule;
  /** Of a file. */
  readonly parts: Parts | undefined;
}

/** Samples of a model of a file's rows that are written and shown. */
const SAMPLES = 4096;

function roundOf(recipe: Recipe, test: HeldOut | undefined, points: number | undefined): Round {
  const seed = recipe.seed + EVALUATION_SEED_OFFSET;
  if (!recipe.points || test === undefined) {
    const count = points ?? SAMPLES;
    const judgedBy = typeof test === "object" ? test.points.values : sampleData(recipe.data, count, seed);
    const source = typeof test === "object" ? dataOf(test.points) : recipe.data;
    return { recipe, rule: { points: judgedBy, source, samples: count, seed }, parts: undefined };
  }
  const parts = partsOf(recipe.points, test, recipe.seed, points);
  const told = parts.test.conditions ? { told: parts.test } : {};
  const rule = { points: parts.test.values, ...told, source: dataOf(parts.test), samples: SAMPLES, seed };
  return { recipe: { ...recipe, data: parts.data }, rule, parts };
}

/** Which rows models were trained on, stopped by and judged by; undefined where points are drawn fresh. */
function judgedByWords(data: string, rows: readonly RowsUsed[], test: HeldOut | undefined, count: number) {
  const from = typeof test === "object" ? `${counted(count, "row")} of ${test.file}` : undefined;
  const [first] = rows;
  if (!first) return from && `Judged by ${from}.`;
  const { training, validation } = first;
  const size = training.length + validation.length + first.test.length;
  const stop = validation.length > 0 ? `, ${validation.length.toLocaleString("en")} held out to stop by` : "";
  const seeds = rows.map(({ seed }) => seed).join(", ");
  return (
    `${counted(size, "row")} of ${data}, parted by seed ${seeds}: ${training.length.toLocaleString("en")} trained on${stop}, ` +
    `${from ?? counted(first.test.length, "other")} judged by; all models by the same.`
  );
}

/** What the report's pictures are of. */
function sceneOf({ data, points, seed }: Recipe): Scene {
  const rows = points
    ? { ...points, columns: columnNames(data.dimension, points.columns), drawn: false }
    : drawnRows(data, seed);
  const view = data.conditions ? undefined : viewOf(data, rows); // a density for each of what is told shows none of them
  return { data, rows, view, plane: view && data.dimension === 2 ? planeOf(view, data, rows, seed) : undefined };
}

/** A signal while no model is trained: those that are done stay. */
function interruptedBetween(folder: string): number {
  remark(`Interrupted while the cost of steps was measured. Models that are trained are kept in ${folder}.`);
  return exitCodes.interrupted;
}

/** The command as it was given, for the report. */
function commandLine(rawArguments: readonly string[]): string {
  return shellCommand(["divflow", "compare", ...rawArguments]);
}

/** One model, in a run folder of its own; undefined when Ctrl-C ended it: what is saved and can be done is said. */
async function trainAndJudge(
  runtime: Runtime,
  { recipe, rule, parts }: Round,
  one: {
    readonly name: Judged["name"];
    readonly folder: string;
    readonly args: AgainArguments;
    readonly view: View | undefined;
  },
  /** Those said before: said once. */
  warnings: Set<string>,
): Promise<{ judged: Judged; shown: Shown; rows: RowsUsed | undefined } | undefined> {
  const { name, folder, args, view } = one;
  using trainer = await whilePlanning(titleOf[name], (onProgress) =>
    createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(lossOf[name]), onProgress }),
  );
  const warn = (warning: string) => {
    if (!warnings.has(warning)) remark(inOptions(warning, "compare"));
    warnings.add(warning);
  };
  trainer.warnings.forEach(warn);
  const rows = parts && rowsUsed(parts, trainer, recipe.seed);
  const config = {
    ...describeRecipe(recipe, args.data, lossOf[name], runtime.backend),
    ...(rows && recipe.points
      ? { rows: { count: recipe.points.count, validation: rows.validation, test: rows.test } }
      : {}),
  };
  const title = titleOf[name];
  using runFolder = await RunFolder.claim("--out", folder);
  const file = runFolder.file("model.safetensors");
  const command = goOnCommand(args, folder, file);
  await runFolder.begin({ trainer, config, command });
  const run = await trainInto(trainer, recipe.steps, title, runFolder);
  if (run.interrupted) {
    remark(`Interrupted at step ${trainer.step} of ${name}. To go on with this model: ${command}`);
    return undefined;
  }
  const unused = unusedRows(trainer, run.history);
  if (unused !== undefined) warn(unused);
  const judged = await judge(runtime, trainer, recipe, rule, { title, folder, view }).catch((error) => {
    if (!wasInterrupted()) throw error;
  });
  if (!judged) {
    const draw = shellCommand(["divflow", "sample", file, "--out", "samples.csv"]);
    remark(
      `Interrupted while ${name} was judged. Its training is done: ${file} holds step ${trainer.step}. To use it: ${draw}`,
    );
    return undefined;
  }
  const { judgement, samples, density } = judged;
  const { history, seconds } = run;
  const { best, step, stopped } = trainer;
  const bestStep = best ? { bestStep: best.step } : {};
  return {
    judged: { name, seed: recipe.seed, steps: step, stopped, ...bestStep, ...judgement, seconds },
    shown: { history, samples, ...(density ? { density } : {}) },
    rows,
  };
}
