/**
 * elementwise: a fused chain over a range of its elements, BLOCK by BLOCK, so that intermediate values stay in L1. The
 * caller (src/backends/wasm/chain.ts) gives the chain as tables of words:
 *
 *   header      count, row, period, then the tables' lengths: the chain's elements; in a network's chain, those that blocks are
 *               whole multiples of, and that no block goes beyond a multiple of (sums.ts), or 0; spreads' slots are their own there
 *   scalars     { source, cell }: before the first block the element at `source` is spread over the 16 bytes at `cell`
 *   spreads     { source, divisor, modulus, stride, terms, slot }: for each block,
 *               slot[i] = source[(floor(i / divisor) mod modulus) stride + the same of each further term]; `terms` is the
 *               address of their number and of { divisor, modulus, stride } of each, their divisors multiples of
 *               divisor modulus; 0: there are none
 *   steps       { opcode, extra, then for out and three operands mode, address }; sums of columns are steps too
 *
 * Modes say what an address counts from, see `placeOf`. Sources are addresses in memory, cells and slots count from the
 * thread's scratch: threads share the tables.
 */
import { applyElements, applySeveral, FIRST_SEVERAL, RANDOM, STORE_STRIDED, SUM } from "./apply";
import { randomElements } from "./random";
import { copyElements, VECTOR } from "./simd";
import { addRows } from "./sums";
import { ALL } from "./variant";

/** Elements of a block. src/backends/wasm/chain.ts has the same number. */
const BLOCK: u32 = 512;

/** Addresses of a mode: of element 0 in memory; the product's row group; in scratch; of a constant's 16 bytes. */
const enum Mode { memory, product, slot, cell, constant }

@unmanaged
class Header {
  count: u32;
  row: u32;
  period: u32;
  scalars: u32;
  spreads: u32;
  steps: u32;
}

@unmanaged
class Scalar {
  source: usize;
  cell: usize;
}

@unmanaged
class Spread {
  source: usize;
  divisor: u32;
  modulus: u32;
  stride: u32;
  terms: usize;
  slot: usize;
}

@unmanaged
class Term {
  divisor: u32;
  modulus: u32;
  stride: u32;
}

@unmanaged
class Step {
  opcode: u32;
  /** The stride of a strided store, whose width is `b`; the address of a random draw's words. */
  extra: u32;
  outMode: u32;
  out: usize;
  aMode: u32;
  a: usize;
  bMode: u32;
  b: usize;
  cMode: u32;
  c: usize;
}

/** Elements of a chain. */
export function countOf(chain: usize): u32 {
  return changetype<Header>(chain).count;
}

// @ts-ignore: decorator
@inline
function blockOf(header: Header): u32 {
  return ALL && header.row ? BLOCK - BLOCK % header.row : BLOCK;
}

/** Elements of a unit, where the chain is a call of its own. */
export function unitOf(chain: usize): u32 {
  return 16 * blockOf(changetype<Header>(chain));
}

/** Steps of a chain: what an element costs. */
export function stepsOf(chain: usize): u32 {
  return changetype<Header>(chain).steps;
}

/**
 * Elements first to last of the chain: a unit of the call.
 *   scratch: this thread's, from the temporary 16 bytes on.
 *   product: where row group 0's element `first` lies, group g `groupBytes` g farther.
 */
