/**
 * Sums of a chain's columns while their elements are in L1: out[o, i] = scale * sum over r of value[o, r, i], value being a step's
 * result or a product of the chain, [outer, reduced, columns]. src/backends/wasm/chain-sums.ts finds them.
 *
 * Each unit adds up its own rows, in f64 and in order: for each `o` that it has rows of, to columns of `partials` that are its
 * own; a call of kernel `sums` adds up those of the units, in their order. Units and `o` both grow with the elements, so unit + o
 * numbers them. So sums depend on how the call is cut into units, which its shape alone says, and not on threads.
 */
import { countOf, unitOf } from "./elementwise";
import { linearFirst, linearUnits } from "./linear";
import { splat, VECTOR } from "./simd";

/** A sum: the parameters of its call, which the chain's step reads too. */
@unmanaged
class Sums {
  columns: u32;
  /** Elements that one `o` has: reduced times columns. */
  period: u32;
  partials: usize;
  scale: f32;
  /** The product whose epilogue the chain is, its parameters' address; 0 of a chain that is a call of its own. */
  product: usize;
  chain: usize;
  out: usize;
}

// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** Adds whole rows, `size` elements from `start` on, which lie at `from`; all of one `o`. */
export function addRows(address: usize, unit: u32, start: u32, size: u32, from: usize, isFirst: bool): void {
  const sum = changetype<Sums>(address);
  const bytes: usize = <usize>sum.columns << 2;
  const o = start / sum.period;
  const isFresh = isFirst || start == o * sum.period;
  let to = sum.partials + (unit + o) * (bytes << 1);
  const end = from + (<usize>size << 2);
  for (const stop = from + bytes; from < stop; from += 2 * VECTOR, to += 4 * VECTOR) {
    let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
    if (!isFresh) {
      s0 = v128.load(to), s1 = v128.load(to, VECTOR);
      s2 = v128.load(to, 2 * VECTOR), s3 = v128.load(to, 3 * VECTOR);
    }
    for (let at = from; at < end; at += bytes) {
      const x = v128.load(at), y = v128.load(at, VECTOR);
      s0 = f64x2.add(s0, low(x));
      s1 = f64x2.add(s1, high(x));
      s2 = f64x2.add(s2, low(y));
      s3 = f64x2.add(s3, high(y));
    }
    v128.store(to, s0), v128.store(to, s1, VECTOR);
    v128.store(to, s2, 2 * VECTOR), v128.store(to, s3, 3 * VECTOR);
  }
}

/** Units of the call that has the chain. */
export function unitsOfChain(product: usize, chain: usize): u32 {
  return product ? linearUnits(product, chain) : (countOf(chain) + unitOf(chain) - 1) / unitOf(chain);
}

/** Adds up what the units have. */
export function finishSums(parameters: usize): void {
  const p = changetype<Sums>(parameters);
  const count = countOf(p.chain), period = p.period, units = unitsOfChain(p.product, p.chain);
  const bytes: usize = <usize>p.columns << 3;
  let total: usize = 0, out = p.out;
  for (let unit: u32 = 0, begin: u32 = 0; unit < units; unit++) {
    const next = unit + 1 == units ? count : p.product ? linearFirst(p.product, p.chain, unit + 1) : begin + unitOf(p.chain);
    for (let o = begin / period; o * period < next; o++) {
      const part = p.partials + (unit + o) * bytes;
      if (begin <= o * period) total = part;
      else {
        for (let i: usize = 0; i < bytes; i += VECTOR) {
          v128.store(total + i, f64x2.add(v128.load(total + i), v128.load(part + i)));
        }
      }
      if (next < (o + 1) * period) continue;
      for (let i: usize = 0; i < bytes; i += 8, out += 4) store<f32>(out, <f32>(<f64>p.scale * load<f64>(total + i)));
    }
    begin = next;
  }
}
