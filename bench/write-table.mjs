/**
 * `npm run bench:table [-- FILE...]`: writes the README's table and docs/speed.md, which has all, from results, later
 * files over earlier ones; default the newest file of bench/results/ by name that holds a bench.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, root } from "../.build/files.mjs";
import { peers } from "./peers/contenders.mjs";
import { mergeRows, readResult } from "./results.mjs";
import { insertTable, markdownReport, markdownTable } from "./table.mjs";

/** @import { Result } from "./results.mjs" */

const results = join(root, "bench", "results");
/** The README shows a small network and a large one, on given inputs; docs/speed.md shows all. */
const readmeWidths = [128, 512];

try {
  const given = process.argv.slice(2);
  const files = given.length > 0 ? given : await newest();
  /** @type {Result | undefined} */
  let merged;
  for (const file of files) {
    const result = await readResult(file);
    if (!result) throw new Error(`${file}: there is no such file.`);
    merged = { machine: result.machine, rows: mergeRows(merged?.rows ?? [], result.rows) };
  }
  if (!merged) throw new Error("There are no results yet: run `npm run bench` first.");
  const { machine, rows } = merged;
  const chosen = rows.filter(({ width, workload }) => readmeWidths.includes(width) && !/-full$/.test(workload));
  const readme = await readFile(join(root, "README.md"), "utf8");
  await replaceFile("README.md", insertTable(readme, markdownTable({ machine, rows: chosen }, peers)));
  await replaceFile("docs/speed.md", markdownReport(merged, peers));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function newest() {
  const names = await readdir(results).catch(() => []);
  for (const name of names
    .filter((each) => each.endsWith(".json"))
    .sort()
    .reverse()) {
    const file = join(results, name);
    const result = await readResult(file);
    if (Array.isArray(result?.rows) && result.machine) return [file];
  }
  return [];
}
