/** Runs the built command as a shell would, each time in a process of its own with a time limit. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface RunOptions {
  /** Options for Node itself, before the script. */
  readonly node?: readonly string[];
  /** Called with everything on standard error so far; may signal the process. */
  readonly watch?: (errors: string, child: import("node:child_process").ChildProcess) => void;
  /** Closes standard output at once, as `| true` does. */
  readonly closeOutput?: boolean;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Cli {
  /** A folder for this file's runs, which goes afterwards. */
  readonly folder: string;
  /** The built command, for what `run` does not do. */
  readonly script: string;
  /** A path in it. */
  path(...names: string[]): string;
  run(parameters: readonly string[], options?: RunOptions): Promise<Ended>;
}

/** Builds the command into a folder of its own before the tests of a file. */
export function useCli(): Cli {
  const build = join(cache, `cli-${randomUUID()}`);
  const folder = join(build, "runs");
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(relative(root, build));
  });
  afterAll(() => rm(build, { recursive: true, force: true }));
  return {
    folder,
    script: join(build, "cli.js"),
    path: (...names) => join(folder, ...names),
    run: (parameters, options = {}) => runScript(join(build, "cli.js"), folder, parameters, options),
  };
}

function runScript(
  script: string,
  folder: string,
  parameters: readonly string[],
  { node = [], watch, closeOutput, environment }: RunOptions,
): Promise<Ended> {
  const child = spawn(process.execPath, [...node, script, ...parameters], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 100_000,
    killSignal: "SIGKILL",
  });
  let [output, errors] = ["", ""];
  if (closeOutput) child.stdout.destroy();
  else child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors += text;
    watch?.(errors, child);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output, errors }));
  });
}

/** Options of a run that takes a moment. */
export const tiny = ["--backend", "wasm", "--width", "8", "--layers", "2", "--batch", "16"] as const;
