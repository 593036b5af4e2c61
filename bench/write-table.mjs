/**
 * `npm run bench:table [-- FILE...]`: writes the README's table and docs/speed.md, which has all, from results, later
 * files over earlier ones; default the newest file of bench/results/ by name that has steps of the MLP, and the newest
 * that has steps of networks.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, root } from "../.build/files.mjs";
import { peers } from "./peers/contenders.mjs";
import { mergeRows, readResult } from "./results.mjs";
import { insertTable, markdownReport, markdownTable } from "./table.mjs";

/** @import { Result } from "./results.mjs" */
/** @import { Row } from "./rows.mjs" */

const results = join(root, "bench", "results");
/** The README shows a small network and a large one, on given inputs; docs/speed.md shows all. */
const readmeWidths = [128, 512];

/** @param {Row} row */
const ofNetwork = ({ network }) => network !== undefined;

/** @param {readonly string[]} files - of results; default: see above. @throws Error where there are none. */
export async function writeTables(files) {
  const all = files.length > 0 ? [await merged(files)] : await everyResult();
  const mlp = all.findLast(({ rows }) => rows.some((row) => !ofNetwork(row)));
  const networks = all.findLast(({ rows }) => rows.some(ofNetwork));
  const result = mlp ?? networks;
  if (!result) throw new Error("There are no results yet: run `npm run bench` first.");
  if (mlp) {
    const chosen = mlp.rows.filter(({ width, workload }) => readmeWidths.includes(width) && !/-full$/.test(workload));
    const readme = await readFile(join(root, "README.md"), "utf8");
    await replaceFile("README.md", insertTable(readme, markdownTable({ machine: mlp.machine, rows: chosen }, peers)));
  }
  await replaceFile("docs/speed.md", markdownReport(result, peers, networks));
}

/** @param {readonly string[]} files @returns {Promise<Result>} */
async function merged(files) {
  /** @type {Result | undefined} */
  let whole;
  for (const file of files) {
    const result = await readResult(file);
    if (!result) throw new Error(`${file}: there is no such file.`);
    whole = { machine: result.machine, rows: mergeRows(whole?.rows ?? [], result.rows) };
  }
  return /** @type {Result} */ (whole);
}

/** Files of results that hold a bench, by name. @returns {Promise<Result[]>} */
async function everyResult() {
  const names = await readdir(results).catch(() => []);
  const read = await Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .sort()
      .map((name) => readResult(join(results, name))),
  );
  return read.flatMap((result) => (result && Array.isArray(result.rows) && result.machine ? [result] : []));
}

if (process.argv[1] === import.meta.filename) {
  try {
    await writeTables(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
