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
 * Milliseconds of whole runs, and of each call by run, by turns: runs call by call with a clock around each, so that every call
 * meets the caches as in training, and whole ones.
 */
export async function callTimes(
  { program, run }: Pick<Loaded, "program" | "run">,
  parts: NonNullable<Executable["parts"]>,
  runs: number,
): Promise<{ readonly whole: readonly number[]; readonly calls: readonly (readonly number[])[] }> {
  const whole: number[] = [];
  const samples = program.calls.map((): number[] => []);
  for (let turn = 0; turn < runs; turn++) {
    for (const [part, times] of samples.entries()) {
      const start = performance.now();
      parts.run(part);
      times.push(performance.now() - start);
    }
    const start = performance.now();
    await run(1);
    whole.push(performance.now() - start);
  }
  return { whole, calls: samples };
}

/** The calls of a step by kind, and what they take. */
export async function kindsOf(
  opened: Loaded,
  parts: NonNullable<Executable["parts"]>,
  runs: number,
): Promise<KindTimes> {
  const { whole, calls: times } = await callTimes(opened, parts, runs);
  const kinds = new Map<string, Writable<KindTimes["kinds"][number]>>();
  for (const [i, call] of opened.program.calls.entries()) {
    const name = kindOf(call);
    const kind = kinds.get(name) ?? {
      ...{ name, isProduct: isProduct(call) },
      ...{ calls: 0, milliseconds: 0, flops: 0, bytes: 0 },
    };
    kinds.set(name, kind);
    kind.calls++;
    kind.milliseconds += median(times[i] ?? []);
    kind.flops += call.flops;
    kind.bytes += bytesOf(call);
  }
  const sorted = [...kinds.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  return { milliseconds: median(whole), kinds: sorted };
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Attention is products above all, and its operations count as such. */
export function isProduct({ kernel }: KernelCall): boolean {
  return kernels[kernel]?.isProduct === true || ["matmulEach", "attention", "attentionReverse"].includes(kernel);
}

/** The kernel, with what it is about where one kernel does different things. */
export function kindOf({ kernel, chain, parameters }: KernelCall): string {
  if (kernel === "linear" || kernel === "convolve") {
    return `${kernel}${parameters["transposeLeft"] ? " of weights" : ""}`;
  }
  if (kernel === "elementwise") return chain?.steps.length === 0 ? "moves" : "chains";
  if (kernel === "reduce") return parameters["inner"] === 1 ? "reduce, rows" : "reduce, columns";
  return kernel;
}
