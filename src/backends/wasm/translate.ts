/**
 * A program as the words that wasm/index.ts's `run` reads: a table of calls { kernel, parameters, chain, packed }, the
 * parameter structs with all addresses filled in, and the chains' tables.
 */
import { ConfigError } from "../../errors.ts";
import type { KernelDeclaration } from "../../kernels/kernel.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Placement, Program } from "../../schedule/program.ts";
import { layOutChain, SUMS } from "./chain.ts";
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
  SUMS,
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

/** Parameter blocks begin at multiples of a vector's bytes. */
const BLOCK_ALIGNMENT = 16;

export interface Translation {
  /** Address of the table of calls. */
  readonly calls: number;
  readonly count: number;
  /** Sums that chains make (chain-sums.ts), in their order. */
  readonly sums: readonly TranslatedSum[];
  /** Bytes that the slots and cells of any of its chains take. */
  readonly chainScratchBytes: number;
  /** Everything the translation holds; the caller gives it back. */
  readonly allocation: Allocation;
}

export interface TranslatedSum {
  /** Positions of the call whose chain begins it, and of that which ends it. */
  readonly of: number;
  readonly call: number;
  readonly columns: number;
  /** Numbers of each column. */
  readonly outer: number;
  /** The address of the word that says where the sums of the chain's units are: 0 as yet. */
  readonly partials: number;
}

/** Words of a sum's parameters, wasm/sums.ts, and which of them says where the units' sums are. */
const SUM_WORDS = 7;
const PARTIALS_WORD = 2;

/** @param baseOf - the byte address of a region's start, by a placement in it. */
export function translate(program: Program, memory: WasmMemory, baseOf: (placement: Placement) => number): Translation {
  const addressOf = (placement: Placement) => baseOf(placement) + placement.offset * 4;
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

  const placeOf = (call: number) => {
    const { parameters, chain } = places[call] as (typeof places)[number];
    return { parameters: start + parameters, chain: start + chain };
  };
  const allocation = memory.allocate(`tables of program "${program.name}"`, bytes);
  const start = allocation.address;
  const table = memory.words(start, (program.calls.length * CALL_BYTES) / 4);
  blocks.forEach(({ kernel, parameters, chain }, i) => {
    const place = placeOf(i);
    table.set([kernel, place.parameters, chain ? place.chain : 0], (i * CALL_BYTES) / 4);
    memory.words(place.parameters, parameters.length).set(parameters);
    chain?.write(memory.words(place.chain, chain.bytes / 4), place.chain, (sum) => placeOf(sum).parameters);
  });
  const sums = program.calls.flatMap(({ kernel, parameters: { of = 0, columns = 0 }, bindings: { out } }, call) => {
    if (kernel !== SUMS) return [];
    const { parameters, chain } = placeOf(of);
    memory.words(placeOf(call).parameters, SUM_WORDS).set([blocks[of]?.parameters.length ? parameters : 0, chain], 4);
    const outer = (out as Placement).length / columns;
    return [{ of, call, columns, outer, partials: placeOf(call).parameters + 4 * PARTIALS_WORD }];
  });
  const chainScratchBytes = Math.max(0, ...blocks.map(({ chain }) => chain?.scratchBytes ?? 0));
  return { calls: start, count: program.calls.length, sums, chainScratchBytes, allocation };
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
  if (call.kernel === SUMS) {
    const { columns = 0, period = 0, scale = 1 } = call.parameters;
    const words = new Uint32Array([columns, period, 0, 0, 0, 0, addressOf(call.bindings["out"] as Placement)]);
    new Float32Array(words.buffer)[3] = scale;
    return words;
  }
  const declaration = kernels[LONGER[call.kernel] ?? call.kernel] as KernelDeclaration;
  const none = LONGER[call.kernel] ? Object.keys(declaration.parameters).map((field) => [field, 0] as const) : [];
  const offsets = Object.keys(declaration.bindings).map((name) => {
    const binding = call.bindings[name];
    return [`${name}Offset`, binding ? addressOf(binding) / 4 : 0];
  });
  const defaults = { ...Object.fromEntries(none), ...declaration.defaults };
  return packParameters(declaration, { ...defaults, ...call.parameters, ...Object.fromEntries(offsets) });
}
