/** Training with a progress bar into a run folder, for `train` and `compare`. */
import type { Progress, StepMetrics, Trainer, ValidationMetrics } from "../index.ts";
import { History } from "./history.ts";
import type { MetricsLine } from "./metrics-lines.ts";
import { remark } from "./output.ts";
import { progressBar, recentMean } from "./progress.ts";
import { counted } from "./report/numbers.ts";
import type { RunFolder } from "./run-folder.ts";
import { interruption } from "./signals.ts";

export interface TrainingRun {
  readonly history: History;
  /** Of the last step done; undefined where there was none. */
  readonly last: MetricsLine | undefined;
  readonly seconds: number;
  readonly interrupted: boolean;
}

/** Milliseconds between saves: a run that dies (power, a killed process) loses no more than the last, nor than half of itself. */
const [FIRST_SAVE, SAVE_EVERY] = [500, 60_000];

/**
 * Trains up to step `total` with a progress bar, into a folder that has begun. Metrics are written as they come, all is
 * saved after half a second, when twice as much is done and so on, each minute at least, and at the end. A signal ends it
 * early, with everything so far kept and saved; so does an error, which is thrown after saving.
 */
export async function trainInto(
  trainer: Trainer,
  total: number,
  title: string,
  folder: RunFolder,
  /** Told of each report before it is saved; what it says stands beside the bar. */
  told: (progress: Progress) => string = () => "",
): Promise<TrainingRun> {
  const bar = progressBar(title, total);
  const interrupted = interruption(() => folder.kept);
  const { signal } = interrupted;
  const late = soonAfter(signal);
  const history = new History();
  const times = new Times();
  const meanLoss = recentMean();
  let last: MetricsLine | undefined;
  let heldOut = "";
  try {
    try {
      const steps = total - trainer.step;
      if (steps > 0 && !trainer.stopped) {
        for await (const progress of trainer.run({ steps, signal: late })) {
          const lines = linesOf(progress.steps, progress.validations ?? []);
          last = lines.at(-1);
          history.add(lines);
          await folder.add(lines);
          if (progress.validation)
            heldOut = `, velocity loss held out ${progress.validation.velocityLoss.toPrecision(4)}`;
          const mean = meanLoss(progress.steps.map(({ loss }) => loss));
          bar.update(progress.step, `mean loss ${mean.toPrecision(4)}${heldOut}${told(progress)}`);
          if (times.isSaveDue()) await folder.saveMeanwhile();
          if (signal.aborted) break;
        }
      }
    } catch (error) {
      bar.stop();
      if (!late.aborted || error !== late.reason) {
        await saveAfter(folder, trainer);
        throw error;
      }
    }
    bar.stop();
    const { seconds } = times;
    await folder.finish();
    return { history, last, seconds, interrupted: signal.aborted };
  } finally {
    bar.stop();
    interrupted.dispose();
  }
}

/** Milliseconds in which a run that is to end should report. */
const NEXT_REPORT = 1500;

/**
 * Aborted where a run does not report soon after `signal` is. At a report a validation that is due is done: a run left there
 * goes on as if it had not been; one that is aborted may have told a step whose validation comes only when it goes on.
 */
function soonAfter(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const abort = () => setTimeout(() => late.abort(signal.reason), NEXT_REPORT).unref();
  signal.addEventListener("abort", abort, { once: true });
  return late.signal;
}

/** After an error, which is the one to throw: what there is is saved, and said. */
async function saveAfter(folder: RunFolder, trainer: Trainer): Promise<void> {
  try {
    const failures = await folder.save();
    if (failures.length === 0) remark(`Saved step ${trainer.step}: ${folder.file("model.safetensors")}`);
    for (const failure of failures) remark(`${failure}. What is kept: ${folder.kept}.`);
  } catch (error) {
    remark(`Not saved: ${error instanceof Error ? error.message : String(error)} What is kept: ${folder.kept}.`);
  }
}

/** How long a run takes, and when it is to be saved. */
class Times {
  readonly #start = performance.now();
  #saved = this.#start;

  isSaveDue(): boolean {
    const now = performance.now();
    const pause = Math.min(SAVE_EVERY, Math.max(FIRST_SAVE, this.#saved - this.#start));
    if (now - this.#saved < pause) return false;
    this.#saved = now;
    return true;
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }
}

/** What to say of a run too short for a validation, for which rows were held out all the same. */
export function unusedRows({ heldOutRows, best, step }: Trainer, { validations }: History): string | undefined {
  if (!heldOutRows || best || validations > 0) return undefined;
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
