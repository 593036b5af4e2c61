/**
 * Where plans and assignments are made: memory, and the loops over it. Of WebAssembly where it has vectors and memory enough, else of plain
 * arrays; both give the same bits.
 */
import { bytes } from "../generated/wasm-transport.ts";
import type { PathBuffers } from "./assignment-loops.ts";
import { BEHIND, type Kernel, LANES, type Loops, plainLoops } from "./loops.ts";

/** Arrays of one piece of work, and what is done with them. They are another's once it is released. */
export interface Workspace {
  readonly loops: Loops;
  /** Zeros; or, for what is written before it is read, whatever was there. */
  f64(length: number, isWritten?: boolean): Float64Array;
  f32(length: number, isWritten?: boolean): Float32Array;
  i32(length: number): Int32Array;
  release(): void;
}

/** Bytes to which each array is aligned, and that it may take beyond its elements. */
const ALIGNMENT = 64;

/** The module's own numbers are in the first page. */
const PAGE = 65_536;

/** Bytes that are kept for the next piece of work: of two plans of 512 points. A larger one gives its memory back. */
const MOST_KEPT = 12 * 2 ** 20;

/** Elements from one row of a matrix to the next. */
export const widthOf = (columns: number) => Math.ceil(columns / LANES) * LANES;

/** For arrays of so many bytes, {@link bytesOf} for each. */
export function workspaceOf(bytes: number): Workspace {
  const machine = machineOf(bytes);
  if (!machine) return { loops: plainLoops, f64, f32, i32, release() {} };
  const { buffer } = machine.memory;
  let end = PAGE;
  const place = (length: number, isWritten = false) => {
    const at = end;
    end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    if (!isWritten) new Uint8Array(buffer, at, length).fill(0);
    return at;
  };
  return {
    loops: machine.loops,
    f64: (length, isWritten) => new Float64Array(buffer, place(8 * length, isWritten), length),
    f32: (length, isWritten) => new Float32Array(buffer, place(4 * length, isWritten), length),
    i32: (length) => new Int32Array(buffer, place(4 * length), length),
    release() {
      if (buffer.byteLength <= MOST_KEPT) kept = machine;
    },
  };
}

const f64 = (length: number) => new Float64Array(length);
const f32 = (length: number) => new Float32Array(length);
const i32 = (length: number) => new Int32Array(length);

/** The bytes that an array of so many takes. */
export const bytesOf = (length: number) => length + ALIGNMENT;

/** Writes a matrix whose rows have nothing between them. */
export function widened(values: Float64Array, rows: number, columns: number, into: Float64Array): Float64Array {
  const width = widthOf(columns);
  if (width === columns) {
    into.set(values);
    return into;
  }
  for (let i = 0; i < rows; i++) {
    into.set(values.subarray(i * columns, (i + 1) * columns), i * width);
    into.fill(BEHIND, i * width + columns, (i + 1) * width);
  }
  return into;
}

/** A copy of the matrix, without what is behind its rows. */
export function narrowed(values: Float64Array, rows: number, columns: number): Float64Array {
  const width = widthOf(columns);
  if (width === columns) return values.slice();
  const copy = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) copy.set(values.subarray(i * width, i * width + columns), i * columns);
  return copy;
}

interface Machine {
  readonly memory: WebAssembly.Memory;
  readonly loops: Loops;
}

/** What is compiled, undefined where WebAssembly is not to be had; and a memory that nobody works in. Neither holds a result. */
let compiled: WebAssembly.Module | false | undefined;
let kept: Machine | undefined;

function machineOf(size: number): Machine | undefined {
  compiled ??= moduleOf();
  if (!compiled) return undefined;
  try {
    const machine = kept ?? machineFrom(compiled);
    kept = undefined;
    const pages = Math.ceil((PAGE + size - machine.memory.buffer.byteLength) / PAGE);
    if (pages > 0) machine.memory.grow(pages);
    return machine;
  } catch {
    return undefined; // no memory as large: plain arrays may be had, or say so
  }
}

/** False where there are no vectors, or a page's policy or an old browser's limit for compiling at once forbids it. */
function moduleOf(): WebAssembly.Module | false {
  try {
    return new WebAssembly.Module(Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0)));
  } catch {
    return false;
  }
}

type Run = (...parameters: number[]) => number;

function machineFrom(module: WebAssembly.Module): Machine {
  const exports = new WebAssembly.Instance(module).exports;
  const names = Object.keys(plainLoops) as (keyof Loops)[];
  const loops = names.map((name) => {
    const [double, single] = [name, `${name}32`].map((own) => exports[own] as Run);
    const run = (...given: Parameters<Loops[typeof name]>) =>
      (given.some((one) => one instanceof Float32Array) ? single : double)(...given.flatMap(addresses));
    return [name, run];
  });
  return { memory: exports["memory"] as WebAssembly.Memory, loops: Object.fromEntries(loops) };
}

/** What the module is told of an argument: a number, where an array is, or where each of several are. */
function addresses(given: number | Kernel | PathBuffers): number | number[] {
  if (typeof given === "number") return given;
  if (ArrayBuffer.isView(given)) return given.byteOffset;
  const { columnOf, rowOf, v, distance, price, before, reached, reachedAt } = given;
  return [columnOf, rowOf, v, distance, price, before, reached, reachedAt].map(({ byteOffset }) => byteOffset);
}
