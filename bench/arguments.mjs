/**
 * The bench's command line.
 * @import { Selection } from "./contenders.mjs"
 * @import { Peer } from "./peers/contenders.mjs"
 */
import { parseArgs } from "node:util";
import { everything, parts } from "./contenders.mjs";
import { peerNames } from "./peers/contenders.mjs";
import { networkNames, widths } from "./workload.mjs";

export const usage = `npm run bench -- [options]

divflow and its peers side by side on this machine. Whole it takes more than an hour: options cut it into parts, which
gather in one file of results.

  --only LIST      of ${parts.join(", ")}; default all
  --width LIST     of ${widths.join(", ")}; default all
  --backend LIST   of wasm, webgpu; default both
  --threads LIST   of 1, 2 (WASM); default both
  --simd LIST      of plain, relaxed (divflow's WASM); default both
  --runtime LIST   of node, deno, chromium; default all, of --networks node
  --peers LIST     of ${peerNames.join(", ")}, or none; default all
  --networks       steps of convolutional networks and transformers instead, beside PyTorch where a Python of the
                   path has it, or that which the variable PYTHON names
  --network LIST   of these: ${networkNames.slice(0, 4).join(", ")},
                   ${networkNames.slice(4).join(", ")}; default all
  --seconds N      to spend on the samples of a contender at a task; default 2
  --name NAME      results go to bench/results/NAME.json, with what is there; default the date
  --table          write docs/speed.md and the README's table from bench/results/ at the end
  --json           print { machine, rows } and nothing else on standard output
  --profile        milliseconds of each kernel call of one WASM step instead (--only cfm or fdm, --width, --simd)`;

/**
 * @typedef {object} Options
 * @property {Selection} selection
 * @property {readonly ("node" | "deno" | "chromium")[] | undefined} runtime - undefined: as what is measured has them
 * @property {readonly Peer[]} peers
 * @property {number} seconds
 * @property {string} name
 * @property {boolean} json
 * @property {boolean} table
 * @property {boolean} profile
 * @property {boolean} networks
 * @property {readonly typeof networkNames[number][]} network
 * @property {boolean} help
 */

const runtimes = /** @type {const} */ (["node", "deno", "chromium"]);

/**
 * @param {readonly string[]} given
 * @returns {Options}
 * @throws Error that says which option is wrong.
 */
export function parseOptions(given) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean", default: false });
  const { values } = parseArgs({
    args: [...given],
    options: {
      ...{ only: text, width: text, backend: text, threads: text, simd: text, runtime: text, peers: text },
      ...{
        seconds: text,
        name: text,
        json: flag,
        profile: flag,
        table: flag,
        help: flag,
        networks: flag,
        network: text,
      },
    },
  });
  const seconds = Number(values.seconds ?? "2");
  if (!(seconds > 0)) throw new Error(`--seconds: got "${values.seconds}", expected a positive number.`);
  const name = values.name ?? new Date().toISOString().slice(0, 10);
  if (!/^[\w.-]+$/.test(name)) throw new Error(`--name: got "${name}", expected letters, digits, dots and dashes.`);
  return {
    selection: {
      only: listOf("--only", values.only, everything.only),
      width: listOf("--width", values.width, everything.width),
      backend: listOf("--backend", values.backend, everything.backend),
      threads: listOf("--threads", values.threads, everything.threads),
      simd: listOf("--simd", values.simd, everything.simd),
    },
    runtime: values.runtime === undefined ? undefined : listOf("--runtime", values.runtime, runtimes),
    peers: values.peers === "none" ? [] : listOf("--peers", values.peers, peerNames),
    seconds,
    name,
    json: values.json,
    profile: values.profile,
    table: values.table,
    networks: values.networks || values.network !== undefined,
    network: listOf("--network", values.network, networkNames),
    help: values.help,
  };
}

/**
 * The choices that a comma-separated list names, in their own order; all when there is none.
 * @template {string | number} Choice
 * @param {string} option
 * @param {string | undefined} list
 * @param {readonly Choice[]} choices
 * @returns {Choice[]}
 */
function listOf(option, list, choices) {
  if (list === undefined) return [...choices];
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !choices.some((choice) => String(choice) === name));
  if (unknown !== undefined)
    throw new Error(`${option}: got "${unknown}", expected names out of ${choices.join(", ")}.`);
  return choices.filter((choice) => names.includes(String(choice)));
}
