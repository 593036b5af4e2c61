/**
 * A program as the words that wasm/index.ts's `run` reads: a table of calls { kernel, address of its parameters }, the
 * parameter structs with all addresses filled in, and the chains' tables and scratch.
 */
import { ConfigError } from "../../errors.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Placement, Program } from "../../schedule/program.ts";
import { layOutChain } from "./chain.ts";
import type { Allocation, WasmMemory } from "./memory.ts";

/** The numbers that `run` knows kernels by: positions in this list, which is that of wasm/index.ts. */
const KERNELS = ["copy", "elementwise", "gather", "linear", "random", "reduce", "replaceRow", "scatterAdd"];

/** Parameter blocks begin at multiples of a vector's bytes. */
const BLOCK_ALIGNMENT = 16;

export interface Translation {
  /** Address of the table of calls. */
  readonly calls: number;
  readonly count: number;
  /** Everything the translation holds; the caller gives it back. */
  readonly allocation: Allocation;
}

/** @param baseOf - the byte address of a region's start, by a placement in it. */
export function translate(program: Program, memory: WasmMemory, baseOf: (placement: Placement) => number): Translation {
  const addressOf = (placement: Placement) => baseOf(placement) + placement.offset * 4;
  const blocks = program.calls.map((call) =>
    call.chain ? layOutChain(call.chain, addressOf) : parametersOf(call, addressOf),
  );

  let bytes = program.calls.length * 8;
  const reserve = (size: number): number => {
    const start = Math.ceil(bytes / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT;
    bytes = start + size;
    return start;
  };
  const places = blocks.map((block) =>
    block instanceof Uint32Array
      ? { parameters: reserve(block.byteLength), scratch: 0 }
      : { parameters: reserve(block.parameterBytes), scratch: reserve(block.scratchBytes) },
  );

  const allocation = memory.allocate(`tables of program "${program.name}"`, bytes);
  const start = allocation.address;
  const table = memory.words(start, program.calls.length * 2);
  program.calls.forEach((call, i) => {
    const { parameters, scratch } = places[i] as (typeof places)[number];
    table[2 * i] = KERNELS.indexOf(call.kernel);
    table[2 * i + 1] = start + parameters;
    const block = blocks[i] as (typeof blocks)[number];
    if (block instanceof Uint32Array) {
      memory.words(start + parameters, block.length).set(block);
    } else {
      const chainParameters = memory.words(start + parameters, block.parameterBytes / 4);
      const chainScratch = memory.words(start + scratch, block.scratchBytes / 4);
      block.write(chainParameters, chainScratch, start + scratch);
    }
  });
  return { calls: start, count: program.calls.length, allocation };
}

function declarationOf({ kernel, label }: KernelCall) {
  const declaration = kernels[kernel];
  if (declaration && KERNELS.includes(kernel)) return declaration;
  throw new ConfigError({
    subject: `kernel of the call "${label}"`,
    given: kernel,
    expected: `one of ${KERNELS.join(", ")}`,
    remedy: "Compile the graph with this version's schedule.",
  });
}

/** The call's parameter struct; `xOffset` is the address of binding x in elements, 0 where nothing is bound. */
function parametersOf(call: KernelCall, addressOf: (placement: Placement) => number): Uint32Array {
  const declaration = declarationOf(call);
  const offsets = Object.keys(declaration.bindings).map((name) => {
    const binding = call.bindings[name];
    return [`${name}Offset`, binding ? addressOf(binding) / 4 : 0];
  });
  return packParameters(declaration, { ...call.parameters, ...Object.fromEntries(offsets) });
}
