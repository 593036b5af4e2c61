/** What the campaigns of this folder share: seeded random numbers, counting, the line at the end and the file of results. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * The built package, as a user has it.
 * @returns {Promise<typeof import("../../src/index.ts")>}
 */
export function built() {
  return import(new URL("../../dist/index.js", import.meta.url).href);
}

/**
 * Its entry of networks and of parts of a user's own.
 * @returns {Promise<typeof import("../../src/networks.ts")>}
 */
export function builtNetworks() {
  return import(new URL("../../dist/networks.js", import.meta.url).href);
}

export { Random } from "./random.mjs";

/** Whether a script was called by its name, not imported. @param {string} url - its import.meta.url. */
export function isMain(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href;
}

/**
 * What came of a case: of which kind it was, how it ended, and what is wrong with that; nothing where it is right.
 * @typedef {{ readonly kind: string, readonly outcome: string, readonly wrong?: string }} Verdict
 */

/** What `--seed` (the first) and `--count` say. @param {number} usual - cases, unless told otherwise. */
export function seeds(usual) {
  const options = /** @type {const} */ ({ count: { type: "string" }, seed: { type: "string" } });
  const { values } = parseArgs({ options, strict: false });
  return { first: Number(values.seed ?? 1), count: Number(values.count ?? usual) };
}

/**
 * Tries seed, seed + 1, ... and says what came of it: `--count` (how many), `--seed` (the first). Each wrong case prints
 * its seed; alone it runs again by `--seed THAT --count 1`.
 * @param {string} name - of the script and of the file in bench/results/reliability/.
 * @param {number} usual - cases, unless told otherwise.
 * @param {(seed: number) => Promise<Verdict>} tryOne
 */
export async function campaign(name, usual, tryOne) {
  const { first, count } = seeds(usual);
  /** @type {Record<string, Record<string, number>>} */
  const details = {};
  let wrong = 0;
  for (let seed = first; seed < first + count; seed++) {
    const verdict = await tryOne(seed);
    const outcomes = details[verdict.kind] ?? {};
    details[verdict.kind] = outcomes;
    outcomes[verdict.outcome] = (outcomes[verdict.outcome] ?? 0) + 1;
    if (verdict.wrong === undefined) continue;
    wrong++;
    console.log(`seed ${seed} (${verdict.kind}): ${verdict.wrong}`);
  }
  await conclude(name, { tried: count, wrong, details });
}

/**
 * A campaign's file of results, its last line and its exit code.
 * @param {string} name
 * @param {{ readonly tried: number, readonly wrong: number, readonly details: object }} result
 */
export async function conclude(name, { tried, wrong, details }) {
  const right = tried - wrong;
  const date = new Date().toISOString().slice(0, 10);
  const platform = `Node ${process.version}, ${process.platform} ${process.arch}`;
  const folder = join(root, "bench", "results", "reliability");
  await mkdir(folder, { recursive: true });
  const result = { name, date, platform, tried, right, wrong, details };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  console.log(`${name}: ${tried} tried, ${right} right, ${wrong} wrong`);
  process.exitCode = wrong > 0 ? 1 : 0;
}

/** A message is short, and nothing in it moves a terminal's cursor, hides or turns text around. @param {unknown} error */
export function faultOfMessage(error) {
  const message = error instanceof Error ? error.message : String(error);
  if (message.length > 1100) return `a message of ${message.length} characters: ${message.slice(0, 100)}`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(message))
    return `a message that is not escaped: ${JSON.stringify(message)}`;
  return undefined;
}
