/** `npm run bench`: divflow and its peers, side by side; see arguments.mjs for what it takes, README.md for what it means. */
import { execFile, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cache, root } from "../.build/files.mjs";
import { generate } from "../.build/generate.mjs";
import { parseOptions, usage } from "./arguments.mjs";
import { checkoutContenders, networkContenders, networkTasks, tasksOf } from "./contenders.mjs";
import { describeMachine } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { peerContenders, peers as peerTitles } from "./peers/contenders.mjs";
import { pythonWithTorch } from "./python.mjs";
import { addToResult } from "./results.mjs";
import { bundleSessions, opener, peersInstalled } from "./sessions.mjs";
import { textTable, torchTitle } from "./table.mjs";

/** @import { Options } from "./arguments.mjs" */
/** @import { Contender, Row } from "./rows.mjs" */

/** @param {string} line */
const say = (line) => void process.stderr.write(`${line}\n`);

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(usage);
  else {
    await generate();
    process.exitCode = options.profile ? await profile(options) : await bench(options);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

/** @param {Options} options @returns {Promise<number>} the exit code: 1 when a row of divflow's is an error */
async function bench({ selection, runtime, peers, seconds, name, json, table, networks, network }) {
  const everywhere = /** @type {const} */ (["node", "deno", "chromium"]);
  const here = /** @type {readonly string[]} */ ([...(runtime ?? everywhere), "python"]);
  const others = networks ? await torchContenders(selection) : peerContenders(peers, selection);
  const own = networks ? networkContenders(selection, runtime) : checkoutContenders(selection);
  const contenders = [...own, ...others].filter((contender) => here.includes(contender.runtime));
  if (!networks && others.length > 0 && !peersInstalled()) await installPeers();
  const folder = join(cache, `bench-${process.pid}`);
  const file = join(root, "bench", "results", `${name}.json`);
  const started = { runtimes: [], devices: {} };
  try {
    const names = new Set(contenders.map(({ implementation }) => implementation).filter((each) => each !== "torch"));
    await bundleSessions([...names], folder);
    const { rows, ...seen } = await measure({
      tasks: networks ? networkTasks(selection.only, network) : tasksOf(selection),
      contenders,
      open: opener(folder),
      seconds,
      say,
      keep: (measured) => addToResult(file, { machine: describeMachine(started), rows: measured }),
    });
    const machine = describeMachine(seen);
    await addToResult(file, { machine, rows });
    console.log(
      json ? JSON.stringify({ machine, rows }) : textTable(rows, networks ? torchTitle : peerTitles).join("\n"),
    );
    say(`Results: ${file}`);
    if (table) await (await import("./write-table.mjs")).writeTables([]);
    return rows.some(isOwnError) ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** PyTorch where it is there: with as many threads as divflow's WASM has at most. @param {Options["selection"]} selection @returns {Promise<Contender[]>} */
async function torchContenders({ threads, backend }) {
  if (!backend.includes("wasm")) return [];
  if ((await pythonWithTorch()) === undefined) {
    say("No Python of the path has torch, nor that of the variable PYTHON: divflow alone is measured.");
    return [];
  }
  const how = /** @type {const} */ ({ implementation: "torch", runtime: "python", backend: "cpu", relaxed: null });
  return [{ ...how, threads: Math.max(...threads) }];
}

/** @param {Row} row */
function isOwnError({ implementation, error }) {
  return implementation === "divflow" && error !== undefined;
}

async function installPeers() {
  say("Installing the peers in bench/peers/ ...");
  const windows = process.platform === "win32"; // npm is a script there
  await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: join(root, "bench", "peers"),
    shell: windows,
    timeout: 600_000,
  });
}

/** @param {Options} options @returns {Promise<number>} the exit code */
async function profile({ selection: { only, width, simd } }) {
  const loss = only.includes("fdm") ? "fdm" : "cfm";
  const [first] = width.includes(128) ? [128] : width;
  const parameters = ["--loss", loss, "--width", String(first), ...(simd.includes("relaxed") ? ["--relaxed"] : [])];
  const { relaxedFlags } = await import("./relaxed-flags.mjs");
  const flags = simd.includes("relaxed") ? relaxedFlags() : [];
  const child = spawn(process.execPath, [...flags, join(root, "bench", "profile.mjs"), ...parameters], {
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
