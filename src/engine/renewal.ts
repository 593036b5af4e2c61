/** Another backend for one that was lost: after a reset a driver or a browser may have none for a while. */
import type { Backend } from "../backends/backend.ts";
import { DeviceLostError, DivflowError } from "../errors.ts";
import { Failure } from "../failure.ts";

/** Milliseconds between the first tries; each pause is twice the one before, up to the longest. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 4000;

/**
 * A backend that answers, tried again until the time is over; with 0 seconds there is one try.
 *
 * @param create - makes one or fails, within a part of the time.
 * @param isWanted - asked before each try: false ends them.
 * @throws {@link DeviceLostError} with the last try's reason.
 */
export async function renewed(
  create: () => Promise<Backend>,
  seconds: number,
  isWanted: () => boolean,
): Promise<Backend> {
  const deadline = performance.now() + 1000 * seconds;
  let failure: unknown;
  for (let pause = FIRST_PAUSE; isWanted(); pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      const backend = await create();
      if ((await backend.answers?.()) ?? true) return backend;
      backend.dispose();
      failure = "a device that was lost at once";
    } catch (error) {
      failure = error;
    }
    if (performance.now() + pause >= deadline) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new DeviceLostError(
    {
      subject: "the device",
      given: `a loss, and then ${reasonOf(failure)}`,
      expected: seconds > 0 ? `another one within ${seconds} s` : "another one by now",
      remedy: "checkpoint() and save() give what the host has; the next call looks for a device again.",
    },
    { cause: failure },
  );
}

/** What an error says was wrong, without what it says to do. */
export function reasonOf(error: unknown): string {
  if (error instanceof DivflowError) return `${error.facts.given}`;
  return error instanceof Error ? error.message || error.name : `${error}`;
}

/** What `work` gives, unless the signal is aborted first. */
export async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return work;
  const aborted = new Failure();
  const abort = () => aborted.fail(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    return await aborted.race(work);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
