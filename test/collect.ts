/** Forced garbage collection, and what is left after it: counts of objects, not megabytes. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectNow: () => void = runInNewContext("gc");

/** Collects garbage until what hangs on promises that are done is gone too. */
export async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve)); // the stack of whoever made it, and its microtasks, are over
    collectNow();
  }
}

/** Counts which of the objects noted are still held by something. */
export class Kept {
  readonly #noted: WeakRef<object>[] = [];

  note<Noted extends object>(object: Noted): Noted {
    this.#noted.push(new WeakRef(object));
    return object;
  }

  get noted(): number {
    return this.#noted.length;
  }

  /** Of all noted, how many a collection leaves. */
  async count(): Promise<number> {
    await collect();
    return this.#noted.filter((object) => object.deref() !== undefined).length;
  }
}
