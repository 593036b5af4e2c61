/** Which Python has PyTorch. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const SECONDS = 60;
const names = process.platform === "win32" ? ["python.exe", "python3.exe"] : ["python3", "python"];

/** @type {Promise<string | undefined> | undefined} */
let found;

/**
 * The command of the first Python that can import torch: that which PYTHON names, or one of the path's folders, all of
 * them in their order, for the first may be a version manager's and the system's behind it has the packages; undefined
 * where none can.
 */
export function pythonWithTorch() {
  found ??= search(process.env);
  return found;
}

/** @param {Readonly<Record<string, string | undefined>>} environment */
export function pythonCommands({ PYTHON, PATH = "" }) {
  const folders = PATH.split(delimiter).filter((folder) => folder !== "");
  const there = folders.flatMap((folder) => names.map((name) => join(folder, name))).filter(existsSync);
  return [...new Set([...(PYTHON ? [PYTHON] : []), ...there])];
}

/** @param {Readonly<Record<string, string | undefined>>} environment */
async function search(environment) {
  for (const command of pythonCommands(environment)) {
    try {
      await promisify(execFile)(command, ["-c", "import torch, numpy"], { timeout: 1000 * SECONDS });
      return command;
    } catch {} // the next may
  }
  return undefined;
}
