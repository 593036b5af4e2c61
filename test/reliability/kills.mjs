/**
 * Small runs of `divflow train` on WASM, ended at random moments: by `kill -9`, SIGINT, SIGTERM, SIGHUP, or SIGINT twice. Each is
 * ended up to three times, going on each time, and then left to end. Right is a run
 * - whose folder can be read at any time: all files whole, metrics.jsonl each step up to the model's once, in order;
 * - which ends with 130 by a signal, where it was heard, and then says the step that the model and the last line of
 *   metrics.jsonl have;
 * - whose model.safetensors and metrics.jsonl are in the end, bit for bit, those of the run that nobody ended, and beside
 *   which no lock and no temporary file is left.
 */
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { campaign, isMain, Random } from "./shared.mjs";

/** @import { Verdict } from "./shared.mjs" */

const builtScript = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

const ends = /** @type {const} */ ([
  "SIGKILL",
  "SIGINT",
  "SIGKILL",
  "SIGTERM",
  "SIGKILL",
  "SIGHUP",
  "SIGKILL",
  "twice",
]);

/** What is trained on, for how many steps: points drawn fresh, and rows, some of which are held out for validations. */
const data = /** @type {const} */ ([
  { name: "moons", steps: 20_000, options: [] },
  { name: "rows.csv", steps: 5000, options: ["--no-early-stopping"] },
]);

/**
 * @typedef {object} Straight - a run that nobody ended
 * @property {Buffer} model
 * @property {string} metrics
 * @property {number} milliseconds
 * @property {number} training - milliseconds of them, as the command says
 */

/** @typedef {{ script: string, folder: string, straight: Map<string, Straight> }} Setting */

