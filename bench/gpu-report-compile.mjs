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
 * @property {number} latency
 * @property {number} inverseThroughput
 */
/** By family. @typedef {Record<string, Statistics>} Compiled */

const root = join(import.meta.dirname, "..");
const families = ["navi21", "gfx1100"];
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
  let count = 0;
  /** @param {Pick<Dispatch, "code" | "constants" | "kernel">} dispatch @returns {Promise<Compiled>} */
  return async (dispatch) => {
    const file = join(folder, `${count++}.wgsl`);
    await writeFile(file, resolved(dispatch));
    return Object.fromEntries(
      families.map((family) => {
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [tool, "--family", family, "--entry", dispatch.kernel, file],
          { cwd: root, encoding: "utf8", timeout: 120_000, env: { ...environment, RADV_FORCE_FAMILY: family } },
        );
        if (status !== 0) throw new Error(`${file} for ${family}: ${stderr || `status ${status}`}`);
        return [family, statisticsOf(JSON.parse(stdout.split("\n")[0] ?? ""))];
      }),
    );
  };
}

/** @param {Record<string, number>} given - a line of the tool's @returns {Statistics} */
function statisticsOf(given) {
  const { vgprs, spilledVgprs, ldsBytes, scratchBytes, subgroupsPerSimd, instructions, fma, fmaShare } = given;
  return /** @type {Statistics} */ ({
    ...{ registers: vgprs, spills: spilledVgprs, scratch: scratchBytes, workgroupMemory: ldsBytes },
    ...{ subgroupsPerSimd, instructions, fma, fmaShare },
    ...{ latency: given.latency, inverseThroughput: given.inverseThroughput },
  });
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
