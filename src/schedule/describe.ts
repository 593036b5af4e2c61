/** A program as text: a table of its calls, and totals. */
import type { KernelCall, Program } from "./program.ts";

/** One line a call: its number, kernel, size, MFLOP, KiB read and written, and what it computes; then the totals. */
export function describeProgram(program: Omit<Program, "describe">): string {
  const rows = program.calls.map((call, i) => [
    String(i + 1),
    call.kernel,
    sizeText(call),
    (call.flops / 1e6).toFixed(3),
    (call.bytes / 1024).toFixed(1),
    call.label,
  ]);
  const heads = ["#", "kernel", "size", "MFLOP", "KiB", "computes"];
  const widths = heads.map((head, k) => Math.max(head.length, ...rows.map((row) => (row[k] as string).length)));
  const isNumber = [true, false, false, true, true, false];
  const line = (row: readonly string[]) =>
    row
      .map((text, k) => (isNumber[k] ? text.padStart(widths[k] as number) : text.padEnd(widths[k] as number)))
      .join("  ")
      .trimEnd();
  const total = (of: (call: KernelCall) => number) => program.calls.reduce((sum, call) => sum + of(call), 0);
  const { peakBytes, lowerBoundBytes, arenas } = program;
  return [
    `${program.name}: ${program.calls.length} kernel calls, ${program.state.length} states`,
    line(heads),
    ...rows.map(line),
    `total: ${(total(({ flops }) => flops) / 1e6).toFixed(3)} MFLOP, ${(total(({ bytes }) => bytes) / 1024).toFixed(1)} KiB moved`,
    `temporaries: ${kib(peakBytes)} in ${arenas.length} arena${arenas.length === 1 ? "" : "s"}, ` +
      `at least ${kib(lowerBoundBytes)} in this order; constants: ${kib(program.constants.byteLength)}`,
  ].join("\n");
}

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

function sizeText({ kernel, parameters: p, chain }: KernelCall): string {
  if (chain) return `${chain.count} x ${chain.steps.length} functions`;
  switch (kernel) {
    case "linear":
      return `${p["rows"]} x ${p["depth"]} x ${p["columns"]}`;
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
