/**
 * `node bench/gpu-table.mjs`: the tables of docs/gpu.md, from bench/results/gpu/<device>.json, which holds what
 * `divflow bench --backend webgpu --json` ("divflow") and bench/peers/torch_steps.py ("torch") printed on one machine, and
 * `divflow bench --network all --backend webgpu --json` ("networks") and bench/peers/torch_networks.py --cuda
 * ("torchNetworks").
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, root } from "../.build/files.mjs";
import { timeText } from "./table.mjs";

/** @import { Result } from "./results.mjs" */
/** @typedef {{ workload: string, width: number, batch: number, how: string, ms: number }} TorchRow */
/** @typedef {{ device: string, torch: string, rows: TorchRow[], products: Record<string, number>, copy: number }} Torch */
/** @typedef {{ network: string, workload: string, ms: number, best: number }} TorchNetworkRow */
/** @typedef {{ divflow: Result, torch: Torch, networks: Result, torchNetworks: { rows: TorchNetworkRow[] } }} Measured */

const results = join(root, "bench", "results", "gpu");
const [begin, end] = ["<!-- tables -->", "<!-- end of tables -->"];

/** Rows of divflow that PyTorch's stand beside: both draw nothing, or divflow draws its batch too. */
const steps = /** @type {const} */ ({ cfm: "CFM step", fdm: "FDM step" });

/** @param {Measured} measured */
function stepTable({ divflow, torch }) {
  const rows = Object.entries(steps).flatMap(([workload, title]) =>
    torch.rows
      .filter((row) => row.workload === workload && row.how === "CUDA graph")
      .map(({ width, batch, ms: graph }) => {
        const of = (/** @type {string} */ name) =>
          divflow.rows.find((row) => row.workload === name && row.width === width && row.implementation === "divflow");
        const eager = torch.rows.find((r) => r.workload === workload && r.width === width && r.how === "eager");
        const full = of(`${workload}-full`);
        if (!full?.ms || !eager) throw new Error(`${workload} at ${width}: a row is missing.`);
        const beside = (/** @type {number} */ ms) =>
          `${timeText(ms)} (${(ms / /** @type {number} */ (full.ms)).toFixed(2)}x)`;
        const rate = `${((full.gflops ?? 0) / 1000).toFixed(2)} TFLOP/s`;
        return `| ${title} | ${width} | ${batch} | ${timeText(full.ms)} (${rate}) | ${beside(graph)} | ${beside(eager.ms)} |`;
      }),
  );
  return [
    "| | width | batch | divflow, batch drawn too | PyTorch, CUDA graph | PyTorch, eager |",
    "|---|--:|--:|--:|--:|--:|",
    ...rows,
  ];
}

/** @param {Measured} measured */
function solveTable({ divflow }) {
  const rows = divflow.rows.filter(({ workload }) => workload === "sample" || workload === "logdensity");
  const title = (/** @type {string} */ name) => (name === "sample" ? "100 Euler steps of 4096" : "with log-density");
  return [
    "| | width | divflow |",
    "|---|--:|--:|",
    ...rows.map(
      ({ workload, width, ms, gflops }) =>
        `| ${title(workload)} | ${width} | ${timeText(ms ?? Number.NaN)} (${((gflops ?? 0) / 1000).toFixed(1)} TFLOP/s) |`,
    ),
  ];
}

/** @param {Measured} measured */
function networkTable({ networks, torchNetworks }) {
  const names = [...new Set(networks.rows.map(({ network = "" }) => network))];
  const cells = (/** @type {string} */ name, /** @type {string} */ workload) => {
    const is = (/** @type {{ network?: string | undefined, workload: string }} */ row) =>
      row.network === name && row.workload === workload;
    const [ours, theirs] = [networks.rows.find(is), torchNetworks.rows.find(is)];
    if (!theirs) throw new Error(`${workload} of ${name}: PyTorch's row is missing.`);
    if (!ours?.ms) return `not measured | ${timeText(theirs.ms)}`;
    const rate = `${((ours.gflops ?? 0) / 1000).toFixed(2)} TFLOP/s`;
    return `${timeText(ours.ms)} (${rate}) | ${timeText(theirs.ms)} (${(theirs.ms / ours.ms).toFixed(1)}x)`;
  };
  return [
    "| | CFM step | PyTorch, eager | FDM step | PyTorch, double backward |",
    "|---|--:|--:|--:|--:|",
    ...names.map((name) => `| ${name} | ${cells(name, "cfm")} | ${cells(name, "fdm")} |`),
  ];
}

/** @param {string} name */
async function section(name) {
  /** @type {Measured} */
  const measured = JSON.parse(await readFile(join(results, name), "utf8"));
  const { torch, divflow } = measured;
  const products = Object.entries(torch.products).map(([size, rate]) => `${size}: ${(rate / 1000).toFixed(1)}`);
  return [
    `## ${torch.device}`,
    "",
    `${divflow.machine.date}; divflow ${divflow.rows[0]?.version} in ${divflow.machine.runtimes.join(", ")} through Dawn on Vulkan; PyTorch ${torch.torch}, f32 without TF32. In`,
    "brackets behind PyTorch's times: how many times as long as divflow's.",
    "",
    ...stepTable(measured),
    "",
    ...solveTable(measured),
    "",
    "Networks, on given inputs, several steps in a row as training runs them (sizes: [bench/README.md](../bench/README.md#networks)):",
    "",
    ...networkTable(measured),
    "",
    `cuBLAS's plain f32 products there, TFLOP/s by size: ${products.join(", ")}; a copy moves ${(torch.copy / 1000).toFixed(2)} TB/s.`,
  ].join("\n");
}

const names = (await readdir(results)).filter((name) => name.endsWith(".json")).sort();
const text = await readFile(join(root, "docs", "gpu.md"), "utf8");
const [head, rest] = text.split(begin);
const tail = rest?.split(end)[1];
if (head === undefined || tail === undefined) throw new Error(`docs/gpu.md has no ${begin} ... ${end}.`);
const sections = await Promise.all(names.map(section));
await replaceFile("docs/gpu.md", `${head}${begin}\n\n${sections.join("\n\n")}\n\n${end}${tail}`);
