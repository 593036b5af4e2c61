/**
 * The contenders' sessions: each opened when it is first needed, and again after it was lost.
 * @import { Contender, Row } from "./rows.mjs"
 * @import { Entrant } from "./rounds.mjs"
 * @import { Remote } from "./process.mjs"
 * @import { KindTimes, Prepared, Task } from "./session.ts"
 */
import { limited } from "./contenders.mjs";
import { failure } from "./rounds.mjs";
import { flopsOfTask, keyOf, unitsOfTask } from "./rows.mjs";

/** To prepare a task within: building, evidence, warming up. What would take longer is left out, and says so. */
const PREPARE_SECONDS = 300;
/** A step of a network, of which nothing is known before, is given up sooner. */
const PREPARE_NETWORK_SECONDS = 120;
const CEILING_SECONDS = 120;
/** Samples may take so many times what was expected of them, and so many seconds more. */
const PATIENCE = 8;
const PATIENCE_SECONDS = 60;
/** Units of work that preparing takes, about. */
const unitsToPrepare = {
  cfm: 6,
  fdm: 6,
  "cfm-full": 8,
  "fdm-full": 8,
  "fraction-full": 8,
  sample: 5,
  logdensity: 5,
  matmul: 3,
};
/** Then a contender is not opened again. */
const MOST_FAILURES = 2;

export class Field {
  /** @type {Map<string, { remote?: Remote, ceiling: number | null, about?: Remote["about"], failures: number, leftOut?: string }>} */
  #entries = new Map();
  /** GFLOP/s seen of a contender at a workload, and the width. @type {Map<string, { rate: number, width: number }>} */
  #rates = new Map();
  /** Why a network's step was left out, by contender and network: its other loss is not tried then. @type {Map<string, string>} */
  #slow = new Map();
  #open;
  #say;

  /** @param {(contender: Contender) => Promise<Remote>} open @param {(line: string) => void} say */
  constructor(open, say) {
    this.#open = open;
    this.#say = say;
  }

  /** @param {Contender} contender */
  #entry(contender) {
    const key = keyOf(contender);
    const entry = this.#entries.get(key) ?? { ceiling: null, failures: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  /** @param {Contender} contender @returns {Promise<Remote>} */
  async #remote(contender) {
    const entry = this.#entry(contender);
    if (entry.remote?.alive()) return entry.remote;
    if (entry.leftOut !== undefined) throw Object.assign(new Error(entry.leftOut), { name: "NotOffered" });
    if (entry.failures >= MOST_FAILURES) throw new Error("not opened again after it failed twice");
    try {
      this.#say(`opening ${keyOf(contender)}`);
      const remote = await this.#open(contender);
      entry.remote = remote;
      entry.about = remote.about;
      await this.#measureCeiling(entry, remote);
      return remote;
    } catch (error) {
      const { leftOut } = failure(error);
      if (leftOut === undefined) entry.failures++;
      else entry.leftOut = leftOut;
      throw error;
    }
  }

  /** The best of its measurements: a busy moment does not lower a ceiling. @param {{ ceiling: number | null }} entry @param {Remote} remote */
  async #measureCeiling(entry, remote) {
    const measured = await remote.call("ceiling", [], CEILING_SECONDS);
    if (measured !== null) entry.ceiling = Math.max(entry.ceiling ?? 0, measured);
  }

  /** Once more of all that are open. */
  async measureCeilings() {
    for (const entry of this.#entries.values()) {
      if (entry.remote?.alive()) await this.#measureCeiling(entry, entry.remote).catch(() => {}); // the first one stays
    }
  }

  /**
   * @param {Contender} contender @param {Task} task
   * @param {number} [place] - in the session, beside other tasks: see session.ts
   * @returns {Entrant & { kinds: (units: number) => Promise<KindTimes | undefined> }}
   */
  entrant(contender, task, place = 0) {
    const entry = this.#entry(contender);
    let sampleMilliseconds = 0;
    /** What the task is prepared in. @type {Remote | undefined} */
    let holder;
    /** @type {<Result>(work: () => Promise<Result>) => Promise<Result>} */
    const guarded = async (work) => {
      try {
        const result = await work();
        entry.failures = 0;
        return result;
      } catch (error) {
        if (entry.remote && !entry.remote.alive()) {
          entry.failures++;
          delete entry.remote;
        }
        throw error;
      }
    };
    const prepare = async () => {
      this.#refuseSlow(contender, task);
      const slow = this.#slow.get(`${keyOf(contender)} ${task.network}`);
      if (slow !== undefined && !holder) throw Object.assign(new Error(slow), { name: "NotOffered" });
      holder = await this.#remote(contender);
      const limit = task.network === undefined ? PREPARE_SECONDS : PREPARE_NETWORK_SECONDS;
      /** @type {Prepared} */
      const prepared = await holder.call("prepare", [limited(contender, task), place], limit).catch((error) => {
        const { leftOut, error: failed } = failure(error);
        if (task.network !== undefined && (leftOut !== undefined || failed?.startsWith("not done after"))) {
          this.#slow.set(`${keyOf(contender)} ${task.network}`, `of its other loss ${leftOut ?? failed}`);
        }
        throw error;
      });
      sampleMilliseconds = prepared.units * prepared.milliseconds;
      return prepared;
    };
    /** Another task may have taken the session with it. */
    const held = async () => {
      if (!holder?.alive()) await prepare();
      return /** @type {Remote} */ (holder);
    };
    const limitOf = (/** @type {number} */ count) => PATIENCE_SECONDS + (PATIENCE * count * sampleMilliseconds) / 1000;
    return {
      task,
      prepare: () => guarded(prepare),
      samples: (count) => guarded(async () => (await held()).call("samples", [count, place], limitOf(count))),
      kinds: (units) =>
        guarded(async () => (await (await held()).call("kinds", [units, place], limitOf(2 * units))) ?? undefined),
    };
  }

  /** Throws what leaves a task out when it would take too long, by the rate at another width. @param {Contender} contender @param {Task} task */
  #refuseSlow(contender, task) {
    if (task.network !== undefined) return; // no other says how fast it will be
    const seen = this.#rates.get(`${keyOf(contender)} ${task.workload}`);
    if (!seen) return;
    const seconds = flopsOfTask(task) / unitsOfTask(task) / seen.rate / 1e9;
    if (seconds * unitsToPrepare[task.workload] <= PREPARE_SECONDS) return;
    const unit = unitsOfTask(task) > 1 ? "an Euler step" : "a step";
    const message = `about ${seconds.toFixed(0)} s ${unit}, by the rate at width ${seen.width}`;
    throw Object.assign(new Error(message), { name: "NotOffered" });
  }

  /** @param {Contender} contender @param {Task} task @param {Row} row */
  learn(contender, task, { gflops }) {
    if (gflops !== null && task.network === undefined)
      this.#rates.set(`${keyOf(contender)} ${task.workload}`, { rate: gflops, width: task.width });
  }

  /** @param {Contender} contender */
  aboutOf(contender) {
    const { about, ceiling } = this.#entry(contender);
    return { version: about?.version ?? "", ceiling };
  }

  runtimes() {
    return [...new Set([...this.#entries.values()].flatMap(({ about }) => (about ? [about.runtime] : [])))];
  }

  devices() {
    return Object.fromEntries([...this.#entries].flatMap(([key, { about }]) => (about ? [[key, about.device]] : [])));
  }

  async close() {
    for (const { remote } of this.#entries.values()) if (remote?.alive()) await remote.close();
  }
}
