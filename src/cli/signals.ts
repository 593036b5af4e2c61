/**
 * What asks a command to end: Ctrl-C, `kill`, a terminal that closes. The first lets it save what there is. A second one
 * waits for a save that is under way; otherwise it ends the command at once, and what is kept is said.
 *
 * Like standard error this is the process's, not a runtime's.
 */
import { exitCodes, remark } from "./output.ts";

export const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds in which a second one is the same: npm hands on the Ctrl-C that the terminal gave the command already. */
const SAME_WITHIN = 250;

export interface Interruption {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  dispose(): void;
}

interface Listener {
  readonly controller: AbortController;
  readonly kept: (() => string) | undefined;
  isAsked: boolean;
}

let first: number | undefined;
let listener: Listener | undefined;
/** What is being written. */
let writing: string | undefined;

/** Whether a signal has come: the command's exit code says so. */
export function wasInterrupted(): boolean {
  return first !== undefined;
}

/** Called once, before a command runs. */
export function listenToSignals(): void {
  for (const signal of signals) process.on(signal, take);
}

/**
 * A signal for work that is to end by itself, saving what it has. `dispose` ends that: the next signal ends the process.
 *
 * @param kept - in a sentence, what is kept if a second signal ends it at once.
 */
export function interruption(kept?: () => string): Interruption {
  const own: Listener = { controller: new AbortController(), kept, isAsked: false };
  const before = listener;
  listener = own;
  return {
    signal: own.controller.signal,
    dispose() {
      if (listener === own) listener = before;
    },
  };
}

/** Does what a second signal waits for, within an {@link interruption}: a save, say, into this file. */
export async function undivided<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  writing = path;
  try {
    return await write();
  } finally {
    writing = undefined;
  }
}

function take(): void {
  const now = performance.now();
  if (first !== undefined && now - first < SAME_WITHIN) return;
  first ??= now;
  if (listener && !listener.isAsked) {
    listener.isAsked = true;
    remark(listener.kept ? "Stopping; once more to stop without saving." : "Stopping.");
    listener.controller.abort();
  } else if (listener && writing !== undefined) {
    remark(`Writing ${writing}: ends when that is done.`);
  } else {
    if (listener?.kept) remark(`Not saved: ${listener.kept()}.`);
    process.exit(exitCodes.interrupted);
  }
}
