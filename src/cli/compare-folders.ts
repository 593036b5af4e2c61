/** The folders of a comparison: one for each model, of several seeds one for each of these around them. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { contenders } from "./contenders.ts";
import { checkFolder } from "./files.ts";
import { LOCK } from "./folder-lock.ts";
import { removeLeftovers } from "./replace-file.ts";
import { namesOfRun } from "./run-folder.ts";

/** What compare itself writes into its folder, and into that of each seed and model. */
const [reportFiles, seedFiles, modelFiles] = [
  ["report.html", "densities.png"],
  ["test.npy", "test.csv"],
  ["samples.npy", "samples.csv"],
];

/** Where the models of a seed are. */
export function folderOf(out: string, seed: number, seedCount: number): string {
  return seedCount > 1 ? join(out, `seed-${seed}`) : out;
}

/** Refuses, before any work, folders that cannot be written to; and removes what killed processes left in them. */
export async function checkFolders(out: string, firstSeed: number, seedCount: number): Promise<void> {
  await checkFolder("--out", out, [...reportFiles, LOCK]);
  if (!(await stat(out).catch(() => undefined))) return;
  const files = reportFiles.map((name) => join(out, name));
  for (let i = 0; i < seedCount; i++) {
    const folder = folderOf(out, firstSeed + i, seedCount);
    await checkFolder("--out", folder, seedFiles);
    files.push(...seedFiles.map((name) => join(folder, name)));
    for (const name of contenders) {
      await checkFolder("--out", join(folder, name), [...namesOfRun, ...modelFiles]);
      files.push(...modelFiles.map((file) => join(folder, name, file)));
    }
  }
  for (const file of files) await removeLeftovers(file);
}
