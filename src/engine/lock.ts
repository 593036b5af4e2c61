/** One at a time: training steps and solves on the same parameters must not interleave. */
export class Lock {
  #last: Promise<void> = Promise.resolve();

  /** Runs `work` when everything asked before it has ended, well or badly. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work, work);
    this.#last = result.then(ended, ended); // the result itself is the caller's alone
    return result;
  }
}

function ended(): void {}
