/**
 * All tasks, on all contenders that take part in them.
 * @import { Contender, Outcome, Row } from "./rows.mjs"
 * @import { Remote } from "./process.mjs"
 * @import { Task } from "./session.ts"
 */
import { takesPart } from "./contenders.mjs";
import { Field } from "./field.mjs";
import { takeTurns } from "./rounds.mjs";
import { makeRow, withCeiling } from "./rows.mjs";

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
    for (const group of groupsOf(tasks)) {
      const entries = contenders.flatMap((contender) =>
        group
          .filter((task) => takesPart(contender, task))
          .map((task, place) => ({ contender, task, entrant: field.entrant(contender, task, place) })),
      );
      const outcomes = await takeTurns(
        entries.map(({ entrant }) => entrant),
        { seconds },
      );
      shareFlops(entries, outcomes);
      const results = [];
      for (const [i, { contender, task, entrant }] of entries.entries()) {
        const outcome = /** @type {Outcome} */ (outcomes[i]);
        if (tellsKinds(contender, task, outcome))
          outcome.kinds = await entrant.kinds(kindUnits(outcome)).catch(() => undefined);
        const row = makeRow(task, contender, field.aboutOf(contender), outcome);
        field.learn(contender, task, row);
        say(`${tasks.indexOf(task) + 1}/${tasks.length}  ${lineOf(row)}`);
        results.push({ contender, row });
      }
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

/** Tasks that take turns with each other: both losses of a network, else each alone. @param {readonly Task[]} tasks @returns {Task[][]} */
function groupsOf(tasks) {
  /** @type {Task[][]} */
  const groups = [];
  for (const task of tasks) {
    const last = groups.at(-1);
    if (last && task.network !== undefined && last[0]?.network === task.network) last.push(task);
    else groups.push([task]);
  }
  return groups;
}

/**
 * The work of a network's step is the same for all; divflow's session alone counts it.
 * @param {readonly { task: Task }[]} entries @param {readonly Outcome[]} outcomes
 */
function shareFlops(entries, outcomes) {
  for (const { task } of entries) {
    if (task.network === undefined) continue;
    const same = outcomes.filter((_, i) => entries[i]?.task === task);
    const known = same.find(({ flops }) => flops !== undefined)?.flops;
    if (known !== undefined) for (const outcome of same) outcome.flops = known;
  }
}

/** Steps to tell kinds of kernels from: fewer where they take more than a second. @param {Outcome} outcome */
const kindUnits = ({ samples = [] }) => (Math.min(...samples) > 1000 ? 2 : 5);

/** @param {Contender} contender @param {Task} task @param {Outcome} outcome */
function tellsKinds({ implementation, backend }, { network, workload }, { error, leftOut }) {
  const measured = error === undefined && leftOut === undefined;
  return measured && implementation === "divflow" && backend === "wasm" && network !== undefined && workload === "fdm";
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
