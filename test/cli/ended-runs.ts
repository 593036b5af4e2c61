/** Runs that are ended when they have done some steps, and what is then in their folders. */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { factsIn } from "../../src/cli/model-facts.ts";
import { type Cli, type RunOptions, tiny } from "./run.ts";

export const small = [...tiny, "--threads", "1", "--preset", "paper"];
/** Trains until it is ended. */
export const endless = (out: string) => ["train", "moons", ...small, "--steps", "100000000", "--out", out];

/** Sends signals once, when what is said fits. */
export function once(
  words: RegExp,
  send: (child: Parameters<NonNullable<RunOptions["watch"]>>[1]) => void,
): RunOptions {
  let isSent = false;
  return {
    watch: (errors, child) => {
      if (isSent || !words.test(errors)) return;
      isSent = true;
      send(child);
    },
  };
}

/** Once there are steps of a run in this folder. */
export const soon = (cli: Cli, signal: NodeJS.Signals, out: string) =>
  once(/asked\.\n/, (child) => {
    const poll = setInterval(() => {
      const found = statSync(cli.path(out, "metrics.jsonl"), { throwIfNoEntry: false });
      if (child.exitCode === null && !found?.size) return;
      clearInterval(poll);
      setTimeout(() => child.kill(signal), 700); // beyond the first save
    }, 50);
  });

/** Options for a process that does something else first. */
export const patched = (script: string) => ["--import", `data:text/javascript,${encodeURIComponent(script)}`];

/**
 * Options of a Node whose disk is full for what is written whole.
 *
 * @param condition - JavaScript: whether it is full for this `content` of the file `path`; `existsSync` and `statSync` are there.
 */
export const withFullDisk = (condition: string) =>
  patched(`import fs from "node:fs/promises"; import { existsSync, statSync } from "node:fs";
    import { syncBuiltinESMExports } from "node:module"; const { open } = fs;
    fs.open = async (path, ...others) => {
      const handle = await open(path, ...others);
      const writeFile = handle.writeFile.bind(handle);
      handle.writeFile = async (content) => {
        if (!(${condition})) return writeFile(content);
        throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write" });
      };
      return handle;
    };
    syncBuiltinESMExports();`);

export async function stepsIn(cli: Cli, out: string): Promise<{ model: unknown; metrics: number[] }> {
  const model = factsIn(await readFile(cli.path(out, "model.safetensors")))?.["step"];
  const lines = (await readFile(cli.path(out, "metrics.jsonl"), "utf8")).split("\n").slice(0, -1);
  return { model, metrics: lines.map((line) => JSON.parse(line).step) };
}

export const upTo = (step: number) => Array.from({ length: step }, (_, i) => i + 1);
