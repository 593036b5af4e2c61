/**
 * A program as the words that wasm/index.ts's `run` reads: a table of calls { kernel, address of its parameters }, the
 * parameter structs with all addresses filled in, and the chains' tables and scratch.
 */
import * as d from "typegpu/data";
import { ConfigError } from "../../errors.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Placement, Program } from "../../schedule/program.ts";
import { type LaidOutChain, layOutChain } from "./chain.ts";
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
  const chains = new Map<KernelCall, LaidOutChain>();
  for (const call of program.calls) if (call.chain) chains.set(call, layOutChain(call.chain, addressOf));

  let bytes = program.calls.length * 8;
  const reserve = (size: number): number => {
    const start = Math.ceil(bytes / BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT;
    bytes = start + size;
    return start;
  };
  const places = program.calls.map((call) => {
    const chain = chains.get(call);
    if (chain) return { parameters: reserve(chain.parameterBytes), scratch: reserve(chain.scratchBytes) };
    return { parameters: reserve(d.sizeOf(declarationOf(call).parameters)), scratch: 0 };
  });

  const allocation = memory.allocate(`tables of program "${program.name}"`, bytes);
  const start = allocation.address;
  const table = memory.words(start, program.calls.length * 2);
  program.calls.forEach((call, i) => {
    const { parameters, scratch } = places[i] as (typeof places)[number];
    table[2 * i] = KERNELS.indexOf(call.kernel);
    table[2 * i + 1] = start + parameters;
    const chain = chains.get(call);
    if (chain) {
      const chainParameters = memory.words(start + parameters, chain.parameterBytes / 4);
      const chainScratch = memory.words(start + scratch, chain.scratchBytes / 4);
      chain.write(chainParameters, chainScratch, start + scratch);
    } else {
      writeParameters(call, memory, start + parameters, addressOf);
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

/** The struct's fields, all of 4 bytes, in order; `xOffset` is the address of binding x in elements. */
function writeParameters(
  call: KernelCall,
  memory: WasmMemory,
  address: number,
  addressOf: (placement: Placement) => number,
): void {
  const fields = declarationOf(call).parameters.propTypes as Readonly<Record<string, { readonly type: string }>>;
  Object.entries(fields).forEach(([name, { type }], i) => {
    const binding = name.endsWith("Offset") ? call.bindings[name.slice(0, -"Offset".length)] : undefined;
    const value = binding ? addressOf(binding) / 4 : (call.parameters[name] ?? 0);
    if (type === "f32") memory.floats(address + 4 * i, 1)[0] = value;
    else memory.words(address + 4 * i, 1)[0] = value;
  });
}
