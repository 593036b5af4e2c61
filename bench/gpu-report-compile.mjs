/**
 * Compiles shaders for GPUs that need not be there: the program that GPUSTAT names, and the driver that gives it their
 * features.
 * @import { Dispatch } from "../src/backends/webgpu/dispatch.ts"
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * @typedef {object} Statistics
 * @property {number} registers
 * @property {number} spills
 * @property {number} scratch - bytes
 * @property {number} workgroupMemory - bytes
 * @property {number} subgroupsPerSimd
 * @property {number} instructions
 * @property {number} fma
 * @property {number} fmaShare
 * @property {number} loopShare - of FMAs in the innermost loop that has most of them; 0 without a loop
 * @property {number} latency
 * @property {number} inverseThroughput
 */
/** By family. @typedef {Record<string, Statistics>} Compiled */

/** Bytes of assembly at most. */
const LISTING = 2 ** 27;

const root = join(import.meta.dirname, "..");
export const families = ["navi21", "gfx1100"];
/** Where Debian's mesa-vulkan-drivers say what RADV's library is. */
const radvManifest = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";

/** The path that GPUSTAT names; ends the process where there is nothing. */
export function toolPath() {
  const tool = process.env.GPUSTAT ?? "";
  if (existsSync(tool)) return tool;
  console.error(
    `GPUSTAT: got ${tool ? `"${tool}"` : "nothing"}, expected the path of the program that compiles WGSL for a GPU ` +
      "and prints its statistics. Set it in the environment.",
  );
  process.exit(2);
}

/**
 * A compiler whose files lie in `folder`.
 * @param {string} tool
 * @param {string} folder
 */
export async function openCompiler(tool, folder) {
  const environment = await quietDriver(folder);
  /** By text and entry: shapes and steps share shaders. @type {Map<string, Compiled>} */
  const done = new Map();
  /** @param {Pick<Dispatch, "code" | "constants" | "kernel">} dispatch @returns {Promise<Compiled>} */
  return async (dispatch) => {
    const text = resolved(dispatch);
    const key = `${dispatch.kernel}\n${text}`;
    const before = done.get(key);
    if (before) return before;
    const file = join(folder, `${done.size}.wgsl`);
    await writeFile(file, text);
    const compiled = Object.fromEntries(
      families.map((family) => {
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [tool, "--asm", "--family", family, "--entry", dispatch.kernel, file],
          {
            cwd: root,
            encoding: "utf8",
            timeout: 120_000,
            maxBuffer: LISTING,
            env: { ...environment, RADV_FORCE_FAMILY: family },
          },
        );
        if (status !== 0) throw new Error(`${file} for ${family}: ${stderr || `status ${status}`}`);
        const [line = "", ...listing] = stdout.split("\n");
        return [family, { ...statisticsOf(JSON.parse(line)), loopShare: loopShareOf(listing) }];
      }),
    );
    done.set(key, compiled);
    return compiled;
  };
}

/** @param {Record<string, number>} given - a line of the tool's @returns {Omit<Statistics, "loopShare">} */
function statisticsOf(given) {
  const { vgprs, spilledVgprs, ldsBytes, scratchBytes, subgroupsPerSimd, instructions, fma, fmaShare } = given;
  return /** @type {Omit<Statistics, "loopShare">} */ ({
    ...{ registers: vgprs, spills: spilledVgprs, scratch: scratchBytes, workgroupMemory: ldsBytes },
    ...{ subgroupsPerSimd, instructions, fma, fmaShare },
    ...{ latency: given.latency, inverseThroughput: given.inverseThroughput },
  });
}

/**
 * The share of fused multiply-adds among the instructions of the loop that has most of them and none within: what a long
 * product does, whatever stands in front and behind once.
 * @param {readonly string[]} listing - the assembly, with labels
 */
function loopShareOf(listing) {
  /** @type {string[]} */
  const instructions = [];
  /** @type {Map<string, number>} */
  const labels = new Map();
  /** @type {number[]} */
  const starts = []; // of loops
  let best = { count: 0, length: 1 };
  for (const line of listing) {
    const label = /^(BB\d+):/.exec(line)?.[1];
    if (label) labels.set(label, instructions.length);
    if (!/^\s+[a-z]/.test(line)) continue;
    instructions.push(line.trim());
    const start = labels.get(/^\s+s_c?branch\S*\s+(BB\d+)/.exec(line)?.[1] ?? "");
    if (start === undefined) continue; // forwards: no loop
    const isOuter = starts.some((inner) => inner >= start);
    starts.push(start);
    if (isOuter) continue;
    const count = instructions.slice(start).filter((each) => /^v_(dual_)?(pk_)?fma/.test(each)).length;
    const length = instructions.length - start;
    if (count > best.count) best = { count, length };
  }
  return Number((best.count / best.length).toFixed(3));
}

/** Whether a shader spills or uses scratch. @param {{ compiled: Compiled }} row */
export function overflows({ compiled }) {
  return Object.values(compiled).some(({ spills, scratch }) => spills > 0 || scratch > 0);
}

/**
 * The environment in which the tool's WebGPU finds the GPU that is not there (gpu-report-driver.c): it turns WGSL into
 * SPIR-V for that GPU's features. For the compiler proper the tool names its own driver.
 * @param {string} folder
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function quietDriver(folder) {
  const library = join(folder, "driver.so");
  const source = join(import.meta.dirname, "gpu-report-driver.c");
  const { status, stderr } = spawnSync("gcc", ["-O1", "-shared", "-fPIC", "-o", library, source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`gcc: ${stderr || `status ${status}`}`);
  const { ICD: radv } = JSON.parse(await readFile(radvManifest, "utf8"));
  const manifest = join(folder, "driver.json");
  await writeFile(manifest, JSON.stringify({ file_format_version: "1.0.0", ICD: { ...radv, library_path: library } }));
  return { ...process.env, VK_ICD_FILENAMES: manifest, QUIETED_DRIVER: radv.library_path };
}

/** The shader with its overridable constants fixed. @param {Pick<Dispatch, "code" | "constants">} dispatch */
function resolved({ code, constants }) {
  return code.replace(/^override (\w+)(?::\w+)?=(.*);$/gm, (_, name, fallback) => {
    const value = constants[name];
    if (value === undefined) return `const ${name}=${fallback};`;
    return `const ${name}=${/^(true|false)$/.test(fallback) ? value !== 0 : `${value}u`};`;
  });
}
