/**
 * What a real GPU's compiler makes of each WebGPU kernel, with no GPU: registers, spills, scratch, workgroup memory,
 * resident subgroups, share of fused multiply-adds; beside it how many FLOPs a byte from global memory serves.
 *
 *   GPUSTAT=path/to/gpustat.mjs npm run gpu-report [-- --only NAME]
 *
 * GPUSTAT names a program that takes `--family F --entry NAME FILE.wgsl` and prints a line of JSON. Writes
 * bench/results/gpu-report.md and .json; `--only` prints those kernels whose name contains NAME and writes nothing.
 * For developers: it runs src/, not the package. Status 1 when a kernel that GPUs run spills or uses scratch.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { softwareAdapter, softwareAdapterExists } from "../.build/platforms/software-adapter.mjs";

/** @typedef {import("./gpu-report-kernels.ts").ReportedKernel} ReportedKernel */
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
/** @typedef {ReturnType<typeof rowOf>} Row */

const root = join(import.meta.dirname, "..");
const families = ["navi21", "gfx1100"];

/**
 * Peak f32 rate, memory bandwidth and the workgroups that keep it busy: an integrated GPU of 12 compute units at
 * 2.7 GHz with LPDDR5 at 100 GB/s; a card of 80 at 2.25 GHz with GDDR6 at 512 GB/s.
 */
const devices = [
  { name: "a laptop GPU", gflops: 4100, gigabytes: 100, workgroups: 48 },
  { name: "a large one", gflops: 23_000, gigabytes: 512, workgroups: 320 },
];

const { values: options } = parseArgs({ options: { only: { type: "string" } } });
const tool = process.env.GPUSTAT ?? "";
if (!existsSync(tool)) {
  console.error(
    `GPUSTAT: got ${tool ? `"${tool}"` : "nothing"}, expected the path of the program that compiles WGSL for a GPU ` +
      "and prints its statistics. Set it in the environment.",
  );
  process.exit(2);
}

// The tool turns WGSL into SPIR-V on a software adapter, and then names another driver by this variable only.
const { VK_ICD_FILENAMES, LD_LIBRARY_PATH } = softwareAdapterExists ? (await softwareAdapter()).vulkan : process.env;
const environment = { ...process.env, VK_ICD_FILENAMES, LD_LIBRARY_PATH };
const folder = await mkdtemp(join(tmpdir(), "divflow-gpu-report-"));
try {
  const all = (await kernels()).filter(({ name }) => name.includes(options.only ?? ""));
  /** @type {Row[]} */
  const rows = [];
  for (const kernel of all) {
    const row = rowOf(kernel, await compiled(kernel));
    rows.push(row);
    console.log(line(row));
  }
  for (const { name, software, compiled } of rows) {
    if (software || !families.some((family) => compiled[family]?.spills || compiled[family]?.scratch)) continue;
    console.error(`${name} spills or uses scratch.`);
    process.exitCode = 1;
  }
  if (!options.only) {
    const results = join(root, "bench", "results");
    await mkdir(results, { recursive: true });
    await writeFile(join(results, "gpu-report.json"), `${JSON.stringify(rows, null, 2)}\n`);
    await writeFile(join(results, "gpu-report.md"), markdown(rows));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @returns {Promise<ReportedKernel[]>} */
async function kernels() {
  const outfile = join(folder, "kernels.mjs");
  const entry = join(root, "bench", "gpu-report-kernels.ts");
  await build({ entryPoints: [entry], outfile, bundle: true, format: "esm", platform: "node", logLevel: "silent" });
  return (await import(pathToFileURL(outfile).href)).kernelsToReport();
}

/** The statistics by family. @param {ReportedKernel} kernel @returns {Promise<Record<string, Statistics>>} */
async function compiled({ name, dispatch }) {
  const file = join(folder, `${name.replace(/\W+/g, "-")}.wgsl`);
  await writeFile(file, resolved(dispatch));
  /** @type {Record<string, Statistics>} */
  const statistics = {};
  for (const family of families) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [tool, "--family", family, "--entry", dispatch.kernel, file],
      { cwd: root, encoding: "utf8", timeout: 120_000, env: environment },
    );
    if (status !== 0) throw new Error(`${name} for ${family}: ${stderr || `status ${status}`}`);
    const given = JSON.parse(stdout.split("\n")[0] ?? "");
    statistics[family] = {
      registers: given.vgprs,
      spills: given.spilledVgprs,
      scratch: given.scratchBytes,
      workgroupMemory: given.ldsBytes,
      subgroupsPerSimd: given.subgroupsPerSimd,
      instructions: given.instructions,
      fma: given.fma,
      fmaShare: given.fmaShare,
      latency: given.latency,
      inverseThroughput: given.inverseThroughput,
    };
  }
  return statistics;
}

