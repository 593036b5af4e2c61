/** Nothing is overwritten by accident: what a command reads, and the folders of earlier runs, are kept unless --force. */
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ConfigError } from "../index.ts";

export const forceArgument = {
  type: "boolean",
  description: "overwrite what is there, also a run or the very file that is read",
} as const;

/** Refuses a target that is one of the files the command reads, by whatever path, link or hard link it is named. */
export async function refuseInputs(option: string, path: string, inputs: readonly string[]): Promise<void> {
  const target = await identityOf(path);
  if (target === undefined) return;
  for (const input of inputs) {
    if ((await identityOf(input)) !== target) continue;
    throw new ConfigError({
      subject: `${option} ${path}`,
      given: `the file that is read, ${input}`,
      expected: "another file",
      remedy: "Name another file; --force overwrites this one.",
    });
  }
}

/** Files that a run is made of, and models, whatever they are named. */
const ofRun = /^(config\.json|metrics\.jsonl)$|\.safetensors$/i;

/** Refuses a target that is a file of a run, or a model, by whatever path or link it is named. */
export async function refuseRunFile(option: string, path: string): Promise<void> {
  if ((await identityOf(path)) === undefined) return;
  const name = [await real(path), path].map((one) => basename(one)).find((one) => ofRun.test(one));
  if (name === undefined) return;
  throw new ConfigError({
    subject: `${option} ${path}`,
    given: name.toLowerCase().endsWith(".safetensors") ? "a model that is there" : `the ${name} of a run`,
    expected: "another file",
    remedy: "Name another file; --force overwrites this one.",
  });
}

/** Equal for two paths exactly when they lead to one file; undefined where there is none, or a device or pipe. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() ? `${found.dev} ${found.ino}` : undefined;
}

/** What makes a folder that of a run of `train` or `compare`: models, what is beside them alone can be had again. */
const traces = /^(model\.safetensors|report\.html|cfm|fdm|cfm-seconds|seed-\d+)$/;

/**
 * Refuses a folder that holds a run, but for the run that goes on there.
 *
 * @param resumed - the file of the run that goes on, if one does.
 */
export async function refuseRun(
  option: string,
  folder: string,
  { force, resume: resumed }: { readonly force?: boolean | undefined; readonly resume?: string | undefined },
): Promise<void> {
  if (force) return;
  const found = (await readdir(folder).catch(() => [])).filter((name) => traces.test(name)).sort();
  if (found.length === 0) return;
  if (resumed !== undefined && (await isInFolder(resumed, folder))) return;
  throw new ConfigError({
    subject: `${option} ${folder}`,
    given: `a folder that holds a run (${found.join(", ")})`,
    expected: "a folder without one",
    remedy: "Name another folder; --force overwrites the run that is there.",
  });
}

/** Whether a file lies in a folder, by whatever path or link either is named. */
export async function isInFolder(file: string, folder: string): Promise<boolean> {
  return dirname(await real(file)) === (await real(folder));
}

export const real = (path: string) => realpath(path).catch(() => path);
