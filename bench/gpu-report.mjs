/**
 * What a real GPU's compiler makes of each WebGPU kernel, with no GPU: registers, spills, scratch, workgroup memory,
 * resident subgroups, share of fused multiply-adds; beside it how many FLOPs a byte from global memory serves. First
 * each kernel alone, at a shape that it is for; then the shaders of whole training steps, of the MLP and of networks.
 *
 *   GPUSTAT=path/to/gpustat.mjs npm run gpu-report [-- --only NAME]
 *
 * GPUSTAT names a program that takes `--asm --family F --entry NAME FILE.wgsl` and prints a line of JSON, then assembly. Writes
 * bench/results/gpu-report.md and .json; `--only` prints what has NAME in its name and writes nothing. For developers:
 * it runs src/, not the package, and needs gcc and Debian's mesa-vulkan-drivers and libvulkan-dev. Status 1 when a
 * shader that GPUs run spills or uses scratch.
 *
 * @import { ReportedKernel } from "./gpu-report-kernels.ts"
 * @import { ReportedStep } from "./gpu-report-step.ts"
 * @import { Compiled } from "./gpu-report-compile.mjs"
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { openCompiler, overflows, toolPath } from "./gpu-report-compile.mjs";
import { markdown } from "./gpu-report-tables.mjs";

/** @typedef {ReturnType<typeof rowOf>} Row */
/**
 * @typedef {{ step: string, each: boolean, name: string, label: string, dispatches: number, flops: number, bytes: number,
 *   compiled: Compiled }} StepRow
 */

const root = join(import.meta.dirname, "..");

/**
 * Peak f32 rate, memory bandwidth and the workgroups that keep it busy: an integrated GPU of 12 compute units at
 * 2.7 GHz with LPDDR5 at 100 GB/s; a card of 80 at 2.25 GHz with GDDR6 at 512 GB/s.
 */
const devices = [
  { name: "a laptop GPU", gflops: 4100, gigabytes: 100, workgroups: 48 },
  { name: "a large one", gflops: 23_000, gigabytes: 512, workgroups: 320 },
];

const { values: options } = parseArgs({ options: { only: { type: "string" } } });
const tool = toolPath();
const folder = await mkdtemp(join(tmpdir(), "divflow-gpu-report-"));
try {
  const compile = await openCompiler(tool, folder);
  const wanted = (/** @type {string} */ name) => name.includes(options.only ?? "");
  const { kernels, steps } = await toReport();
  /** @type {Row[]} */
  const rows = [];
  for (const kernel of kernels.filter(({ name }) => wanted(name))) {
    const row = rowOf(kernel, await compile(kernel.dispatch));
    rows.push(row);
    console.log(line(row.name, row.compiled, row.intensity));
  }
  /** @type {StepRow[]} */
  const stepRows = [];
  for (const { title: step, each, kernels } of steps) {
    for (const { name, label, dispatch, ...work } of kernels.filter(({ name }) => wanted(`${step}, ${name}`))) {
      const row = { step, each, name, label, ...work, compiled: await compile(dispatch) };
      stepRows.push(row);
      console.log(line(`${step}, ${name}`, row.compiled));
    }
  }
  for (const row of [...rows.filter(({ software }) => !software), ...stepRows].filter(overflows)) {
    console.error(`${"step" in row ? `${row.step}, ` : ""}${row.name} spills or uses scratch.`);
    process.exitCode = 1;
  }
  if (!options.only) {
    const results = join(root, "bench", "results");
    await mkdir(results, { recursive: true });
    const [kernelLines, stepLines] = [rows, stepRows].map((all) => all.map((row) => JSON.stringify(row)).join(",\n"));
    const json = `{ "kernels": [\n${kernelLines}\n],\n"steps": [\n${stepLines}\n] }\n`; // a row a line: differences show
    await writeFile(join(results, "gpu-report.json"), json);
    await writeFile(join(results, "gpu-report.md"), markdown(rows, stepRows));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** @returns {Promise<{ kernels: ReportedKernel[], steps: ReportedStep[] }>} */
async function toReport() {
  const names = ["gpu-report-kernels", "gpu-report-step"];
  await build({
    entryPoints: names.map((name) => join(root, "bench", `${name}.ts`)),
    ...{ outdir: folder, outExtension: { ".js": ".mjs" }, bundle: true, format: "esm", platform: "node" },
    logLevel: "silent",
  });
  const [{ kernelsToReport }, { stepsToReport }] = await Promise.all(
    names.map((name) => import(pathToFileURL(join(folder, `${name}.mjs`)).href)),
  );
  return { kernels: kernelsToReport(), steps: stepsToReport() };
}

/** @param {ReportedKernel} kernel @param {Compiled} compiled */
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

/** @param {string} name @param {Compiled} compiled @param {number} [intensity] */
function line(name, compiled, intensity) {
  const each = Object.entries(compiled).map(
    ([family, s]) =>
      `${family} ${s.registers} registers, ${s.spills} spills, ${s.scratch} B scratch, ${s.workgroupMemory} B shared, ` +
      `${s.subgroupsPerSimd} subgroups, ${s.instructions} instructions, FMA ${s.fmaShare}, in its loop ${s.loopShare}`,
  );
  const flops = intensity === undefined ? "" : ` ${intensity.toFixed(1).padStart(6)} FLOP/B`;
  return `${name.padEnd(58)}${flops} | ${each.join(" | ")}`;
}
