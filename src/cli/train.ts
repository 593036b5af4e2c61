/** `divflow train`: trains on a named data set or on a user's points, into a run folder. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { defineCommand } from "citty";
import {
  ConfigError,
  createTrainer,
  DataError,
  type Runtime,
  resume,
  type StepMetrics,
  type Trainer,
} from "../index.ts";
import { oneOf, positiveInteger, refuseBeside } from "./arguments.ts";
import { type DataArguments, dataArguments, openData } from "./data.ts";
import { checkFolder, makeFolder, readBytes, replaceFile } from "./files.ts";
import { columnsIn } from "./model-columns.ts";
import { exitCodes, interruption, remark, report } from "./output.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { progressBar, recentMean, whilePlanning } from "./progress.ts";
import { lossNames, type Recipe, readRecipe, recipeArguments } from "./recipe.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";

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
    if (trainer.step >= steps) remark(`Nothing to train: ${passed(trainer.step, steps)}`);
    const config = beginning.config(trainer, runtime.backend);
    const earlier = trainer.step === 0 ? [] : await readMetrics(join(args.out, "metrics.jsonl"), trainer.step);
    await makeFolder("--out", args.out);
    const run = await trainInto(trainer, steps, title, (metrics) =>
      writeRun(args.out, config, [...earlier, ...metrics], trainer),
    );

    const last = run.metrics.at(-1);
    const document = { step: trainer.step, interrupted: run.interrupted, seconds: run.seconds, ...last, out: args.out };
    report(args.json === true, document, [
      `${run.interrupted ? "Interrupted" : run.metrics.length > 0 ? "Trained" : "Nothing to train"}: step ${trainer.step} of ${steps}, ${run.seconds.toFixed(1)} s` +
        (last ? `, loss ${last.loss.toPrecision(4)}` : ""),
      `Wrote ${join(args.out, "model.safetensors")}`,
    ]);
    return run.interrupted ? exitCodes.interrupted : exitCodes.success;
  },
});

function fromRecipe(recipe: Recipe, dataName: string, loss: (typeof lossNames)[number]): Beginning {
  return {
    title: `${basename(dataName)} ${loss}`,
    steps: recipe.steps,
    trainer: (runtime) => createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(loss) }),
    config: (_, backend) => describeRecipe(recipe, dataName, loss, backend),
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
  const data = await openData(dataName, args, { columns: columnsIn(bytes) });
  const config = await readConfig(join(dirname(file), "config.json"));
  const steps = asked ?? (typeof config["steps"] === "number" ? config["steps"] : undefined);
  return {
    title: `${basename(dataName)} resumed`,
    steps,
    trainer: (runtime) => resume(runtime, bytes, { data, source: file }),
    config: ({ step }, backend) => ({ ...config, steps, backend, resumed: { file, step } }),
  };
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

/** The trainer's options that a recipe fixes, all but the loss. */
export function trainerOptions(recipe: Recipe) {
  const { network, path, data, batchSize, seed, steps } = recipe;
  return { network, path, optimizer: recipe.optimizer(steps), data, batchSize, seed };
}

/** What config.json says: enough to run it again. */
export function describeRecipe(recipe: Recipe, data: string, lossName: Parameters<Recipe["loss"]>[0], backend: string) {
  const named = ({ name, options }: { name: string; options: unknown }) => ({ name, options });
  return {
    data,
    network: { kind: recipe.network.kind, config: recipe.network.config },
    path: named(recipe.path),
    loss: named(recipe.loss(lossName)),
    optimizer: named(recipe.optimizer(recipe.steps)),
    batchSize: recipe.batchSize,
    steps: recipe.steps,
    seed: recipe.seed,
    backend,
  };
}

export interface TrainingRun {
  readonly metrics: readonly StepMetrics[];
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** A run that dies (power, a killed process) loses no more than this. */
const SAVE_EVERY_MILLISECONDS = 60_000;

/**
 * Trains up to step `total` with a progress bar, and saves every minute and at the end. Ctrl-C ends it early, with
 * everything so far kept and saved; so does an error, which is thrown after saving.
 */
export async function trainInto(
  trainer: Trainer,
  total: number,
  title: string,
  save: (metrics: readonly StepMetrics[]) => Promise<void>,
): Promise<TrainingRun> {
  const metrics: StepMetrics[] = [];
  let saved = performance.now();
  const bar = progressBar(title, total);
  const meanLoss = recentMean();
  const interrupted = interruption();
  const start = performance.now();
  try {
    const steps = total - trainer.step;
    if (steps > 0) {
      for await (const progress of trainer.run({ steps, signal: interrupted.signal })) {
        metrics.push(...progress.steps);
        bar.update(progress.step, `mean loss ${meanLoss(progress.steps.map(({ loss }) => loss)).toPrecision(4)}`);
        if (performance.now() - saved > SAVE_EVERY_MILLISECONDS) {
          await save(metrics);
          saved = performance.now();
        }
      }
    }
  } catch (error) {
    if (!interrupted.signal.aborted) {
      if (trainer.step > 0) await save(metrics).catch(() => {}); // the first error is the one to tell
      throw error;
    }
  } finally {
    bar.stop();
    interrupted.dispose();
  }
  const seconds = (performance.now() - start) / 1000;
  await save(metrics);
  return { metrics, seconds, interrupted: interrupted.signal.aborted };
}

/** The metrics up to `step` that a run folder already has: a resumed run adds to them. None where there is no file. */
async function readMetrics(file: string, step: number): Promise<StepMetrics[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  const rows = lines.map((line, i) => {
    try {
      return JSON.parse(line) as StepMetrics;
    } catch (cause) {
      throw new DataError(
        { subject: `${file}, line ${i + 1}`, given: line, expected: "JSON", remedy: "Move the file away." },
        { cause },
      );
    }
  });
  return rows.filter((row) => row.step <= step);
}

/** Writes the three files of a run into `folder`. */
export async function writeRun(
  folder: string,
  config: unknown,
  metrics: readonly StepMetrics[],
  trainer: Trainer,
): Promise<void> {
  await replaceFile(join(folder, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await replaceFile(join(folder, "metrics.jsonl"), metrics.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await replaceFile(join(folder, "model.safetensors"), await trainer.checkpoint());
}