export function runChain(
  chain: usize, unit: u32, first: u32, last: u32, scratch: usize, product: usize, groupBytes: usize, temporary: usize,
): void {
  const header = changetype<Header>(chain);
  const block = blockOf(header);
  const scalars = chain + offsetof<Header>();
  const spreads = scalars + header.scalars * offsetof<Scalar>();
  const steps = spreads + header.spreads * offsetof<Spread>();
  const end = steps + header.steps * offsetof<Step>();

  for (let p = scalars; p < spreads; p += offsetof<Scalar>()) {
    const scalar = changetype<Scalar>(p);
    v128.store(scratch + scalar.cell, v128.load32_splat(scalar.source));
  }
  for (let start = first, size: u32 = 0, before: u32 = 0; start < last; start += size, before = size) {
    size = min(block, last - start);
    if (ALL && header.period) size = min(size, header.period - start % header.period);
    const position: usize = <usize>start << 2;
    const inProduct = product + (<usize>(start - first) << 2);
    for (let p = spreads; p < steps; p += offsetof<Spread>()) {
      const load = changetype<Spread>(p);
      if (ALL && header.row && size <= before && isAsBefore(load, start, size, before)) continue;
      spread(load, start, size, scratch);
    }
    for (let p = steps; p < end; p += offsetof<Step>()) {
      const step = changetype<Step>(p);
      const opcode = step.opcode;
      const out = placeOf(step.outMode, step.out, position, scratch, inProduct, groupBytes);
      const a = placeOf(step.aMode, step.a, position, scratch, inProduct, groupBytes);
      const b = placeOf(step.bMode, step.b, position, scratch, inProduct, groupBytes);
      const c = placeOf(step.cMode, step.c, position, scratch, inProduct, groupBytes);
      if (opcode >= RANDOM) {
        if (opcode == STORE_STRIDED) storeStrided(step.out, start, step.extra, <u32>step.b, a, stepOf(step.aMode), size);
        else if (ALL && opcode == SUM) addRows(step.extra, unit, start, size, a, start == first);
        else randomElements(opcode - RANDOM, step.extra, start, size, a, b, c, out, temporary);
      } else if (opcode >= FIRST_SEVERAL) {
        applySeveral(opcode, size, a, out, b, c, temporary);
      } else {
        applyElements(
          opcode, size, out, a, stepOf(step.aMode), b, stepOf(step.bMode), c, stepOf(step.cMode), temporary,
        );
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function placeOf(
  mode: u32, address: usize, position: usize, scratch: usize, product: usize, groupBytes: usize,
): usize {
  if (mode == Mode.memory) return address + position;
  if (mode == Mode.product) return product + address * groupBytes;
  return mode == Mode.constant ? address : scratch + address;
}

/** Bytes from vector to vector. */
// @ts-ignore: decorator
@inline
function stepOf(mode: u32): usize {
  return mode >= <u32>Mode.cell ? 0 : VECTOR;
}

/** out[floor(j / width) stride + j mod width] = from[i], where j = start + i, for i < size. */
function storeStrided(out: usize, start: u32, stride: u32, width: u32, from: usize, step: usize, size: u32): void {
  const row = start / width;
  let column = start - row * width;
  out += (<usize>row * stride + column) << 2;
  const skipped: usize = <usize>(stride - width) << 2;
  const next: usize = step ? 4 : 0;
  for (let i: u32 = 0; i < size; i++, out += 4, from += next) {
    store<u32>(out, load<u32>(from));
    if (++column == width) {
      column = 0;
      out += skipped;
    }
  }
}

/** slot[i] = source[(floor((start + i) / divisor) mod modulus) stride] for i < size. */
function spread(load: Spread, start: u32, size: u32, scratch: usize): void {
  if (load.terms) {
    spreadRuns(load, start, size, scratch + load.slot);
    return;
  }
  const quotient = start / load.divisor;
  const row = quotient % load.modulus;
  const slot = scratch + load.slot;
  if (load.divisor != 1) {
    repeat(load.source, load.divisor, load.modulus, load.stride, row, start - quotient * load.divisor, slot, size);
  } else if (load.stride == 1) {
    cycle(load.source, load.modulus, row, slot, size);
  } else {
    pick(load.source, load.modulus, load.stride, row, slot, size);
  }
}

// @ts-ignore: decorator
@inline
function countOfTerms(spread: Spread): u32 {
  return load<u32>(spread.terms);
}

/** Whether the slot has what this block reads: it repeats itself, and the block before this one, of `before` elements, read the same. */
// @ts-ignore: decorator
@inline
function isAsBefore(load: Spread, start: u32, size: u32, before: u32): bool {
  if (before % (load.divisor * load.modulus)) return false;
  if (!load.terms) return true;
  const end = load.terms + 4 + countOfTerms(load) * offsetof<Term>();
  for (let p = load.terms + 4; p < end; p += offsetof<Term>()) {
    const divisor = changetype<Term>(p).divisor;
    if ((start - before) / divisor != (start + size - 1) / divisor) return false;
  }
  return true;
}

/** A load of several terms, by runs in which only the first changes. */
function spreadRuns(from: Spread, start: u32, size: u32, slot: usize): void {
  const divisor = from.divisor;
  const period = divisor * from.modulus;
  const terms = from.terms + 4;
  const end = terms + load<u32>(from.terms) * offsetof<Term>();
  for (const last = start + size; start < last; ) {
    let source = from.source, length = last - start;
    for (let p = terms; p < end; p += offsetof<Term>()) {
      const term = changetype<Term>(p);
      source += <usize>(start / term.divisor % term.modulus * term.stride) << 2;
      length = min(length, term.divisor - start % term.divisor);
    }
    const phase = start % period;
    const head = min(length, period & 3 ? period << 2 : period); // what follows repeats it by whole vectors
    if (divisor != 1) repeat(source, divisor, from.modulus, from.stride, phase / divisor, phase % divisor, slot, head);
    else if (from.stride != 1) pick(source, period, from.stride, phase, slot, head);
    else cycle(source, period, phase, slot, head);
    const bytes: usize = <usize>head << 2, stop = slot + (<usize>length << 2);
    for (slot += bytes; slot + VECTOR <= stop; slot += VECTOR) v128.store(slot, v128.load(slot - bytes));
    for (; slot < stop; slot += 4) store<u32>(slot, load<u32>(slot - bytes));
    start += length;
  }
}

/** slot[i] = source[(first + i) mod period]: a row under every row. */
function cycle(source: usize, period: u32, first: u32, slot: usize, size: u32): void {
  // A number of periods that is a multiple of four elements is written first; the rest repeats it by whole vectors.
  const whole = period & 3 ? period << 2 : period;
  let i: u32 = 0;
  for (const head = min(size, whole); i < head; ) {
    const length = min(head - i, period - first);
    if (length < 16) copyElements(slot + (i << 2), source + (first << 2), length);
    else memory.copy(slot + (i << 2), source + (first << 2), length << 2);
    i += length;
    first = 0;
  }
  for (; i < size; i += 4) v128.store(slot + (i << 2), v128.load(slot + ((i - whole) << 2)));
}

/** slot[i] = source[((first + i) mod period) stride]: a column. */
function pick(source: usize, period: u32, stride: u32, first: u32, slot: usize, size: u32): void {
  const bytes: usize = <usize>stride << 2;
  for (const end = slot + (size << 2); slot < end; first = 0) {
    const stop = min(end, slot + (<usize>(period - first) << 2));
    for (let from = source + first * bytes; slot < stop; slot += 4, from += bytes) store<u32>(slot, load<u32>(from));
  }
}

/** slot[i] = source[row stride], `divisor` times each, then the next row: a column beside every column. */
function repeat(
  source: usize, divisor: u32, modulus: u32, stride: u32, row: u32, phase: u32, slot: usize, size: u32,
): void {
  const end = slot + (size << 2);
  const bytes: usize = <usize>stride << 2;
  let value = v128.load32_splat(source + row * bytes);
  for (let left = divisor - phase; ; left = divisor) {
    const stop = min(end, slot + (<usize>left << 2));
    for (; slot + VECTOR <= stop; slot += VECTOR) v128.store(slot, value);
    for (; slot < stop; slot += 4) v128.store32_lane(slot, value, 0);
    if (slot == end) return;
    row = row + 1 == modulus ? 0 : row + 1;
    value = v128.load32_splat(source + row * bytes);
  }
}
