/**
 * A failure that may come once, at any time, and mostly never does: the loss of a device, the end of a runtime.
 *
 * `Promise.race` with a promise of it would keep each result that was raced for as long as the failure does not come.
 */
export class Failure {
  readonly #waiting = new Set<(error: unknown) => void>();
  #come: { readonly error: unknown } | undefined;

  /** It has come. A second call does nothing. */
  fail(error: unknown): void {
    this.#come ??= { error };
    for (const reject of this.#waiting) reject(this.#come.error);
  }

  /** What `work` gives, unless the failure comes first or has come: then its error. How `work` ends is then ignored. */
  async race<Value>(work: Promise<Value>): Promise<Value> {
    let give: (error: unknown) => void = () => {};
    try {
      return await new Promise<Value>((resolve, reject) => {
        work.then(resolve, reject);
        if (this.#come) reject(this.#come.error);
        give = reject;
        this.#waiting.add(give);
      });
    } finally {
      this.#waiting.delete(give);
    }
  }
}
