/**
 * elementwise: a fused chain, run over blocks of BLOCK elements whose intermediate values stay in L1. The caller
 * (src/backends/wasm/chain.ts) gives the chain as tables of words; addresses are bytes.
 *
 *   header      count, scalars, spreads, steps: the first is the chain's elements, the others lengths of the tables
 *   scalars     { source, cell }: before the first block the element at `source` is spread over the 16 bytes at `cell`
 *   spreads     { source, divisor, modulus, slot }: for each block, slot[i] = source[floor(i / divisor) mod modulus]
 *   steps       { opcode, out, outStride, then for each of three operands address, vectorStep, blockStride }
 *
 * An operand at block k begins at address + k blockStride: memory read in order has vectorStep 16 and blockStride
 * 4 BLOCK, a slot 16 and 0, a constant or scalar cell 0 and 0.
 */
import { applyElements } from "./apply";
import { copyElements, VECTOR } from "./simd";

/** Elements of a block. src/backends/wasm/chain.ts has the same number. */
const BLOCK: u32 = 512;

@unmanaged
class Header {
  count: u32;
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
  slot: usize;
}

@unmanaged
class Step {
  opcode: u32;
  out: usize;
  outStride: usize;
  a: usize;
  aStep: usize;
  aStride: usize;
  b: usize;
  bStep: usize;
  bStride: usize;
  c: usize;
  cStep: usize;
  cStride: usize;
}

/** `cell`: 16 bytes of scratch. */
export function elementwise(parameters: usize, cell: usize): void {
  const header = changetype<Header>(parameters);
  const scalars = parameters + offsetof<Header>();
  const spreads = scalars + header.scalars * offsetof<Scalar>();
  const steps = spreads + header.spreads * offsetof<Spread>();
  const end = steps + header.steps * offsetof<Step>();

  for (let p = scalars; p < spreads; p += offsetof<Scalar>()) {
    const scalar = changetype<Scalar>(p);
    v128.store(scalar.cell, v128.load32_splat(scalar.source));
  }
  const count = header.count;
  for (let start: u32 = 0, block: usize = 0; start < count; start += BLOCK, block++) {
    const size = min(BLOCK, count - start);
    for (let p = spreads; p < steps; p += offsetof<Spread>()) spread(changetype<Spread>(p), start, size);
    for (let p = steps; p < end; p += offsetof<Step>()) {
      const step = changetype<Step>(p);
      applyElements(
        step.opcode, size, step.out + block * step.outStride,
        step.a + block * step.aStride, step.aStep,
        step.b + block * step.bStride, step.bStep,
        step.c + block * step.cStride, step.cStep,
        cell,
      );
    }
  }
}

/** slot[i] = source[floor((start + i) / divisor) mod modulus] for i < size. */
function spread(load: Spread, start: u32, size: u32): void {
  const quotient = start / load.divisor;
  if (load.divisor == 1) cycle(load.source, load.modulus, quotient % load.modulus, load.slot, size);
  else repeat(load.source, load.divisor, load.modulus, quotient % load.modulus, start - quotient * load.divisor, load.slot, size);
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

/** slot[i] = source[row], `divisor` times each, then the next row: a column beside every column. */
function repeat(source: usize, divisor: u32, modulus: u32, row: u32, phase: u32, slot: usize, size: u32): void {
  const end = slot + (size << 2);
  let value = v128.load32_splat(source + (row << 2));
  for (let left = divisor - phase; ; left = divisor) {
    const stop = min(end, slot + (<usize>left << 2));
    for (; slot + VECTOR <= stop; slot += VECTOR) v128.store(slot, value);
    for (; slot < stop; slot += 4) v128.store32_lane(slot, value, 0);
    if (slot == end) return;
    row = row + 1 == modulus ? 0 : row + 1;
    value = v128.load32_splat(source + (row << 2));
  }
}
