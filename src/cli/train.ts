/** `divflow train`: trains on a named data set or on a user's points, into a run folder. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { defineCommand } from "citty";
import { createTrainer, resume, type StepMetrics, type Trainer } from "../index.ts";
import { oneOf, positiveInteger } from "./arguments.ts";
import { makeFolder, readBytes, replaceFile } from "./files.ts";
import { exitCodes, interruption, progressBar, report } from "./output.ts";
import { isPointsFile, lossNames, openData, type Recipe, readRecipe, recipeArguments } from "./recipe.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";

export const train = defineCommand({
  meta: { name: "train", description: "Train a model into a run folder" },
  args: {
    data: { type: "positional", description: "data set by name, or a .npy or .csv file of points", required: true },
    out: { type: "string", description: "folder for config.json, metrics.jsonl, model.safetensors", required: true },
    loss: { type: "string", description: `one of ${lossNames.join(", ")}`, default: "fdm" },
    ...recipeArguments,
    backend: backendArgument,
    threads: threadsArgument,
    resume: { type: "string", description: "a model.safetensors to go on from, bit for bit; its settings are kept" },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const lossName = oneOf("--loss", args.loss, lossNames);
    const recipe = args.resume === undefined ? await readRecipe(args.data, args) : undefined;
    const resumed = args.resume === undefined ? undefined : await readBytes(args.resume);
    const asked = args.steps === undefined ? undefined : positiveInteger("--steps", args.steps);
    const points = isPointsFile(args.data) ? await openData(args.data) : undefined;
    const choice = readRuntime(args);
    await makeFolder("--out", args.out);

    using runtime = await openRuntime(choice);
    using trainer = recipe
      ? await createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(lossName) })
      : await resume(runtime, resumed as Uint8Array, points ? { data: points } : {});
    const total = recipe?.steps ?? asked ?? trainer.step + 3000;
    const config = recipe
      ? describeRecipe(recipe, args.data, lossName, runtime.backend)
      : { resumed: args.resume, from: trainer.step, steps: total, backend: runtime.backend };
    const earlier = recipe ? [] : await readMetrics(join(args.out, "metrics.jsonl"), trainer.step);
    const title = `${basename(args.data)} ${recipe ? lossName : "resumed"}`;
    const run = await trainInto(trainer, total, title, (metrics) =>
      writeRun(args.out, "", config, [...earlier, ...metrics], trainer),
    );

    const last = run.metrics.at(-1);
    const document = { step: trainer.step, interrupted: run.interrupted, seconds: run.seconds, ...last, out: args.out };
    report(args.json === true, document, [
      `${run.interrupted ? "Interrupted" : "Trained"}: step ${trainer.step} of ${total}, ${run.seconds.toFixed(1)} s` +
        (last ? `, loss ${last.loss.toPrecision(4)}` : ""),
      `Wrote ${join(args.out, "model.safetensors")}`,
    ]);
    return run.interrupted ? exitCodes.interrupted : exitCodes.success;
  },
});

/** The trainer's options that a recipe fixes, all but the loss. */
export function trainerOptions(recipe: Recipe) {
  const { network, path, optimizer, data, batchSize, seed } = recipe;
  return { network, path, optimizer, data, batchSize, seed };
}

/** What config.json says: enough to run it again. */
export function describeRecipe(recipe: Recipe, data: string, lossName: Parameters<Recipe["loss"]>[0], backend: string) {
  const named = ({ name, options }: { name: string; options: unknown }) => ({ name, options });
  return {
    data,
    network: { kind: recipe.network.kind, config: recipe.network.config },
    path: named(recipe.path),
    loss: named(recipe.loss(lossName)),
    optimizer: named(recipe.optimizer),
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
  const interrupted = interruption();
  const start = performance.now();
  try {
    const steps = total - trainer.step;
    if (steps > 0) {
      for await (const progress of trainer.run({ steps, signal: interrupted.signal })) {
        metrics.push(...progress.steps);
        bar.update(progress.step, `loss ${progress.loss.toPrecision(4)}`);
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
  await save(metrics);
  return { metrics, seconds: (performance.now() - start) / 1000, interrupted: interrupted.signal.aborted };
}

/** The metrics up to `step` that a run folder already has: a resumed run adds to them. None where there is no file. */
async function readMetrics(file: string, step: number): Promise<StepMetrics[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const rows = text.split("\n").filter((line) => line !== "");
  return rows.map((line) => JSON.parse(line) as StepMetrics).filter((row) => row.step <= step);
}

/** Writes the three files of a run into `folder`, their names prefixed. */
export async function writeRun(
  folder: string,
  prefix: string,
  config: unknown,
  metrics: readonly StepMetrics[],
  trainer: Trainer,
): Promise<void> {
  await replaceFile(join(folder, `${prefix}config.json`), `${JSON.stringify(config, null, 2)}\n`);
  await replaceFile(join(folder, `${prefix}metrics.jsonl`), metrics.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await replaceFile(join(folder, `${prefix}model.safetensors`), await trainer.checkpoint());
}