/** A folder for runs. @returns {Promise<Setting>} */
export async function openSetting(script = builtScript) {
  const folder = await mkdtemp(join(tmpdir(), "divflow-kills-"));
  const rows = Array.from({ length: 200 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)}`);
  await writeFile(join(folder, "rows.csv"), `${rows.join("\n")}\n`);
  return { script, folder, straight: new Map() };
}

/** @param {Setting} setting */
export const closeSetting = ({ folder }) => rm(folder, { recursive: true });

/** @param {Setting} setting @param {number} seed @returns {Promise<Verdict>} */
export async function tryKills(setting, seed) {
  const random = new Random(seed);
  const end = /** @type {(typeof ends)[number]} */ (ends[seed % ends.length]);
  const what = random.of(data);
  const { name } = what;
  const out = `run-${seed}`;
  /** @type {string[]} */
  const moments = [];
  try {
    const straight = setting.straight.get(name) ?? (await goStraight(setting, what));
    setting.straight.set(name, straight);
    const kills = 1 + random.integer(3);
    for (let kill = 0; kill < kills; kill++) {
      // Of the whole time, or of that in which there are steps: starting takes longer where others run too.
      const hasSteps = random.integer(3) > 0;
      const wait = random.uniform() * 1.1 * (hasSteps ? straight.training : straight.milliseconds);
      const second = random.uniform() * 700;
      const hasModel = (await stepIn(join(setting.folder, out))) !== undefined;
      const ended = await run(setting, parameters(what, out, hasModel), {
        end,
        wait,
        second,
        out: hasSteps ? out : undefined,
      });
      const step = await checkFolder(join(setting.folder, out), ended, end);
      moments.push(
        `${Math.round(wait)} ms${hasSteps ? " of training" : ""}: ${step === undefined ? "no model" : `step ${step}`}`,
      );
    }
    const hasModel = (await stepIn(join(setting.folder, out))) !== undefined;
    const last = await run(setting, parameters(what, out, hasModel));
    if (last.code !== 0) throw new Error(`the last run ended with ${last.code}: ${last.errors}`);
    const model = await readFile(join(setting.folder, out, "model.safetensors"));
    if (!model.equals(straight.model)) throw new Error("another model than the straight run's");
    if ((await readFile(join(setting.folder, out, "metrics.jsonl"), "utf8")) !== straight.metrics)
      throw new Error("other metrics than the straight run's");
    const left = (await readdir(join(setting.folder, out))).filter((file) => file.startsWith("."));
    if (left.length > 0) throw new Error(`left over: ${left.join(", ")}`);
    await rm(join(setting.folder, out), { recursive: true });
    return { kind: end, outcome: moments.some((moment) => /step [1-9]/.test(moment)) ? "went on" : "began anew" };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: end, outcome: "wrong", wrong: `${message} (${name}; ${moments.join(", ")})` };
  }
}

/** @param {(typeof data)[number]} what @param {string} out @param {boolean} goesOn */
function parameters({ name, steps, options }, out, goesOn) {
  const common = ["train", name, "--out", out, "--backend", "wasm", "--threads", "1", "--json"];
  if (goesOn) return [...common, "--resume", join(out, "model.safetensors")];
  const small = ["--width", "8", "--layers", "2", "--batch", "16", "--steps", String(steps)];
  return [...common, ...small, ...options];
}

/** @param {Setting} setting @param {(typeof data)[number]} what @returns {Promise<Straight>} */
async function goStraight(setting, what) {
  const started = performance.now();
  const out = `straight-${what.name}`;
  const { code, output, errors } = await run(setting, parameters(what, out, false));
  if (code !== 0) throw new Error(`a run that nobody ended ended with ${code}: ${errors}`);
  const milliseconds = performance.now() - started;
  const folder = join(setting.folder, out);
  const metrics = await readFile(join(folder, "metrics.jsonl"), "utf8");
  return {
    model: await readFile(join(folder, "model.safetensors")),
    metrics,
    milliseconds,
    training: 1000 * JSON.parse(output).seconds,
  };
}

/** @typedef {{ code: number | null, output: string, errors: string }} Ended */

/**
 * @param {Setting} setting
 * @param {readonly string[]} given
 * @param {{ end: (typeof ends)[number], wait: number, second: number, out: string | undefined }} [ending] - `out`: where steps are waited for
 * @returns {Promise<Ended>}
 */
function run({ script, folder }, given, ending) {
  const child = spawn(process.execPath, [script, ...given], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  /** @type {NodeJS.Timeout[]} */
  const timers = [];
  if (ending) {
    const { end, wait, second, out } = ending;
    const signal = end === "twice" ? "SIGINT" : end;
    const begin = () => {
      timers.push(setTimeout(() => child.kill(signal), wait));
      if (end === "twice") timers.push(setTimeout(() => child.kill("SIGINT"), wait + second));
    };
    if (out === undefined) begin();
    else {
      const file = join(folder, out, "metrics.jsonl");
      const sizeOf = () => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      const before = sizeOf();
      const poll = setInterval(() => {
        if (sizeOf() === before) return;
        clearInterval(poll);
        begin();
      }, 10);
      timers.push(poll);
    }
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ code, output, errors });
    });
  });
}

/** The step of a folder's model; undefined where there is none. @param {string} folder */
async function stepIn(folder) {
  const bytes = await readFile(join(folder, "model.safetensors")).catch(() => undefined);
  if (!bytes) return undefined;
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  const numbers = Object.values(header).flatMap(({ data_offsets: at }) => at ?? []);
  if (8 + length + Math.max(...numbers) !== bytes.length)
    throw new Error("a model file of another length than it says");
  return Number(JSON.parse(header.__metadata__.divflow).step);
}

/** The step of the folder's model, when all is as it should be. @param {string} folder @param {Ended} ended @param {string} end */
async function checkFolder(folder, { code, output, errors }, end) {
  const step = await stepIn(folder);
  const isOver = code === 0; // before the signal came
  if (end === "SIGKILL" && code !== null && !isOver) throw new Error(`ended with ${code}: ${errors}`);
  // Before and after a run a signal ends it as it ends any process, without an exit code or a word; and so does a second one
  // while it is ending.
  const isNodes = code === null && (!errors.includes("Stopping") || end === "twice");
  if (end !== "SIGKILL" && code !== 130 && !isOver && !isNodes) {
    throw new Error(`${end} ended it with ${code}: ${errors}`);
  }
  if (step === undefined) return undefined;
  JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
  const metrics = await readFile(join(folder, "metrics.jsonl"), "utf8").catch(() => "");
  const lines = metrics
    .slice(0, metrics.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1);
  const found = lines.map((line) => Number(JSON.parse(line).step)).filter((number) => number > 0);
  if (found.some((number, i) => number !== i + 1)) throw new Error("metrics.jsonl does not hold each step once");
  if (found.length < step) throw new Error(`metrics.jsonl ends at step ${found.length}, the model is of step ${step}`);
  if (output === "") return step;
  const said = JSON.parse(output).step;
  if (said !== step || found.length !== step) {
    throw new Error(`printed step ${said}, model of step ${step}, metrics up to ${found.length}`);
  }
  return step;
}

if (isMain(import.meta.url)) {
  const setting = await openSetting();
  try {
    await campaign("kills", 120, (seed) => tryKills(setting, seed));
  } finally {
    await closeSetting(setting);
  }
}
