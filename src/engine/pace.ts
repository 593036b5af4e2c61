/**
 * How many runs of a program go out in one submission. Watchdogs kill long submissions, and an AbortSignal is seen
 * only between them; short ones waste the time between. So: as many as took a tenth of a second, by measurement.
 *
 * A backend that computes on this thread holds up all else on it: timers, signals, a page. There a submission takes a
 * quarter of that, and a run that is longer is done in parts.
 */
import type { Backend, Executable } from "../backends/backend.ts";
import { nextTask, TURN_SECONDS } from "../turns.ts";

/** Seconds a submission should take. */
const TARGET_SECONDS = 0.1;

/** A submission grows to at most so many times the one before: the first measurements include warming up. */
const GROWTH = 4;

/** Runs in one submission at most: keeps command buffers small. */
const MOST_RUNS = 256;

/** Remembers how long runs of one executable take. Starts with a single run. */
export class Pace {
  #runs = 1;
  #isShort = false;

  /** Runs to put into the next submission. */
  get runs(): number {
    return this.#runs;
  }

  /** Whether a run is known to take no longer than a submission should. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Takes in that `runs` runs took `seconds`, of which a submission should take `target`. */
  measured(runs: number, seconds: number, target = TARGET_SECONDS): void {
    const fitting = Math.floor((runs * target) / Math.max(seconds, 1e-6));
    this.#isShort = fitting >= 1;
    this.#runs = Math.max(1, Math.min(fitting, GROWTH * Math.max(runs, this.#runs >> 1), MOST_RUNS));
  }
}

/** When {@link runPaced} stops early. */
export interface PacedOptions {
  readonly signal?: AbortSignal | undefined;
  /** Asked after each submission, with the runs done so far; true stops. */
  readonly enough?: (done: number) => boolean;
}

/**
 * Runs an executable `times` times in submissions of bounded time, with one submission waiting while another runs.
 * All submitted work is done when it returns, no run by halves. Aborted, it stops after what is submitted.
 *
 * @returns runs done.
 */
export async function runPaced(
  backend: Backend,
  executable: Executable,
  times: number,
  pace: Pace,
  options: PacedOptions = {},
): Promise<number> {
  if (executable.parts) return runOnThisThread(executable, executable.parts, times, pace, options);
  const { signal, enough } = options;
  let done = 0;
  let finishedAt = performance.now();
  let waiting: Promise<void> | undefined;
  while (done < times && !signal?.aborted && !enough?.(done)) {
    const runs = Math.min(pace.runs, times - done);
    const submittedAt = performance.now();
    executable.run(runs);
    done += runs;
    const submission = backend.finished().then(() => {
      const now = performance.now();
      pace.measured(runs, (now - Math.max(submittedAt, finishedAt)) / 1000);
      finishedAt = now;
    });
    submission.catch(() => {}); // awaited below; an error of the first must not leave the second unhandled
    await waiting;
    waiting = submission;
    await nextTask();
  }
  await waiting;
  return done;
}

/** Runs while other tasks have their turn: between submissions, or between the parts of a run that is long. */
async function runOnThisThread(
  executable: Executable,
  parts: NonNullable<Executable["parts"]>,
  times: number,
  pace: Pace,
  { signal, enough }: PacedOptions,
): Promise<number> {
  let done = 0;
  while (done < times && !signal?.aborted && !enough?.(done)) {
    const runs = pace.isShort ? Math.min(pace.runs, times - done) : 1;
    const seconds = pace.isShort ? measure(() => executable.run(runs)) : await runInParts(parts);
    pace.measured(runs, seconds, TURN_SECONDS);
    done += runs;
    await nextTask();
  }
  return done;
}

/** One run. Returns the seconds it took, without those of others' turns. */
async function runInParts({ count, run }: NonNullable<Executable["parts"]>): Promise<number> {
  let seconds = 0;
  for (let part = 0; part < count; ) {
    if (part > 0) await nextTask();
    seconds += measure(() => {
      const started = performance.now();
      do run(part++);
      while (part < count && performance.now() - started < 1000 * TURN_SECONDS);
    });
  }
  return seconds;
}

/** Seconds that the work takes. */
function measure(work: () => void): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}