/** The shader with its overridable constants fixed. @param {ReportedKernel["dispatch"]} dispatch */
function resolved({ code, constants }) {
  return code.replace(/^override (\w+)(?::\w+)?=(.*);$/gm, (_, name, fallback) => {
    const value = constants[name];
    if (value === undefined) return `const ${name}=${fallback};`;
    return `const ${name}=${/^(true|false)$/.test(fallback) ? value !== 0 : `${value}u`};`;
  });
}

/** @param {ReportedKernel} kernel @param {Record<string, Statistics>} compiled */
function rowOf({ name, shape, dispatch, flops, bytes, software }, compiled) {
  const workgroups = dispatch.workgroups.reduce((product, count) => product * count, 1);
  const intensity = flops / bytes;
  return {
    name,
    shape,
    workgroups,
    flops,
    bytes,
    intensity,
    software,
    bound: boundOf(intensity, workgroups),
    compiled,
  };
}

/** What limits the kernel on each device. @param {number} intensity @param {number} workgroups */
function boundOf(intensity, workgroups) {
  const parts = devices.map(({ name, gflops, gigabytes, workgroups: enough }) => {
    const balance = gflops / gigabytes;
    if (workgroups < enough) return `on ${name} by latency, ${workgroups} workgroups not filling it`;
    const limit = intensity >= balance ? "arithmetic" : "memory, but for what its caches serve";
    return `on ${name} by ${limit} (it balances ${balance.toFixed(0)} FLOP a byte)`;
  });
  return parts.join("; ");
}

/** @param {Row} row */
function line({ name, intensity, compiled }) {
  const each = Object.entries(compiled).map(
    ([family, s]) =>
      `${family} ${s.registers} registers, ${s.spills} spills, ${s.scratch} B scratch, ${s.workgroupMemory} B shared, ` +
      `${s.subgroupsPerSimd} subgroups, ${s.instructions} instructions, FMA ${s.fmaShare}`,
  );
  return `${name.padEnd(58)} ${intensity.toFixed(1).padStart(6)} FLOP/B | ${each.join(" | ")}`;
}

/** @param {Row[]} rows */
function markdown(rows) {
  const head = [
    ...["kernel", "shape", "GPU", "registers", "spills", "scratch bytes", "LDS bytes", "subgroups / SIMD"],
    ...["instructions", "FMA share", "FLOP / byte"],
  ];
  const cells = rows.flatMap(({ name, shape, intensity, compiled }) =>
    Object.entries(compiled).map(([family, s], i) => [
      ...(i === 0 ? [name, shape] : ["", ""]),
      ...[family, s.registers, s.spills, s.scratch, s.workgroupMemory, s.subgroupsPerSimd, s.instructions, s.fmaShare],
      i === 0 ? intensity.toFixed(1) : "",
    ]),
  );
  const alignment = head.map((_, i) => (i < 3 ? "---" : "--:"));
  return [
    "# WebGPU kernels, compiled for GPUs that need not be there",
    "",
    "`npm run gpu-report` writes this file. Statistics are those of Mesa's RADV for the whole shader as WebGPU resolves it,",
    "bounds checks included; instructions are counted as they stand, loops once. FLOP / byte: of what a dispatch of the",
    "stated shape reads from and writes to global memory, every workgroup by itself, no cache counted.",
    "",
    ...[head, alignment, ...cells].map((row) => `| ${row.join(" | ")} |`),
    "",
    "## What bounds each",
    "",
    ...rows.map(({ name, bound, software }) => `- **${name}**: ${software ?? bound}.`),
    "",
  ].join("\n");
}
