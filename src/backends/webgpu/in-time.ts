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
