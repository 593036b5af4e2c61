/**
 * The module: a function per kernel of src/kernels, and `run`, which runs a program's list of calls. Kernels take the
 * address of their parameters and, those that need it, of scratch memory; nothing in here allocates or keeps state.
 */
import { copy } from "./copy";
import { elementwise } from "./elementwise";
import { linear, LINEAR_BYTES } from "./linear";
import { random } from "./random";
import { reduce } from "./reduce";
import { gather, replaceRow, scatterAdd } from "./rows";

export { copy, elementwise, gather, linear, random, reduce, replaceRow, scatterAdd };

/** Bytes of scratch that a call may take: `linear` takes the most. */
export function scratchBytes(): usize {
  return LINEAR_BYTES;
}

const enum Kernel { copy, elementwise, gather, linear, random, reduce, replaceRow, scatterAdd }

/** Runs `count` calls, `times` times over. calls: { kernel, address of parameters }, src/backends/wasm/translate.ts. */
export function run(calls: usize, count: u32, times: u32, scratch: usize): void {
  const end = calls + (count << 3);
  for (let time: u32 = 0; time < times; time++) {
    for (let call = calls; call < end; call += 8) {
      const parameters = load<usize>(call, 4);
      switch (load<u32>(call)) {
        case Kernel.copy: copy(parameters); break;
        case Kernel.elementwise: elementwise(parameters, scratch); break;
        case Kernel.gather: gather(parameters); break;
        case Kernel.linear: linear(parameters, scratch); break;
        case Kernel.random: random(parameters, scratch); break;
        case Kernel.reduce: reduce(parameters, scratch); break;
        case Kernel.replaceRow: replaceRow(parameters); break;
        case Kernel.scatterAdd: scatterAdd(parameters); break;
      }
    }
  }
}
