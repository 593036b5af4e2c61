/**
 * The tables of bench/results/gpu-report.md.
 * @import { Compiled } from "./gpu-report-compile.mjs"
 * @import { Row, StepRow } from "./gpu-report.mjs"
 */
import { families, overflows } from "./gpu-report-compile.mjs";

/** Characters of a call's label that a table shows. */
const LABEL = 110;

/** @param {readonly Row[]} rows @param {readonly StepRow[]} stepRows */
export function markdown(rows, stepRows) {
  const kernels = rows.flatMap(({ name, shape, intensity, compiled }) =>
    cells(compiled).map((figures, i) =>
      i === 0 ? [name, shape, ...figures, intensity.toFixed(1)] : ["", "", ...figures, ""],
    ),
  );
  const each = grouped(
    stepRows.filter((row) => row.each),
    "step",
  );
  const networks = grouped(
    stepRows.filter((row) => !row.each),
    "step",
  );
  return [
    "# WebGPU kernels, compiled for GPUs that need not be there",
    "",
    "`npm run gpu-report` writes this file. Statistics are those of Mesa's RADV for the whole shader as Dawn gives it to that",
    "GPU, with the bounds checks that its driver does not make; instructions are counted as they stand, loops once. The FMA",
    "share is also given of the innermost loop that has most: what a product does again and again, without what stands in front",
    "and behind once. FLOP / byte: of what a dispatch of the stated shape reads from and writes to global memory, every workgroup by itself, no cache",
    "counted; of attention and products of pairs each operand once.",
    "",
    ...table(["kernel", "shape"], figureNames, ["FLOP / byte"], kernels),
    "",
    "## Training steps",
    "",
    "Each shader of the public trainer's step (checkerboard, Adam), with the epilogue that its calls have there.",
    "",
    ...each.flatMap(([step, all]) => [`### ${step}`, "", ...shaders(all), ""]),
    "## Training steps of networks",
    "",
    "All shaders of an FDM step of the networks that are compared ([speed.md](../../docs/speed.md)), planned within what",
    "Dawn offers on these GPUs, a line for each kernel: of its shaders most registers, spills and scratch and fewest",
    "subgroups; its FMA share weighted by the FLOPs of each. Bytes: each operand once a call.",
    "",
    ...networks.flatMap(([step, all]) => [`### ${step}`, "", ...sums(all), "", ...byKernel(all), ""]),
    "## What bounds each",
    "",
    ...rows.map(({ name, bound, software }) => `- **${name}**: ${software ?? bound}.`),
    "",
  ].join("\n");
}

const figureNames = [
  ...["registers", "spills", "scratch bytes", "LDS bytes", "subgroups / SIMD"],
  ...["instructions", "FMA share", "in its loop"],
];

/** A row for each family. @param {Compiled} compiled */
function cells(compiled) {
  return Object.entries(compiled).map(([family, s]) => [
    family,
    ...[
      s.registers,
      s.spills,
      s.scratch,
      s.workgroupMemory,
      s.subgroupsPerSimd,
      s.instructions,
      s.fmaShare,
      s.loopShare,
    ],
  ]);
}

/** A row for each shader. @param {readonly StepRow[]} rows */
function shaders(rows) {
  const lines = rows.flatMap(({ name, label, compiled }) =>
    cells(compiled).map((figures, i) => (i === 0 ? [name, shortened(label), ...figures] : ["", "", ...figures])),
  );
  return table(["kernel", "what its first call does"], figureNames, [], lines);
}

/** A row for each kernel. @param {readonly StepRow[]} rows */
function byKernel(rows) {
  const [flops, bytes] = [total(rows, "flops"), total(rows, "bytes")];
  const kernels = grouped(rows, "name").sort((a, b) => total(b[1], "flops") - total(a[1], "flops"));
  const lines = kernels.flatMap(([name, all]) =>
    families.map((family, i) => {
      const of = all.map(({ compiled }) => /** @type {Compiled[string]} */ (compiled[family]));
      const figures = [
        Math.max(...of.map(({ registers }) => registers)),
        Math.max(...of.map(({ spills }) => spills)),
        Math.max(...of.map(({ scratch }) => scratch)),
        Math.max(...of.map(({ workgroupMemory }) => workgroupMemory)),
        Math.min(...of.map(({ subgroupsPerSimd }) => subgroupsPerSimd)),
        ...(total(all, "flops") > 0 ? shares.map((of) => weighted(all, family, of).toFixed(3)) : ["", ""]),
      ];
      if (i > 0) return ["", family, "", "", "", "", ...figures];
      const [own, moved] = [total(all, "flops"), total(all, "bytes")];
      const counts = [all.length, total(all, "dispatches"), percent(own / flops), percent(moved / bytes)];
      return [name, family, ...counts, ...figures];
    }),
  );
  const names = figureNames.filter((name) => name !== "instructions");
  return table(["kernel"], ["shaders", "dispatches", "of FLOPs", "of bytes", ...names], [], lines);
}

/** @param {readonly StepRow[]} rows */
function sums(rows) {
  const [flops, bytes, dispatches] = [total(rows, "flops"), total(rows, "bytes"), total(rows, "dispatches")];
  const kept = rows.filter((row) => !overflows(row));
  const [whole, loops] = shares.map((of) =>
    families.map((family) => `${weighted(rows, family, of).toFixed(3)} on ${family}`).join(", "),
  );
  return [
    `${(flops / 1e9).toFixed(1)} GFLOP, ${(bytes / 1e6).toFixed(0)} MB, ${(flops / bytes).toFixed(1)} FLOP a byte, ` +
      `${dispatches} dispatches of ${rows.length} shaders.`,
    `${percent(total(kept, "flops") / flops)} of the FLOPs are in shaders that neither spill nor use scratch; the FMA share, ` +
      `weighted by FLOPs, is ${whole}; in the loops of products ${loops}.`,
  ];
}

/** @param {readonly StepRow[]} rows @param {"step" | "name"} by @returns {[value: string, rows: StepRow[]][]} */
function grouped(rows, by) {
  return [...new Set(rows.map((row) => row[by]))].map((value) => [value, rows.filter((row) => row[by] === value)]);
}

/** @param {readonly StepRow[]} rows @param {"flops" | "bytes" | "dispatches"} of */
function total(rows, of) {
  return rows.reduce((sum, row) => sum + row[of], 0);
}

const shares = /** @type {const} */ (["fmaShare", "loopShare"]);

/** Weighted by FLOPs. @param {readonly StepRow[]} rows @param {string} family @param {"fmaShare" | "loopShare"} of */
function weighted(rows, family, of) {
  const sum = rows.reduce((sum, { flops, compiled }) => sum + flops * (compiled[family]?.[of] ?? 0), 0);
  return sum / total(rows, "flops");
}

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;

/**
 * @param {readonly string[]} before @param {readonly string[]} figures @param {readonly string[]} after
 * @param {readonly (string | number)[][]} rows
 */
function table(before, figures, after, rows) {
  const head = [...before, "GPU", ...figures, ...after];
  const alignment = head.map((_, i) => (i <= before.length ? "---" : "--:"));
  return [head, alignment, ...rows].map((row) => `| ${row.join(" | ")} |`);
}

/** @param {string} label */
function shortened(label) {
  return label.length > LABEL ? `${label.slice(0, LABEL)}…` : label;
}
