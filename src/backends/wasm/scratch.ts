/**
 * Memory of a program beside its values: scratch of its calls, and what is packed once.
 *
 * Products whose right operand, weights as a rule, keeps its value through a program's runs have it packed at the start
 * of a submission, not by each run. A solver's steps read the same weights in all of them; a training step writes its own.
 */
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Program } from "../../schedule/program.ts";
import type { WasmMemory } from "./memory.ts";
import { CALL_BYTES, PACKED_OFFSET, type Translation } from "./translate.ts";

/** Bytes that a call needs: of wasm/index.ts. */
export interface Needs {
  sharedBytes(call: number): number;
  threadBytes(call: number): number;
  /** Units of a call that has a chain. */
  chainUnits(call: number): number;
}

/** Scratch of a program: what all threads share, then each thread's, with its chains' slots at the end. */
export interface Scratch {
  readonly address: number;
  readonly shared: number;
  readonly perThread: number;
  readonly slots: number;
}

/** Scratch of a thread begins at a multiple of a cache line. */
const SCRATCH_ALIGNMENT = 64;

/** The largest that each of the program's calls needs, for all threads. */
export function scratchOf(
  { calls, count, chainScratchBytes }: Translation,
  needs: Needs,
  threads: number,
  allocate: (bytes: number) => number,
): Scratch {
  const largest = (need: (call: number) => number) =>
    Math.max(0, ...Array.from({ length: count }, (_, i) => need(calls + i * CALL_BYTES) >>> 0));
  const aligned = (bytes: number) => Math.ceil(bytes / SCRATCH_ALIGNMENT) * SCRATCH_ALIGNMENT;
  const shared = aligned(largest(needs.sharedBytes));
  const slots = aligned(largest(needs.threadBytes));
  const perThread = slots + aligned(chainScratchBytes);
  return { address: allocate(shared + threads * perThread), shared, perThread, slots };
}

/** Tells the calls whose right operand is packed once where that is: they need no scratch for it then. */
export function placePacked(
  program: Program,
  { calls }: Translation,
  needs: Needs,
  memory: WasmMemory,
  allocate: (bytes: number) => number,
): void {
  const places = new Map<string, number>();
  for (const [i, product] of packedOnce(program).entries()) {
    const call = calls + i * CALL_BYTES;
    const bytes = product === undefined ? 0 : needs.sharedBytes(call) >>> 0;
    if (bytes === 0) continue;
    const key = `${product} ${bytes}`; // by its size a convolution is packed in one of two ways
    const place = places.get(key) ?? allocate(bytes);
    places.set(key, place);
    memory.words(call + PACKED_OFFSET, 1)[0] = place;
  }
}

/** By call: what it packs, as text, undefined where that may change, as what depends on left too. Equal text is packed alike. */
function packedOnce({ calls }: Program): readonly (string | undefined)[] {
  const written = new Set(calls.flatMap(writtenStates));
  return calls.map(({ kernel, bindings: { right }, parameters: p }) => {
    const isProduct = kernels[kernel]?.isProduct && !p["sumsDepth"] && !(p["transposeLeft"] && p["channels"]);
    if (!isProduct || right?.region.kind !== "state" || written.has(right.region.name)) return undefined;
    const taps = [p["channels"], p["downDilation"], p["acrossDilation"]];
    return JSON.stringify([kernel, right, p["columns"], p["depth"], p["transposeRight"], ...taps]);
  });
}

function writtenStates({ kernel, bindings, chain }: KernelCall): string[] {
  const declared = kernels[kernel]?.bindings ?? {};
  const bound = Object.entries(bindings).filter(([name]) => declared[name]?.access !== "read");
  const written = [
    ...bound.map(([, placement]) => placement),
    ...(chain?.stores ?? []).map((store) => store.placement),
  ];
  return written.flatMap(({ region }) => (region.kind === "state" ? [region.name] : []));
}
