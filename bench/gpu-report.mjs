/**
 * What a real GPU's compiler makes of each WebGPU kernel, with no GPU: registers, spills, scratch, workgroup memory,
 * resident subgroups, share of fused multiply-adds; beside it how many FLOPs a byte from global memory serves.
 *
 *   GPUSTAT=path/to/gpustat.mjs npm run gpu-report [-- --only NAME] [--asm FOLDER]
 *
 * GPUSTAT names a program that takes `--family F --entry NAME FILE.wgsl` and prints a line of JSON. Writes
 * bench/results/gpu-report.md and .json; `--only` prints those kernels whose name contains NAME and writes nothing,
 * `--asm` keeps the shaders in FOLDER. For developers: it runs src/, not the package.
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
import { kernelsToReport } from "./gpu-report-kernels.mjs";

const root = join(import.meta.dirname, "..");
const families = ["navi21", "gfx1100"];

/**
 * Peak f32 rate and memory bandwidth of a GPU in a laptop and of a large one, and the workgroups that fill them: an
 * integrated GPU of 12 compute units at 2.7 GHz with LPDDR5, a card of 80 at 2.25 GHz with GDDR6 and a large cache.
 */
const devices = [
  { name: "a laptop GPU", gflops: 4100, gigabytes: 100, workgroups: 48 },
  { name: "a large one", gflops: 23_000, gigabytes: 512, workgroups: 320 },
];

const { values: options } = parseArgs({ options: { only: { type: "string" }, asm: { type: "string" } } });
const tool = process.env.GPUSTAT;
if (!tool || !existsSync(tool)) {
  console.error(
    `GPUSTAT: got ${tool ? `"${tool}"` : "nothing"}, expected the path of the program that compiles WGSL for a GPU ` +
      "and prints its statistics. Set it in the environment.",
  );
  process.exit(2);
}

