/**
 * `node test/reliability/losses.mjs [--platform node|deno|chromium] [--count N] [--seed S]`: runtimes whose GPU devices are
 * destroyed at random, one to three in a row, in the middle of every call and between calls, with an adapter that comes at
 * once or is refused at first. Right is a case in which each call gives, bit for bit, what it gives undisturbed at the step
 * that the trainer says, or a DeviceLostError; and steps are told once, in order, and never go back.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cache } from "../../.build/files.mjs";
import { bundleChecks } from "../../.build/platforms/bundle-checks.mjs";
import { runModule } from "../../.build/platforms/run.mjs";
import { campaign, seeds } from "./shared.mjs";

/** @import { Tried } from "./loss-cases.ts" */

const platforms = /** @type {const} */ ({ node: "node-webgpu", deno: "deno-webgpu", chromium: "chromium-webgpu" });

/** Cases in one process or page: what hangs or dies takes no more along. */
const AT_ONCE = 25;
const SECONDS_EACH = 60;

const { values } = parseArgs({ options: { platform: { type: "string", default: "node" } }, strict: false });
const name = /** @type {keyof typeof platforms} */ (values.platform);
if (!(name in platforms)) throw new RangeError(`--platform: got ${name}, expected one of ${Object.keys(platforms)}.`);
const platform = platforms[name];
const usual = name === "node" ? 300 : 100;
const { first, count } = seeds(usual);

const folder = join(cache, `losses-${randomUUID()}`);
/** @type {Map<number, Tried>} */
const tried = new Map();
try {
  const file = await bundleChecks(folder, fileURLToPath(new URL("./loss-cases.ts", import.meta.url)));
  await campaign(`losses-${name}`, usual, async (seed) => {
    if (!tried.has(seed)) await run(file, seed, Math.min(AT_ONCE, first + count - seed));
    return tried.get(seed) ?? { kind: "wrong", outcome: "wrong", wrong: "no answer" };
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * @param {string} file
 * @param {number} seed - of the first.
 * @param {number} cases
 */
async function run(file, seed, cases) {
  try {
    const report = (/** @type {Tried} */ one) => tried.set(one.seed, one);
    await runModule({ platform, file, input: { first: seed, count: cases }, seconds: SECONDS_EACH * cases, report });
  } catch (error) {
    const next = Array.from({ length: cases }, (_, i) => seed + i).find((one) => !tried.has(one)) ?? seed;
    tried.set(next, { seed: next, kind: "wrong", outcome: "wrong", wrong: String(error) });
  }
}
