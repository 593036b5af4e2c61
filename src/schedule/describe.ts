/** A program as text: a table of its calls, and totals. */
import { sizeOf } from "../graph/node.ts";
import type { KernelCall, Program, Region } from "./program.ts";

/**
 * One line a call: its number, kernel, size, MFLOP, KiB read and written, and what it computes; then the totals, and
 * where each temporary lies. A product is rows x depth x columns; with an epilogue it is p there, in so many row groups:
 * p itself where it is kept.
 */
export function describeProgram(program: Program): string {
  const { calls, peakBytes, lowerBoundBytes, arenas, state, temporaries = [] } = program;
  const total = (of: (call: KernelCall) => number) => calls.reduce((sum, call) => sum + of(call), 0);
  const halves = new Set(
    temporaries.flatMap(({ placement: { region } }) => {
      return region.kind === "arena" && region.element ? region.index : [];
    }),
  );
  const halfBytes = 4 * arenas.reduce((sum, words, index) => sum + (halves.has(index) ? words : 0), 0);
  const stateBytes = 4 * state.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return [
    `${program.name}: ${calls.length} kernel calls (${kernelCounts(calls)})`,
    ...table(
      ["#", "kernel", "size", "MFLOP", "KiB", "computes"],
      [true, false, false, true, true, false],
      calls.map((call, i) => [
        String(i + 1),
        call.kernel,
        sizeText(call),
        (call.flops / 1e6).toFixed(3),
        (call.bytes / 1024).toFixed(1),
        call.label,
      ]),
    ),
    `total: ${(total(({ flops }) => flops) / 1e6).toFixed(3)} MFLOP, ${(total(({ bytes }) => bytes) / 1024).toFixed(1)} KiB moved`,
    `temporaries: ${kib(peakBytes)} in ${arenas.length} arena${arenas.length === 1 ? "" : "s"}, ` +
      `${halfBytes > 0 ? `${kib(halfBytes)} of them f16, ` : ""}` +
      `at least ${kib(lowerBoundBytes)} in this order; constants: ${kib(program.constants.byteLength)}`,
    ...table(
      ["temporary", "KiB", "arena", "from KiB", "calls"],
      [false, true, true, true, false],
      temporaries.map(({ name, placement: { region, offset, length }, firstCall, lastCall }) => {
        const { index, element } = region as Extract<Region, { kind: "arena" }>;
        const each = element ? 2 : 4;
        return [
          name,
          ((each * length) / 1024).toFixed(1),
          element ? `${index} ${element}` : String(index),
          ((each * offset) / 1024).toFixed(1),
          `${firstCall + 1} to ${lastCall + 1}`,
        ];
      }),
    ),
    `state: ${kib(stateBytes)} in ${state.length}: ${state.map(({ name }) => name).join(", ")}`,
  ].join("\n");
}

/** Lines of columns as wide as their widest text, numbers to the right; none without rows. */
function table(
  heads: readonly string[],
  isNumber: readonly boolean[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  if (rows.length === 0) return [];
  const lines = [heads, ...rows];
  const widths = heads.map((_, k) => Math.max(...lines.map((line) => (line[k] as string).length)));
  const padded = (text: string, k: number) =>
    isNumber[k] ? text.padStart(widths[k] as number) : text.padEnd(widths[k] as number);
  return lines.map((line) => line.map(padded).join("  ").trimEnd());
}

/** "14 linear, 5 elementwise", the most frequent first. */
function kernelCounts(calls: readonly KernelCall[]): string {
  const counts = new Map<string, number>();
  for (const { kernel } of calls) counts.set(kernel, (counts.get(kernel) ?? 0) + 1);
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  return byCount.map(([kernel, count]) => `${count} ${kernel}`).join(", ");
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

function sizeText({ kernel, parameters: p, chain }: KernelCall): string {
  switch (kernel) {
    case "elementwise":
      return `${chain?.count} x ${chain?.steps.length} functions`;
    case "linear":
    case "convolve": {
      const followed = chain ? `, ${chain.steps.length} functions` : "";
      const groups = p["groups"] !== undefined && p["groups"] > 1 ? ` in ${p["groups"]} groups` : "";
      return `${p["rows"]} x ${p["depth"]} x ${p["columns"]}${groups}${followed}`;
    }
    case "matmulEach":
      return `${(p["batch0"] as number) * (p["batch1"] as number)} of ${p["rows"]} x ${p["depth"]} x ${p["columns"]}`;
    case "attention":
    case "attentionReverse":
      return `${p["batch"]} x ${p["heads"]} of ${p["length"]} x ${p["width"]}, P=${p["tangents"]}`;
    case "reduce":
      return `${p["outer"]} x ${p["reduced"]} x ${p["inner"]}`;
    case "copy":
      return [p["size0"], p["size1"], p["size2"], p["size3"]].filter((size) => size !== 1).join(" x ") || "1";
    case "random":
      return `${p["count"]}`;
    case "mlpFlow":
      return `${p["rows"]} x ${p["dimension"]} through ${p["layers"]} layers`;
    default:
      return `${p["count"] ?? p["rows"]} x ${p["width"]}`;
  }
}
