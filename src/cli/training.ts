/** Training with a progress bar into a run folder, for `train` and `compare`. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, type StepMetrics, type Trainer, type ValidationMetrics } from "../index.ts";
import { replaceFile } from "./files.ts";
import { interruption } from "./output.ts";
import { progressBar, recentMean } from "./progress.ts";
import { counted } from "./report/numbers.ts";
import { median } from "./statistics.ts";

/** A line of metrics.jsonl: of a step, and of the validation behind it, where there was one. */
export type MetricsLine = Partial<StepMetrics> & { readonly step: number; readonly validation?: ValidationMetrics };

export interface TrainingRun {
  readonly metrics: readonly MetricsLine[];
  readonly seconds: number;
  /** What a step took once the run had warmed up: the median over its reports but the first. */
  readonly secondsPerStep: number;
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
  save: (metrics: readonly MetricsLine[]) => Promise<void>,
): Promise<TrainingRun> {
  const metrics: MetricsLine[] = [];
  let saved = performance.now();
  const bar = progressBar(title, total);
  const meanLoss = recentMean();
  let heldOut = "";
  const interrupted = interruption();
  const costs: number[] = [];
  const start = performance.now();
  let reported = start;
  try {
    const steps = total - trainer.step;
    if (steps > 0 && !trainer.stopped) {
      for await (const progress of trainer.run({ steps, signal: interrupted.signal })) {
        const now = performance.now();
        costs.push((now - reported) / 1000 / progress.steps.length);
        metrics.push(...linesOf(progress.steps, progress.validations ?? []));
        if (progress.validation)
          heldOut = `, velocity loss held out ${progress.validation.velocityLoss.toPrecision(4)}`;
        const mean = meanLoss(progress.steps.map(({ loss }) => loss));
        bar.update(progress.step, `mean loss ${mean.toPrecision(4)}${heldOut}`);
        if (performance.now() - saved > SAVE_EVERY_MILLISECONDS) {
          await save(metrics);
          saved = performance.now();
        }
        reported = performance.now(); // what was done here, such as saving, is no training
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
  const secondsPerStep = median(costs.length > 1 ? costs.slice(1) : costs);
  return { metrics, seconds, secondsPerStep, interrupted: interrupted.signal.aborted };
}

/** What to say of a run too short for a validation, for which rows were held out all the same. */
export function unusedRows({ heldOutRows, step }: Trainer, metrics: readonly MetricsLine[]): string | undefined {
  if (!heldOutRows || metrics.some(({ validation }) => validation)) return undefined;
  return `No validation in ${counted(step, "step")}: the rows held out were not used; --validation none trains on them too.`;
}

/** Validations beside their steps; one before the first step has a line of its own. */
function linesOf(steps: readonly StepMetrics[], validations: readonly ValidationMetrics[]): MetricsLine[] {
  const byStep = new Map(validations.map((validation) => [validation.step, validation]));
  const first = steps[0]?.step ?? Number.POSITIVE_INFINITY;
  const before = validations
    .filter(({ step }) => step < first)
    .map((validation) => ({ step: validation.step, validation }));
  return [
    ...before,
    ...steps.map((row) => {
      const validation = byStep.get(row.step);
      return validation ? { ...row, validation } : row;
    }),
  ];
}

/** The metrics up to `step` that a run folder already has: a resumed run adds to them. None where there is no file. */
export async function readMetrics(file: string, step: number): Promise<MetricsLine[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  const rows = lines.map((line, i) => {
    try {
      return JSON.parse(line) as MetricsLine;
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
  metrics: readonly MetricsLine[],
  trainer: Trainer,
): Promise<void> {
  await replaceFile(join(folder, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await replaceFile(join(folder, "metrics.jsonl"), metrics.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await replaceFile(join(folder, "model.safetensors"), await trainer.checkpoint());
}
