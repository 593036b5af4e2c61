/** Sessions in processes of their own, Node or Deno, each with flags of its own. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * A session elsewhere. Methods reject with the session's own error, or when it does not answer in time; then nothing of
 * it is left.
 * @typedef {object} Remote
 * @property {{ version: string, device: string, runtime: string }} about
 * @property {(method: string, parameters: readonly unknown[], seconds: number) => Promise<any>} call
 * @property {() => boolean} alive
 * @property {() => Promise<void>} close
 */

/** Each child has a process group of its own, so that what it starts ends with it; Windows has none. */
const grouped = process.platform !== "win32";
/** Those that run. @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
let watching = false;

/** Ends a process and all that it started. @param {import("node:child_process").ChildProcess} child */
function end(child) {
  try {
    if (grouped && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {} // nothing of it runs
}

/** However this process ends, short of being killed, no child outlives it. */
function watch() {
  if (watching) return;
  watching = true;
  process.once("exit", () => {
    for (const child of running) end(child);
  });
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, () => process.exit(128 + number)); // a terminal's own signals do not reach other groups
  }
}

/** @param {{ name: string, message: string }} error */
export function errorOf({ name, message }) {
  return Object.assign(new Error(message), { name });
}

/**
 * @param {object} options
 * @param {string} options.command
 * @param {readonly string[]} options.parameters - before the script
 * @param {Record<string, string>} [options.environment]
 * @param {string} options.script - the path of child.mjs
 * @param {string} options.module - the URL of the module that exports `open`
 * @param {object} options.context
 * @param {number} options.seconds - to open within
 * @returns {Promise<Remote>}
 */
export async function openProcess({ command, parameters, environment = {}, script, module, context, seconds }) {
  const child = spawn(command, [...parameters, script, module, JSON.stringify(context)], {
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
    detached: grouped,
  });
  watch();
  running.add(child);
  let alive = true;
  let output = ""; // what else is printed, for the message should the process die
  /** @type {((message: { result?: unknown, error?: { name: string, message: string } }) => void) | undefined} */
  let receive;
  const keep = (/** @type {string} */ text) => {
    output = (output + text).slice(-2000);
  };
  const ended = new Promise((resolve) => {
    const ending = (/** @type {unknown} */ how) => {
      alive = false;
      running.delete(child);
      receive?.({ error: { name: "Error", message: `the process ended with ${how}. ${output.trim()}` } });
      resolve(undefined);
    };
    child.once("error", ending);
    child.once("exit", () => end(child)); // what it left behind, which may hold its output open
    child.once("close", (code, signal) => ending(signal ?? code));
  });
  child.stdin.on("error", () => {}); // its end says more
  child.stderr.setEncoding("utf8").on("data", keep);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("\u001e")) receive?.(JSON.parse(line.slice(1)));
    else keep(`${line}\n`);
  });

  const answer = (/** @type {number} */ limit) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        alive = false; // to who asks before it has ended
        end(child);
        reject(new Error(`not done after ${limit} s`));
      }, limit * 1000);
      receive = ({ result, error }) => {
        receive = undefined;
        clearTimeout(timer);
        if (error) reject(errorOf(error));
        else resolve(result);
      };
    });
  const about = await answer(seconds).catch(async (error) => {
    end(child);
    await ended;
    throw error;
  });
  return {
    about,
    alive: () => alive,
    call(method, given, limit) {
      if (!alive) return Promise.reject(new Error("the process has ended"));
      const result = answer(limit);
      child.stdin.write(`${JSON.stringify({ method, parameters: given })}\n`);
      return result;
    },
    async close() {
      child.stdin.end();
      const timer = setTimeout(() => end(child), 3000);
      await ended;
      clearTimeout(timer);
    },
  };
}
