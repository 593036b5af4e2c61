/** Forced garbage collection, and what is left after it: counts of objects, not megabytes. */
import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** @type {() => void} */
const collectNow = runInNewContext("gc");

/** Collects garbage until what hangs on promises that are done is gone too. */
export async function collect() {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve)); // the stack of whoever made it, and its microtasks, are over
    collectNow();
  }
}

/** What inherits from each of these is counted. */
const kinds = { Object, Promise, Function, Array, ArrayBuffer, Map, Set, WeakRef, AbortSignal };

/**
 * Objects on the heap, by what they inherit from, after a collection.
 * @returns {Promise<Record<string, number>>}
 */
export async function countObjects() {
  await collect();
  return Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [name, queryObjects(kind, { format: "count" })]),
  );
}

/** Counts which of the objects noted are still held by something. */
export class Kept {
  /** @type {WeakRef<object>[]} */
  #noted = [];

  /**
   * @template {object} Noted
   * @param {Noted} object
   */
  note(object) {
    this.#noted.push(new WeakRef(object));
    return object;
  }

  get noted() {
    return this.#noted.length;
  }

  /** Of all noted, how many a collection leaves. */
  async count() {
    await collect();
    return this.#noted.filter((object) => object.deref() !== undefined).length;
  }
}
