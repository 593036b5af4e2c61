/** What a folder of an experiment is of: kept in it, so that no other run goes on there. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, VERSION } from "../../index.ts";
import type { Plan } from "./conduct.ts";
import type { PresetName, Settings } from "./experiment.ts";
import { jobFile, readJson, reportFile, resultsFile, seedFolder, settingsFile, writeJson } from "./places.ts";

export interface Begun {
  readonly experiment: string;
  readonly input: string;
  readonly settings: Settings;
  readonly backend: string;
}

/** Writes what the folder is of; refuses one that is of something else, unless it is to begin anew. */
export async function takeFolder(
  { experiment: { name }, preset, settings, input, out }: Plan,
  backend: string,
  anew: boolean,
): Promise<void> {
  const own: Begun = { experiment: name, input, settings, backend };
  const file = join(out, settingsFile);
  const found = await readJson<Begun>(file);
  const other = found && differing(found, own);
  if (other !== undefined && !anew) {
    throw new ConfigError({
      subject: `--out ${out}`,
      given: `a folder of another run, ${other}`,
      expected: "a folder of equal experiment, data, settings and backend, or a new one",
      remedy: "Name another folder; --force begins anew in this one, and what is there is lost.",
    });
  }
  if (anew) {
    const written = [resultsFile, reportFile, jobFile];
    const left = (await readdir(out)).filter((one) => seedFolder.test(one) || written.includes(one));
    for (const one of left) await rm(join(out, one), { recursive: true });
  }
  if (!found || anew) await writeJson(file, { divflow: VERSION, ...own, preset: preset satisfies PresetName });
}

/** The first thing in which two runs differ, in words. */
export function differing(found: Begun, own: Begun): string | undefined {
  for (const key of ["experiment", "input", "backend"] as const) {
    if (found[key] !== own[key]) return `whose ${key} is ${found[key]}, not ${own[key]}`;
  }
  const names = [...new Set([...Object.keys(found.settings), ...Object.keys(own.settings)])];
  const name = names.find((one) => !isDeepStrictEqual(found.settings[one], own.settings[one]));
  if (name === undefined) return undefined;
  const [before, now] = [found.settings[name], own.settings[name]].map((value) => String(value ?? "not set"));
  return `whose ${name} is ${before}, not ${now}`;
}
