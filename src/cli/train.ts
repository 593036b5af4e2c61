/** `divflow train`: trains on a named data set or on a user's points, into a run folder. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { defineCommand } from "citty";
import {
  ConfigError,
  createTrainer,
  type DataSource,
  type Runtime,
  resume,
  splitRows,
  type Trainer,
} from "../index.ts";
import { oneOf, positiveInteger, refuseBeside } from "./arguments.ts";
import { type DataArguments, dataArguments, dataOf, isPointsFile, openData, readPointsFile } from "./data.ts";
import { checkFolder, makeFolder, readBytes } from "./files.ts";
import { rowsOf } from "./held-out.ts";
import { columnsIn } from "./model-columns.ts";
import { exitCodes, remark, report } from "./output.ts";
import { inOptions } from "./overfitting.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { whilePlanning } from "./progress.ts";
import { describeRecipe, lossNames, type Recipe, readRecipe, recipeArguments, trainerOptions } from "./recipe.ts";
import { counted, withError } from "./report/numbers.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";
import { readMetrics, trainInto, unusedRows, writeRun } from "./training.ts";

/** A run whose options are checked, before there is a runtime. */
interface Beginning {
  readonly title: string;
  /** Steps in all; undefined when nothing says how many. */
  readonly steps: number | undefined;
  trainer(runtime: Runtime): Promise<Trainer>;
  /** What config.json says. */
  config(trainer: Trainer, backend: string): object;
}

export const train = defineCommand({
  meta: { name: "train", description: "Train a model into a run folder" },
  args: {
    data: {
      type: "positional",
      description: "data set by name, or a file of points (.csv, .tsv, .txt, .npy, .npz)",
      required: true,
    },
    out: { type: "string", description: "folder for config.json, metrics.jsonl, model.safetensors", required: true },
    loss: { type: "string", description: `one of ${lossNames.join(", ")}`, default: "fdm" },
    ...recipeArguments,
    ...dataArguments,
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    resume: { type: "string", description: "a model.safetensors to go on from, bit for bit; its settings are kept" },
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args, rawArgs }) {
    const choice = readRuntime(args);
    let beginning: Beginning;
    if (args.resume === undefined) {
      beginning = fromRecipe(await readRecipe(args.data, args), args.data, oneOf("--loss", args.loss, lossNames));
    } else {
      const settings = ["loss", ...Object.keys(recipeArguments)].filter((name) => name !== "steps");
      refuseBeside(rawArgs, "--resume", settings);
      beginning = await fromFile(args.resume, args.data, args);
    }
    await checkFolder("--out", args.out);
    await refuseRun("--out", args.out, args);

    using runtime = await openRuntime(choice);
    using trainer = await whilePlanning(beginning.title, () => beginning.trainer(runtime));
    const { title, steps = noSteps() } = beginning;
    for (const warning of trainer.warnings) remark(inOptions(warning));
    if (trainer.step >= steps) remark(`Nothing to train: ${passed(trainer.step, steps)}`);
    const config = beginning.config(trainer, runtime.backend);
    const earlier = trainer.step === 0 ? [] : await readMetrics(join(args.out, "metrics.jsonl"), trainer.step);
    await makeFolder("--out", args.out);
    const run = await trainInto(trainer, steps, title, (metrics) =>
      writeRun(args.out, config, [...earlier, ...metrics], trainer),
    );

    const unused = unusedRows(trainer, [...earlier, ...run.metrics]);
    if (unused !== undefined && !run.interrupted) remark(unused);

    const last = run.metrics.at(-1);
    const { best, stopped, heldOutRows } = trainer;
    const heldOut = best ? { best, stopped, ...(heldOutRows ? { rowsHeldOut: heldOutRows.length } : {}) } : {};
    const { validation: _, ...figures } = last ?? {};
    const { interrupted, seconds } = run;
    const document = { step: trainer.step, interrupted, seconds, ...figures, ...heldOut, out: args.out };
    report(args.json === true, document, [
      `${run.interrupted ? "Interrupted" : run.metrics.length > 0 ? "Trained" : "Nothing to train"}: step ${trainer.step} of ${steps}, ${run.seconds.toFixed(1)} s` +
        (last?.loss === undefined ? "" : `, loss ${last.loss.toPrecision(4)}`),
      ...heldOutLines(trainer),
      `Wrote ${join(args.out, "model.safetensors")}`,
    ]);
    return run.interrupted ? exitCodes.interrupted : exitCodes.success;
  },
});

