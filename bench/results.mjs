/**
 * Raw results: bench/results/<name>.json. A bench run in parts gathers them in one file, where a row measured anew takes
 * the place of the old one.
 * @import { Machine } from "./machine.mjs"
 * @import { Contender, Row } from "./rows.mjs"
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { keyOf } from "./rows.mjs";

/** @typedef {{ machine: Machine, rows: Row[] }} Result */

/** @param {Row} row */
function rowKey(row) {
  return [
    row.workload,
    row.shape,
    ...(row.network === undefined ? [] : [row.network]),
    row.width,
    row.batch,
    keyOf(/** @type {Contender} */ (/** @type {unknown} */ (row))),
  ].join(" ");
}

/** Old rows, and new ones in the place of those of the same task and contender. @param {readonly Row[]} old @param {readonly Row[]} rows */
export function mergeRows(old, rows) {
  const merged = new Map(old.map((row) => [rowKey(row), row]));
  for (const row of rows) merged.set(rowKey(row), row);
  return [...merged.values()];
}

/** @param {string} file @returns {Promise<Result | undefined>} undefined when there is no such file */
export async function readResult(file) {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Adds rows to a file of results, which is written whole or not at all. @param {string} file @param {Result} result */
export async function addToResult(file, { machine, rows }) {
  const old = await readResult(file);
  const runtimes = [...new Set([...(old?.machine.runtimes ?? []), ...machine.runtimes])];
  const devices = { ...old?.machine.devices, ...machine.devices };
  const merged = { machine: { ...machine, runtimes, devices }, rows: mergeRows(old?.rows ?? [], rows) };
  await mkdir(dirname(file), { recursive: true });
  const lines = merged.rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n"); // a row a line: differences show
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `{ "machine": ${JSON.stringify(merged.machine)},\n"rows": [\n${lines}\n] }\n`);
  await rename(temporary, file);
}
