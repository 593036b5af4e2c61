/** Long work on a thread that others need too: in turns. All folders may import this file; it imports nothing. */

/** Seconds after which this thread lets other tasks run, where it computes itself: with the last part, below 50 ms. */
export const TURN_SECONDS = 0.025;

/**
 * Work in parts on a thread that others need too: between its parts they have their turn, and it can be given up.
 *
 * @param parts - yields now and then, with what is done so far where it is known.
 * @param stillWanted - asked after each turn, with the most that was done: throws where the result is wanted no more.
 */
export async function inTurns<Result>(
  parts: Iterator<number | undefined, Result, undefined>,
  stillWanted: (done: number) => void,
): Promise<Result> {
  let most = 0;
  for (let begun = performance.now(); ; ) {
    const { done, value } = parts.next();
    if (done) return value;
    most = Math.max(most, value ?? 0); // some parts may come again
    if (performance.now() - begun < 1000 * TURN_SECONDS) continue;
    await nextTask();
    stillWanted(most);
    begun = performance.now();
  }
}

/** The result of the same parts, one after the other, where nobody else is waiting. */
export function atOnce<Result>(parts: Iterator<number | undefined, Result, undefined>): Result {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
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