/** What the rows held out told. */
function heldOutLines({ best, stopped, heldOutRows, trainingRows, step }: Trainer): string[] {
  if (!best) return [];
  const rows = heldOutRows
    ? `${counted(heldOutRows.length, "row")} of ${(heldOutRows.length + (trainingRows?.length ?? 0)).toLocaleString("en")}`
    : "points of their own";
  const likelihood =
    best.negativeLogLikelihood === undefined
      ? ""
      : `, negative log-likelihood ${withError(best.negativeLogLikelihood, best.standardError)} nats`;
  return [
    `Held out: ${rows}; velocity loss ${best.velocityLoss.toPrecision(4)}${likelihood} at step ${best.step}, the best, which the model uses` +
      (stopped ? `; training stopped at step ${step}, for it got no better` : ""),
  ];
}

/** Rows held out, by their numbers from 0; all others are trained on. */
function rowsIn({ trainingRows, heldOutRows }: Trainer): object {
  if (!trainingRows || !heldOutRows) return {};
  return { rows: { count: trainingRows.length + heldOutRows.length, validation: Array.from(heldOutRows) } };
}

function fromRecipe(recipe: Recipe, dataName: string, loss: (typeof lossNames)[number]): Beginning {
  return {
    title: `${basename(dataName)} ${loss}`,
    steps: recipe.steps,
    trainer: (runtime) => createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(loss) }),
    config: (trainer, backend) => ({ ...describeRecipe(recipe, dataName, loss, backend), ...rowsIn(trainer) }),
  };
}

/** A run that goes on. How many steps there are in all, the run folder that the file lies in says, or --steps. */
async function fromFile(
  file: string,
  dataName: string,
  args: DataArguments & { readonly steps?: string | undefined },
): Promise<Beginning> {
  const asked = args.steps === undefined ? undefined : positiveInteger("--steps", args.steps);
  const bytes = await readBytes(file);
  const config = await readConfig(join(dirname(file), "config.json"));
  const data = await dataOfRun(config, dataName, args, columnsIn(bytes));
  const validation =
    typeof config["validation"] === "string"
      ? dataOf(await readPointsFile(config["validation"], {}, { columns: data.columns }))
      : undefined;
  const steps = asked ?? (typeof config["steps"] === "number" ? config["steps"] : undefined);
  return {
    title: `${basename(dataName)} resumed`,
    steps,
    trainer: (runtime) => resume(runtime, bytes, { data, source: file, ...(validation ? { validation } : {}) }),
    config: ({ step }, backend) => ({ ...config, steps, backend, resumed: { file, step } }),
  };
}

/** The data of a run that goes on: of a comparison's, without the rows that it keeps to judge by. */
async function dataOfRun(
  config: Readonly<Record<string, unknown>>,
  dataName: string,
  args: DataArguments,
  columns: readonly string[] | undefined,
): Promise<DataSource> {
  const { test } = (config["rows"] ?? {}) as { readonly test?: unknown };
  if (!Array.isArray(test) || test.length === 0 || !isPointsFile(dataName))
    return openData(dataName, args, { columns });
  const points = await readPointsFile(dataName, args, { columns });
  return dataOf(rowsOf(points, splitRows(points.count, test).training));
}

/** A run that is asked to go on to a step it is past. */
function passed(step: number, steps: number): string {
  return `the file is at step ${step} already, --steps ${steps} counts all. --steps ${step + steps} trains ${steps} more.`;
}

function noSteps(): never {
  throw new ConfigError({
    subject: "--steps",
    given: "nothing",
    expected: "the number of steps in all",
    remedy: "Beside the file to resume lies no config.json that says it.",
  });
}

/** The config.json of a run folder; empty where there is none. */
async function readConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    const config: unknown = JSON.parse(text);
    return typeof config === "object" && config !== null ? { ...config } : {};
  } catch {
    return {}; // some other file of this name: it says nothing about this run
  }
}
