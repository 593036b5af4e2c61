/**
 * What `divflow bench` runs, in the runtime that the command was started with: divflow alone. Argument: OwnOptions as
 * JSON, checked by the command. It stands in the package as dist/bench/own.js, beside its child and session.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { networkContenders, networkTasks, ownContenders, tasksOf } from "./contenders.mjs";
import { describeMachine } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { openProcess } from "./process.mjs";
import { profileTable } from "./profile-table.mjs";
import { relaxedFlags } from "./relaxed-flags.mjs";
import { textTable } from "./table.mjs";

/** @import { Selection } from "./contenders.mjs" */
/** @import { networkNames } from "./workload.mjs" */
/** @import { Contender } from "./rows.mjs" */

/**
 * @typedef {object} OwnOptions
 * @property {Selection} selection
 * @property {readonly typeof networkNames[number][]} [network] - steps of these in place of the MLP's
 * @property {number} seconds - to spend on the samples of a contender at a task
 * @property {boolean} json
 * @property {boolean} quiet - no progress
 * @property {boolean} profile - time each kernel call of one step instead
 */

const OPEN_SECONDS = 120;
const PROFILE_SECONDS = 600;
const runtime = "deno" in process.versions ? "deno" : "node";

/** @param {Contender} contender */
function open({ backend, threads, relaxed }) {
  const inDeno = ["run", "--allow-all", "--unstable-webgpu"];
  return openProcess({
    command: process.execPath,
    parameters: runtime === "deno" ? inDeno : relaxed ? relaxedFlags() : [],
    script: fileURLToPath(new URL("./child.js", import.meta.url)),
    module: new URL("./divflow.js", import.meta.url).href,
    context: { backend, threads, relaxed },
    seconds: OPEN_SECONDS,
  });
}

/** @param {string} line */
const say = (line) => void process.stderr.write(`${line}\n`);

/** @param {OwnOptions} options @returns {Promise<number>} the exit code */
async function bench({ selection, network, seconds, json, quiet }) {
  const contenders = network ? networkContenders(selection, [runtime]) : ownContenders(runtime, selection);
  const { rows, ...seen } = await measure({
    tasks: network ? networkTasks(selection.only, network) : tasksOf(selection),
    contenders,
    open,
    seconds,
    say: quiet ? () => {} : say,
  });
  const result = { machine: describeMachine(seen), rows };
  process.stdout.write(`${json ? JSON.stringify(result) : textTable(rows).join("\n")}\n`);
  return rows.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** A step of the first objective, width and way to run it that are selected. @param {OwnOptions} options @returns {Promise<number>} */
async function profile({ selection, json }) {
  const [contender] = ownContenders(runtime, selection);
  const [task] = tasksOf(selection);
  if (!contender || !task) throw new Error("nothing is selected");
  const loss = selection.only.includes("fdm") ? "fdm" : "cfm";
  const what = /** @type {const} */ ({ loss, layers: 4, activation: "silu", steps: 40 });
  const { width, batch } = task;
  const remote = await open(contender);
  try {
    const result = await remote.call("profile", [{ ...what, width, batch }], PROFILE_SECONDS);
    const lines = profileTable({ ...what, width, batch }, result, { brief: false });
    process.stdout.write(`${json ? JSON.stringify(result) : lines.join("\n")}\n`);
    return 0;
  } finally {
    await remote.close();
  }
}

process.stdout.on("error", () => process.exit(0)); // a reader that closes the pipe has what it wanted
try {
  const options = /** @type {OwnOptions} */ (JSON.parse(process.argv[2] ?? ""));
  process.exitCode = await (options.profile ? profile(options) : bench(options));
} catch (error) {
  say(`divflow: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
