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
  });
  let alive = true;
  let output = ""; // what else is printed, for the message should the process die
  /** @type {((message: { result?: unknown, error?: { name: string, message: string } }) => void) | undefined} */
  let receive;
  const keep = (/** @type {string} */ text) => {
    output = (output + text).slice(-2000);
  };
  const ended = new Promise((resolve) => {
    const end = (/** @type {unknown} */ how) => {
      alive = false;
      receive?.({ error: { name: "Error", message: `the process ended with ${how}. ${output.trim()}` } });
      resolve(undefined);
    };
    child.once("error", end);
    child.once("close", (code, signal) => end(signal ?? code));
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
        child.kill("SIGKILL");
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
    child.kill("SIGKILL");
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
      const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
      await ended;
      clearTimeout(timer);
    },
  };
}