// The tool turns WGSL into SPIR-V on a software adapter, and then names another driver by this variable only.
const { VK_ICD_FILENAMES, LD_LIBRARY_PATH } = softwareAdapterExists ? (await softwareAdapter()).vulkan : process.env;
const driver = { VK_ICD_FILENAMES, LD_LIBRARY_PATH };
const folder = await mkdtemp(join(tmpdir(), "divflow-gpu-report-"));
try {
  const kernels = kernelsToReport(await bundled()).filter(({ name }) => !options.only || name.includes(options.only));
  const rows = [];
  for (const kernel of kernels) {
    const file = join(folder, `${kernel.name.replace(/\W+/g, "-")}.wgsl`);
    await writeFile(file, resolved(kernel.dispatch));
    if (options.asm) await keep(file, options.asm, kernel.dispatch);
    const statistics = Object.fromEntries(families.map((family) => [family, compiled(file, family, kernel.dispatch)]));
    rows.push(rowOf(kernel, statistics));
    console.log(line(rows.at(-1)));
  }
  const bad = rows.filter(({ compiled }) => families.some((f) => compiled[f].spills > 0 || compiled[f].scratch > 0));
  for (const { name } of bad) console.error(`${name} spills or uses scratch.`);
  if (bad.length > 0) process.exitCode = 1;
  if (!options.only) {
    await mkdir(join(root, "bench", "results"), { recursive: true });
    await writeFile(join(root, "bench", "results", "gpu-report.json"), `${JSON.stringify(rows, null, 2)}\n`);
    await writeFile(join(root, "bench", "results", "gpu-report.md"), markdown(rows));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The backend's code that turns kernel calls into shaders. */
async function bundled() {
  const file = join(folder, "backend.mjs");
  await build({
    stdin: {
      contents: `
        export { lower } from "./src/backends/webgpu/lower.ts";
        export { activationKinds } from "./src/kernels/elementwise.ts";`,
      resolveDir: root,
      loader: "ts",
    },
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
  });
  return import(pathToFileURL(file).href);
}

/** The shader with its overridable constants fixed. */
function resolved({ code, constants }) {
  return code.replace(/^override (\w+)(?::\w+)?=(.*);$/gm, (text, name, fallback) => {
    const value = constants[name];
    if (value === undefined) return text.replace("override", "const");
    return `const ${name}=${/^(true|false)$/.test(fallback) ? value !== 0 : `${value}u`};`;
  });
}

async function keep(file, target, { kernel }) {
  await mkdir(target, { recursive: true });
  const { stdout } = run(file, "navi21", kernel, ["--asm"]);
  await writeFile(join(target, `${file.split("/").at(-1)}.asm`), stdout);
}

function run(file, family, entry, more = []) {
  return spawnSync(process.execPath, [tool, "--family", family, "--entry", entry, ...more, file], {
    cwd: root,
    encoding: "utf8",
    timeout: 120_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...driver },
  });
}

function compiled(file, family, { kernel, label }) {
  const { status, stdout, stderr } = run(file, family, kernel);
  if (status !== 0) throw new Error(`"${label}" for ${family}: ${stderr || `status ${status}`}`);
  const s = JSON.parse(stdout.split("\n")[0]);
  return {
    registers: s.vgprs,
    spills: s.spilledVgprs,
    scratch: s.scratchBytes,
    workgroupMemory: s.ldsBytes,
    subgroupsPerSimd: s.subgroupsPerSimd,
    instructions: s.instructions,
    fma: s.fma,
    fmaShare: s.fmaShare,
    latency: s.latency,
    inverseThroughput: s.inverseThroughput,
  };
}

function rowOf({ name, shape, dispatch, flops, bytes, note }, statistics) {
  const workgroups = dispatch.workgroups.reduce((product, count) => product * count, 1);
  const intensity = flops / bytes;
  return {
    name,
    shape,
    workgroups,
    flops,
    bytes,
    intensity,
    bound: boundOf(intensity, workgroups, note),
    compiled: statistics,
  };
}

/** What limits the kernel on each device. */
function boundOf(intensity, workgroups, note) {
  const parts = devices.map((device) => {
    const ridge = device.gflops / device.gigabytes;
    const limit = intensity >= ridge ? "arithmetic" : "memory";
    const idle = workgroups < device.workgroups ? `, and its ${workgroups} workgroups do not fill it` : "";
    return `${limit} on ${device.name} (balance ${ridge.toFixed(0)} FLOP/byte)${idle}`;
  });
  return `${parts.join("; ")}${note ? `; ${note}` : ""}.`;
}

function line({ name, intensity, compiled }) {
  const each = families.map((family) => {
    const s = compiled[family];
    return `${family} ${s.registers} registers, ${s.spills} spills, ${s.scratch} scratch, ${s.workgroupMemory} B, ${s.subgroupsPerSimd} subgroups, ${s.instructions} instructions, FMA ${s.fmaShare}, ${s.inverseThroughput}`;
  });
  return `${name.padEnd(44)} ${intensity.toFixed(1).padStart(6)} FLOP/B  ${each.join(" | ")}`;
}

function markdown(rows) {
  const head = [
    "kernel",
    "shape",
    "GPU",
    "registers",
    "spills",
    "scratch",
    "LDS bytes",
    "subgroups / SIMD",
    "instructions",
    "FMA share",
    "FLOP / byte",
  ];
  const table = rows.flatMap(({ name, shape, intensity, compiled }) =>
    families.map((family, i) => {
      const s = compiled[family];
      const cells = [
        s.registers,
        s.spills,
        s.scratch,
        s.workgroupMemory,
        s.subgroupsPerSimd,
        s.instructions,
        s.fmaShare,
      ];
      return [...(i === 0 ? [name, shape] : ["", ""]), family, ...cells, i === 0 ? intensity.toFixed(1) : ""];
    }),
  );
  const text = [head, head.map((_, i) => (i < 3 ? "---" : "--:")), ...table].map((cells) => `| ${cells.join(" | ")} |`);
  return [
    "# WebGPU kernels, compiled for GPUs that need not be there",
    "",
    "`npm run gpu-report` writes this file. Statistics are those of Mesa's RADV for the whole shader as WebGPU resolves it,",
    "bounds checks included; instructions are counted once, loops as their text. FLOP / byte: of what a dispatch of the",
    "stated shape reads from and writes to global memory, every workgroup by itself, no cache counted.",
    "",
    ...text,
    "",
    "## What bounds each",
    "",
    ...rows.map(({ name, bound }) => `- **${name}**: ${bound}`),
    "",
  ].join("\n");
}
