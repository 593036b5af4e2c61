/** The folder of an experiment: what lies where, and arrays that are made once. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, type NpyArray, readNpy, writeNpy } from "../../index.ts";
import { makeFolder, readBytes } from "../files.ts";
import { jsonPieces } from "../json.ts";
import { replaceFile } from "../replace-file.ts";
import type { Values } from "./experiment.ts";

/** Files in the folder itself. */
export const [settingsFile, resultsFile, reportFile] = ["experiment.json", "results.json", "report.html"];

/** Of a job that is done: see jobs.ts. */
export const jobFile = "job.json";

/** Folders of seeds. */
export const seedFolder = /^seed-\d+$/;

export const placeOfData = (out: string, seed: number) => join(out, `seed-${seed}`, "data");
export const placeOfLoss = (out: string, seed: number, loss: string) => join(out, `seed-${seed}`, loss);

/** The array NAME.npy of a place: made and written if it is not there. */
export async function keptArray(place: string, name: string, make: () => Promise<Values> | Values): Promise<NpyArray> {
  const file = join(place, `${name}.npy`);
  if (!(await isThere(file))) {
    const { values, shape } = await make();
    await makeFolder("--out", place);
    await replaceFile(file, writeNpy(values, shape));
  }
  return readNpy(await readBytes(file), file);
}

/** The text NAME of a place: made and written if it is not there. */
export async function keptText(place: string, name: string, make: () => Promise<string> | string): Promise<string> {
  const file = join(place, name);
  if (!(await isThere(file))) {
    const text = await make();
    await makeFolder("--out", place);
    await replaceFile(file, text);
  }
  return readFile(file, "utf8");
}

/** @throws {@link ConfigError} where it was never kept. */
export async function foundArray(place: string, name: string): Promise<NpyArray> {
  const file = join(place, `${name}.npy`);
  return readNpy(await readBytes(file), file);
}

export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** JSON of a file; undefined where there is none. NaN is null there, and comes back so. */
export async function readJson<Content>(path: string): Promise<Content | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Content;
  } catch (cause) {
    const facts = { subject: path, given: "damaged JSON", expected: "what this command wrote" };
    throw new ConfigError({ ...facts, remedy: "Remove the file: what it says is computed again." }, { cause });
  }
}

export async function writeJson(path: string, content: unknown): Promise<void> {
  await replaceFile(path, jsonPieces(content, 2));
}
