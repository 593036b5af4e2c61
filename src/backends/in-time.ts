/** Waiting, but not for ever: platforms may leave a question without an answer. */

/** Seconds that each part of a start may take, where nothing else is asked for: see `startSeconds` of RuntimeOptions. */
export const START_SECONDS = 30;

/** What `work` gives, or undefined when it has not come by `deadline`, by the clock of `performance.now()`. */
export async function inTime<Value>(deadline: number, work: Promise<Value>): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, deadline - performance.now(), undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What `work` gives.
 *
 * @param late - the error that is thrown when it has not come after so many seconds.
 */
export async function within<Value>(seconds: number, work: Promise<Value>, late: () => Error): Promise<Value> {
  const given = await inTime(
    performance.now() + seconds * 1000,
    work.then((value) => ({ value })),
  );
  if (!given) throw late();
  return given.value;
}
