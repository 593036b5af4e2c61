/**
 * All tasks, on all contenders that take part in them.
 * @import { Contender, Outcome, Row } from "./rows.mjs"
 * @import { Entrant } from "./rounds.mjs"
 * @import { Remote } from "./process.mjs"
 * @import { Task } from "./session.ts"
 */
import { takesPart } from "./contenders.mjs";
import { failure, takeTurns } from "./rounds.mjs";
import { flopsOfTask, keyOf, makeRow, unitsOfTask, withCeiling } from "./rows.mjs";

/** To prepare a task within: building, evidence, warming up. What would take longer is left out, and says so. */
const PREPARE_SECONDS = 300;
const CEILING_SECONDS = 120;
/** Samples may take so many times what was expected of them. */
const PATIENCE = 8;
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

/**
 * @param {object} options
 * @param {readonly Task[]} options.tasks
 * @param {readonly Contender[]} options.contenders
 * @param {(contender: Contender) => Promise<Remote>} options.open
 * @param {number} options.seconds - to spend on the samples of a contender at a task
 * @param {(line: string) => void} options.say - progress
 * @param {(rows: Row[]) => Promise<void>} [options.keep] - called with the rows of each task, and at the end with all
 * @returns {Promise<{ rows: Row[], runtimes: string[], devices: Record<string, string> }>}
 */
export async function measure({ tasks, contenders, open, seconds, say, keep = async () => {} }) {
  const field = new Field(open, say);
  /** @type {{ contender: Contender, row: Row }[]} */
  const made = [];
  try {
    for (const [index, task] of tasks.entries()) {
      const here = contenders.filter((contender) => takesPart(contender, task));
      const entrants = here.map((contender) => field.entrant(contender));
      const outcomes = await takeTurns(task, entrants, { seconds });
      shareFlops(outcomes);
      const results = here.map((contender, i) => {
        const row = makeRow(task, contender, field.aboutOf(contender), /** @type {Outcome} */ (outcomes[i]));
        field.learn(contender, task, row);
        say(`${index + 1}/${tasks.length}  ${lineOf(row)}`);
        return { contender, row };
      });
      made.push(...results);
      await keep(results.map(({ row }) => row));
    }
    await field.measureCeilings();
  } finally {
    await field.close();
  }
  const rows = made.map(({ contender, row }) => withCeiling(row, field.aboutOf(contender).ceiling));
  await keep(rows);
  return { rows, runtimes: field.runtimes(), devices: field.devices() };
}

/** The work of a task is the same for all; divflow's session alone counts that of a network. @param {Outcome[]} outcomes */
function shareFlops(outcomes) {
  const known = outcomes.find(({ flops }) => flops !== undefined)?.flops;
  if (known !== undefined) for (const outcome of outcomes) outcome.flops = known;
}

/** @param {Row} row */
function lineOf({
  workload,
  network,
  shape,
  width,
  implementation,
  runtime,
  backend,
  threads,
  relaxed,
  ms,
  gflops,
  error,
  leftOut,
}) {
  const how =
    backend === "webgpu" ? "WebGPU" : `${backend === "cpu" ? "CPU" : "WASM"}${relaxed ? " relaxed" : ""} x${threads}`;
  const result =
    ms === null ? (error === undefined ? `left out: ${leftOut}` : `ERROR: ${error}`) : `${ms} ms, ${gflops} GFLOP/s`;
  return `${workload} ${network ?? shape ?? width}, ${implementation}, ${runtime}, ${how}: ${result}`;
}

/** The contenders' sessions: each opened when it is first needed, and again after it was lost. */
class Field {
  /** @type {Map<string, { remote?: Remote, ceiling: number | null, about?: Remote["about"], failures: number, leftOut?: string }>} */
  #entries = new Map();
  /** GFLOP/s seen of a contender at a workload, and the width. @type {Map<string, { rate: number, width: number }>} */
  #rates = new Map();
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

  /** @param {Contender} contender @returns {Entrant} */
  entrant(contender) {
    let sampleMilliseconds = 0;
    const guarded = async (/** @type {() => Promise<any>} */ work) => {
      try {
        return await work();
      } catch (error) {
        const { remote } = this.#entry(contender);
        if (remote && !remote.alive()) this.#entry(contender).failures++;
        throw error;
      }
    };
    return {
      prepare: (task) =>
        guarded(async () => {
          this.#refuseSlow(contender, task);
          const remote = await this.#remote(contender);
          const prepared = await remote.call("prepare", [task], PREPARE_SECONDS);
          sampleMilliseconds = prepared.units * prepared.milliseconds;
          return prepared;
        }),
      samples: (count) =>
        guarded(async () => {
          const remote = await this.#remote(contender);
          const limit = 60 + (PATIENCE * count * sampleMilliseconds) / 1000;
          return remote.call("samples", [count], limit);
        }),
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
