/** What a program is, and where the time of its runs goes, by kind of kernel. */
import type { Executable } from "../../src/backends/backend.ts";
import { sizeOf } from "../../src/graph/node.ts";
import { kernels } from "../../src/kernels/registry.ts";
import type { KernelCall, Program } from "../../src/schedule/program.ts";
import type { KindTimes, PlanFacts } from "../session.ts";
import { median } from "../workload.mjs";
import type { Loaded } from "./loaded.ts";

export function planOf(program: Program): PlanFacts {
  const sum = (calls: readonly KernelCall[]) => calls.reduce((total, call) => total + bytesOf(call), 0);
  return {
    calls: program.calls.length,
    bytes: sum(program.calls),
    copyBytes: sum(program.calls.filter(({ kernel }) => kernel === "copy")),
    peakBytes: program.peakBytes,
    leastPeakBytes: program.lowerBoundBytes,
    stateBytes: program.state.reduce((total, { shape }) => total + 4 * sizeOf(shape), 0),
  };
}

/** Bytes that a call moves; a copy those of its elements alone, read and written. */
function bytesOf({ kernel, parameters, bytes }: KernelCall): number {
  const { size0 = 0, size1 = 0, size2 = 0, size3 = 0 } = parameters;
  return kernel === "copy" ? 8 * size0 * size1 * size2 * size3 : bytes;
}

/**
 * Median milliseconds of whole runs and of all calls of a kind, by turns: runs call by call with a clock around each, so
 * that every call meets the caches as in training, and whole ones.
 */
export async function kindsOf(
  { program, run }: Loaded,
  parts: NonNullable<Executable["parts"]>,
  runs: number,
): Promise<KindTimes> {
  const names = program.calls.map(kindOf);
  const whole: number[] = [];
  const samples = new Map(names.map((name): [string, number[]] => [name, []]));
  for (let turn = 0; turn < runs; turn++) {
    const totals = new Map<string, number>();
    for (const [part, name] of names.entries()) {
      const start = performance.now();
      parts.run(part);
      totals.set(name, (totals.get(name) ?? 0) + performance.now() - start);
    }
    for (const [name, total] of totals) samples.get(name)?.push(total);
    const start = performance.now();
    await run(1);
    whole.push(performance.now() - start);
  }
  const kinds = [...samples].map(([name, times]) => {
    const calls = program.calls.filter((_, i) => names[i] === name);
    return {
      name,
      isProduct: isProduct(calls[0] as KernelCall),
      calls: calls.length,
      milliseconds: median(times),
      flops: calls.reduce((total, { flops }) => total + flops, 0),
      bytes: calls.reduce((total, call) => total + bytesOf(call), 0),
    };
  });
  return { milliseconds: median(whole), kinds: kinds.sort((a, b) => b.milliseconds - a.milliseconds) };
}

/** Attention is products above all, and its operations count as such. */
function isProduct({ kernel }: KernelCall): boolean {
  return kernels[kernel]?.isProduct === true || ["matmulEach", "attention", "attentionReverse"].includes(kernel);
}

/** The kernel, with what it is about where one kernel does different things. */
function kindOf({ kernel, chain, parameters }: KernelCall): string {
  if (kernel === "linear" || kernel === "convolve") {
    return `${kernel}${parameters["transposeLeft"] ? " of weights" : ""}`;
  }
  if (kernel === "elementwise") return chain?.steps.length === 0 ? "moves" : "chains";
  if (kernel === "reduce") return parameters["inner"] === 1 ? "reduce, rows" : "reduce, columns";
  return kernel;
}
