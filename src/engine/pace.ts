/**
 * How many runs of a program go out in one submission. Watchdogs kill long submissions, and an AbortSignal is seen
 * only between them; short ones waste the time between. So: as many as took a tenth of a second, by measurement.
 */
import type { Backend, Executable } from "../backends/backend.ts";

/** Seconds a submission should take. */
const TARGET_SECONDS = 0.1;

/** A submission grows to at most so many times the one before: the first measurements include warming up. */
const GROWTH = 4;

/** Runs in one submission at most: keeps command buffers small. */
const MOST_RUNS = 256;

/** Remembers how long runs of one executable take. Starts with a single run. */
export class Pace {
  #runs = 1;

  /** Runs to put into the next submission. */
  get runs(): number {
    return this.#runs;
  }

  /** Takes in that `runs` runs took `seconds`. */
  measured(runs: number, seconds: number): void {
    const fitting = Math.floor((runs * TARGET_SECONDS) / Math.max(seconds, 1e-6));
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
 * All submitted work is done when it returns. Aborted, it stops after what is submitted.
 *
 * @returns runs done.
 */
export async function runPaced(
  backend: Backend,
  executable: Executable,
  times: number,
  pace: Pace,
  { signal, enough }: PacedOptions = {},
): Promise<number> {
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

/** Lets other tasks run: messages, signals, timers. A promise alone would not. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // Browsers hold nested timers back for 4 ms; a message comes at once.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
