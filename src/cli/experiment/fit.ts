/**
 * One training of an experiment in a run folder of its own, as `train` has it: killed at any moment it goes on from its last
 * save, to the same bits; one that is done is found done.
 */
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTrainer, type Progress, type Runtime, resume, type Trainer } from "../../index.ts";
import { isFull, readBytes } from "../files.ts";
import { whilePlanning } from "../progress.ts";
import { replaceFile } from "../replace-file.ts";
import { RunFolder } from "../run-folder.ts";
import { trainInto } from "../training.ts";
import type { Fit, Fitted } from "./experiment.ts";
import { isThere, readJson, writeJson } from "./places.ts";

/** What a training is told beside what it is of. */
export interface FitContext {
  readonly runtime: Runtime;
  readonly folder: string;
  readonly title: string;
  readonly seed: number;
  /** What config.json says beside the trainer's options. */
  readonly config: object;
  /** The command that goes on. */
  readonly command: string;
  /** Told how far it is; what it says stands beside the bar. */
  readonly onSteps: (step: number) => string;
  /** Of the job: what comes before training listens by itself. */
  readonly signal: AbortSignal;
  /** Said once. */
  readonly warn: (warning: string) => void;
}

/** A signal ended a job: what there is is saved. */
export class Interrupted extends Error {
  override readonly name = "AbortError";
}

export const modelFile = (folder: string) => join(folder, "model.safetensors");
export const timesFile = (folder: string) => join(folder, "times.csv");
/** What says that a training is done. */
export const trainedFile = (folder: string) => join(folder, "trained.json");

export async function fitInto(fit: Fit, context: FitContext): Promise<Fitted> {
  const { folder, title, command, warn } = context;
  const done = await readJson<Fitted>(trainedFile(folder));
  if (done) return done;
  using runFolder = await RunFolder.claim("--out", folder);
  const model = runFolder.file("model.safetensors");
  const goesOn = await isThere(model);
  using trainer = await whilePlanning(title, (onProgress) =>
    trainerOf(fit, context, goesOn ? model : undefined, onProgress),
  );
  trainer.warnings.forEach(warn);
  const metrics = runFolder.file("metrics.jsonl");
  await runFolder.begin({
    ...{ trainer, command, config: configOf(fit, context) },
    ...(goesOn ? { goesOn: { model, metrics } } : {}),
  });
  const clock = await Clock.upTo(trainer.step, timesFile(folder));
  context.onSteps(trainer.step);
  if (context.signal.aborted) throw new Interrupted(`stopped at step ${trainer.step}`);
  const run = await trainInto(trainer, fit.steps, title, runFolder, (progress) => {
    clock.add(progress);
    return context.onSteps(progress.step);
  });
  if (run.interrupted) throw new Interrupted(`stopped at step ${trainer.step}`);
  const { step, stopped, best } = trainer;
  const fitted: Fitted = { step, seconds: clock.seconds, stopped, ...(best ? { best } : {}) };
  await writeJson(trainedFile(folder), fitted);
  return fitted;
}

async function trainerOf(
  { options }: Fit,
  { runtime, seed }: FitContext,
  model: string | undefined,
  onProgress: (done: number, passes: number) => void,
): Promise<Trainer> {
  if (model === undefined) return createTrainer(runtime, { ...options, seed, onProgress });
  const { data, start, coupling, validation } = options;
  const own = typeof validation === "object" && "draw" in validation ? { validation } : {};
  const pairs = { ...(start ? { start } : {}), ...(coupling ? { coupling } : {}) };
  return resume(runtime, await readBytes(model), { data, ...pairs, ...own, source: model, onProgress });
}

/** What config.json says: what the model is of. */
function configOf({ options, steps }: Fit, { config, seed, runtime }: FitContext): object {
  const named = ({ name, options: own }: { name: string; options: unknown }) => ({ name, options: own });
  const { network, path, loss, optimizer, data, batchSize } = options;
  return {
    ...config,
    data: data.name,
    network: { kind: network.kind, config: network.config },
    path: named(path),
    loss: named(loss),
    ...(optimizer ? { optimizer: named(optimizer) } : {}),
    ...(batchSize === undefined ? {} : { batchSize }),
    ...{ steps, seed, backend: runtime.backend },
  };
}

/** Seconds of training by step, over all processes that a run was in: times.csv. What was lost and done again counts once. */
class Clock {
  seconds: number;
  readonly #file: string;
  #last = performance.now();

  private constructor(file: string, seconds: number) {
    this.#file = file;
    this.seconds = seconds;
  }

  static async upTo(step: number, file: string): Promise<Clock> {
    const kept = (await readTimes(file)).filter(([at]) => at <= step);
    await replaceFile(file, ["step,seconds\n", ...kept.map(([at, seconds]) => `${at},${seconds}\n`)].join(""));
    return new Clock(file, kept.at(-1)?.[1] ?? 0);
  }

  add({ step }: Progress): void {
    const now = performance.now();
    this.seconds += (now - this.#last) / 1000;
    this.#last = now;
    try {
      appendFileSync(this.#file, `${step},${this.seconds.toFixed(3)}\n`);
    } catch (error) {
      if (!isFull(error)) throw error; // of a full disk the model's save tells, which matters more
    }
  }
}

/** Step and seconds, rising; a line that a killed process tore is left out. */
export async function readTimes(file: string): Promise<(readonly [step: number, seconds: number])[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const found = /^(\d+),(\d+(?:\.\d+)?)$/.exec(line);
    return found ? [[Number(found[1]), Number(found[2])] as const] : [];
  });
}
