/**
 * A program as the words that wasm/index.ts's `run` reads: a table of calls { kernel, parameters, chain, packed }, the
 * parameter structs with all addresses filled in, and the chains' tables.
 */
import { ConfigError } from "../../errors.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Placement, Program } from "../../schedule/program.ts";
import { layOutChain } from "./chain.ts";
import type { Allocation, WasmMemory } from "./memory.ts";

/** The numbers that `run` knows kernels by: positions in this list, which is that of wasm/index.ts. */
const KERNELS = [
  "attention",
  "attentionReverse",
  "copy",
  "elementwise",
  "gather",
  "linear",
  "matmulEach",
  "random",
  "reduce",
  "replaceRow",
  "scatterAdd",
  "sums",
];

/** Kernels that are another's function there: its parameters are the longer ones, those that a call has not are 0. */
const LONGER: Readonly<Record<string, string>> = { linear: "convolve" };

/** What not every module has (wasm/variant.ts): kernels, and functions of chains. */
const ELSEWHERE = ["attention", "attentionReverse", "convolve", "matmulEach"];
const FUNCTIONS_ELSEWHERE = /^(gelu|geluTanh|softplus|elu|selu)\d$/;

/** Whether the program calls such a kernel or function. */
export function needsAll({ calls }: Program): boolean {
  return calls.some(
    ({ kernel, chain }) =>
      ELSEWHERE.includes(kernel) || chain?.steps.some((step) => FUNCTIONS_ELSEWHERE.test(step.function)),
  );
}

/** Bytes of an entry in the table of calls. */
export const CALL_BYTES = 16;
/** Where in an entry the address of a packed operand is; 0: the call packs it itself. */
export const PACKED_OFFSET = 12;

/** Words of the parameters of calls that end a chain's sum: wasm/sums.ts. */
const SUM_WORDS = 7;

/** Parameter blocks begin at multiples of a vector's bytes. */
const BLOCK_ALIGNMENT = 16;

export interface Translation {
  /** Address of the table of calls. */
  readonly calls: number;
  readonly count: number;
  /** Bytes that the slots and cells of any of its chains take. */
  readonly chainScratchBytes: number;
  /** Everything the translation holds; the caller gives it back. */
  readonly allocation: Allocation;
}

/** @param addressOf - the byte address of a placement. */
export function translate(
  program: Program,
  memory: WasmMemory,
  addressOf: (placement: Placement) => number,
): Translation {
  const blocks = program.calls.map((call) => ({
    kernel: kernelNumber(call),
    parameters: call.kernel === "elementwise" ? new Uint32Array() : parametersOf(call, addressOf),
    chain: call.chain && layOutChain(call.chain, addressOf),
  }));

  let bytes = program.calls.length * CALL_BYTES;
  const reserve = (size: number): number => {
    const start = Math.ceil(bytes / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT;
    bytes = start + size;
    return start;
  };
  const places = blocks.map(({ parameters, chain }) => ({
    parameters: reserve(parameters.byteLength),
    chain: chain ? reserve(chain.bytes) : 0,
  }));

  const allocation = memory.allocate(`tables of program "${program.name}"`, bytes);
  const start = allocation.address;
  const table = memory.words(start, (program.calls.length * CALL_BYTES) / 4);
  blocks.forEach(({ kernel, parameters, chain }, i) => {
    const place = places[i] as (typeof places)[number];
    table.set([kernel, start + place.parameters, chain ? start + place.chain : 0], (i * CALL_BYTES) / 4);
    memory.words(start + place.parameters, parameters.length).set(parameters);
    chain?.write(
      memory.words(start + place.chain, chain.bytes / 4),
      start + place.chain,
      (other) => start + (places[other] as (typeof places)[number]).parameters,
    );
  });
  const chainScratchBytes = Math.max(0, ...blocks.map(({ chain }) => chain?.scratchBytes ?? 0));
  return { calls: start, count: program.calls.length, chainScratchBytes, allocation };
}

function kernelNumber({ kernel, label }: KernelCall): number {
  const number = KERNELS.findIndex((name) => name === kernel || LONGER[name] === kernel);
  if (number >= 0) return number;
  throw new ConfigError({
    subject: `kernel of the call "${label}"`,
    given: kernel,
    expected: `one of ${KERNELS.join(", ")}`,
    remedy: "Compile the graph with this version's schedule.",
  });
}

/** The call's parameter struct; `xOffset` is the address of binding x in elements, 0 where nothing is bound. */
function parametersOf(call: KernelCall, addressOf: (placement: Placement) => number): Uint32Array {
  const declaration = kernels[LONGER[call.kernel] ?? call.kernel];
  if (!declaration) return new Uint32Array(SUM_WORDS); // placed-sums.ts fills them in
  const none = LONGER[call.kernel] ? Object.keys(declaration.parameters).map((field) => [field, 0] as const) : [];
  const offsets = Object.keys(declaration.bindings).map((name) => {
    const binding = call.bindings[name];
    return [`${name}Offset`, binding ? addressOf(binding) / 4 : 0];
  });
  const defaults = { ...Object.fromEntries(none), ...declaration.defaults };
  return packParameters(declaration, { ...defaults, ...call.parameters, ...Object.fromEntries(offsets) });
}
