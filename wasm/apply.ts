/**
 * The loops of the elementwise functions: out = f(a, b, c) over vectors of four. The case labels are the opcodes, the
 * positions in src/kernels/elementwise.ts. An operand's step is the bytes from vector to vector, 0 for one vector that
 * stands for all. `out` may be an operand.
 */
import { activate } from "./activation";
import { exp, expm1, log, log1p } from "./exponential";
import { choose, copyElements, oneWhere, splat, VECTOR } from "./simd";
import { cos, sin } from "./trigonometry";
import { ALL } from "./variant";

const enum Opcode {
  negate, abs, sign, sqrt, exp, expm1, log, log1p, sin, cos, floor, finite, toFloat, increment,
  add, subtract, multiply, divide, minimum, maximum, less, lessEqual, equal, select,
  silu0, silu1, silu2, silu3, tanh0, tanh1, tanh2, tanh3, relu0, relu1, relu2, relu3,
  gelu0, gelu1, gelu2, gelu3, geluTanh0, geluTanh1, geluTanh2, geluTanh3,
  softplus0, softplus1, softplus2, softplus3, activationSin0, activationSin1, activationSin2, activationSin3,
  elu0, elu1, elu2, elu3, selu0, selu1, selu2, selu3,
  /** From here on no functions of chains by name: src/backends/wasm/chain.ts makes such steps. out = a. */
  store,
  /** Two steps as one, each rounded: a b + c, a b - c, c - a b, a b c, a + b + c, -(a b). src/backends/wasm/chain-pairs.ts makes them. */
  multiplyAdd, multiplySubtract, subtractProduct, multiplyMultiply, addAdd, multiplyNegate,
  /** Several results of one operand: of each activation orders 0 and 1, 1 and 2, or all three; not of relu and sin. */
  silu01, silu12, silu012, tanh01, tanh12, tanh012, relu01, relu12, relu012, gelu01, gelu12, gelu012,
  geluTanh01, geluTanh12, geluTanh012, softplus01, softplus12, softplus012, sin01, sin12, sin012, elu01, elu12, elu012,
  selu01, selu12, selu012,
  /** In the order of randomFunctions, src/kernels/elementwise.ts. */
  randomBits, randomUniform, randomNormal, randomRademacher, randomIndex,
  storeStrided,
  /** Sums of columns, sums.ts: `extra` says of what. */
  sum,
}

/** What other kernels name. */
export const ADD: u32 = Opcode.add;
export const FIRST_SEVERAL: u32 = Opcode.silu01;
export const RANDOM: u32 = Opcode.randomBits;
export const STORE_STRIDED: u32 = Opcode.storeStrided;
export const SUM: u32 = Opcode.sum;

const EXPONENT_BITS: i32 = 0x7f800000;

/** out = f(a, b, c) on `count` elements; reads whole vectors, writes no more than `count`. `cell`: 16 bytes of scratch. */
export function applyElements(
  opcode: u32, count: u32, out: usize, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize,
  cell: usize,
): void {
  const vectors: usize = count >> 2;
  const rest = count & 3;
  if (vectors > 0) apply(opcode, out, out + vectors * VECTOR, a, aStep, b, bStep, c, cStep);
  if (rest > 0) {
    apply(opcode, cell, cell + VECTOR, a + vectors * aStep, aStep, b + vectors * bStep, bStep, c + vectors * cStep, cStep);
    copyElements(out + vectors * VECTOR, cell, rest);
  }
}

/**
 * Two or three results of one operand, which share what is costly in them; `a` may be one of them. A result of an
 * opcode that has only two is not written. `temporary`: 48 bytes.
 */
export function applySeveral(
  opcode: u32, count: u32, a: usize, first: usize, second: usize, third: usize, temporary: usize,
): void {
  const done: usize = <usize>(count >> 2) * VECTOR;
  several(opcode, done, a, first, second, third);
  const rest = count & 3;
  if (rest == 0) return;
  several(opcode, VECTOR, a + done, temporary, temporary + VECTOR, temporary + 2 * VECTOR);
  copyElements(first + done, temporary, rest);
  copyElements(second + done, temporary + VECTOR, rest);
  if (ordersOf(opcode) == 2) copyElements(third + done, temporary + 2 * VECTOR, rest);
}

/** 0, 1, 2: orders 0 and 1, 1 and 2, or all three. */
// @ts-ignore: decorator
@inline
function ordersOf(opcode: u32): u32 {
  return (opcode - Opcode.silu01) % 3;
}

/** Of results that fall on one place the slope stays. */
function several(opcode: u32, bytes: usize, a: usize, first: usize, second: usize, third: usize): void {
  const orders = ordersOf(opcode);
  const kind = (opcode - Opcode.silu01) / 3;
  activate(kind, 1, bytes, a, VECTOR, first, orders == 1 ? first : second, orders == 2 ? third : second);
}

function apply(
  opcode: u32, out: usize, end: usize, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize,
): void {
  switch (opcode) {
    case Opcode.negate:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.neg(v128.load(a)));
      return;
    case Opcode.abs:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.abs(v128.load(a)));
      return;
    case Opcode.sign:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, sign(v128.load(a)));
      return;
    case Opcode.sqrt:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.sqrt(v128.load(a)));
      return;
    case Opcode.exp:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, exp(v128.load(a)));
      return;
    case Opcode.expm1:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, expm1(v128.load(a)));
      return;
    case Opcode.log:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, log(v128.load(a)));
      return;
    case Opcode.log1p:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, log1p(v128.load(a)));
      return;
    case Opcode.sin:
    case Opcode.activationSin0:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, sin(v128.load(a)));
      return;
    case Opcode.cos:
    case Opcode.activationSin1:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, cos(v128.load(a)));
      return;
    case Opcode.floor:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.floor(v128.load(a)));
      return;
    case Opcode.finite:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, finite(v128.load(a)));
      return;
    case Opcode.toFloat:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.convert_i32x4_u(v128.load(a)));
      return;
    case Opcode.increment:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, i32x4.add(v128.load(a), i32x4.splat(1)));
      return;
    case Opcode.add:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.add(v128.load(a), v128.load(b)));
      return;
    case Opcode.subtract:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.sub(v128.load(a), v128.load(b)));
      return;
    case Opcode.multiply:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.mul(v128.load(a), v128.load(b)));
      return;
    case Opcode.divide:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.div(v128.load(a), v128.load(b)));
      return;
    case Opcode.minimum:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.min(v128.load(a), v128.load(b)));
      return;
    case Opcode.maximum:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) v128.store(out, f32x4.max(v128.load(a), v128.load(b)));
      return;
    case Opcode.less:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) {
        v128.store(out, oneWhere(f32x4.lt(v128.load(a), v128.load(b))));
      }
      return;
    case Opcode.lessEqual:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) {
        v128.store(out, oneWhere(f32x4.le(v128.load(a), v128.load(b))));
      }
      return;
    case Opcode.equal:
      for (; out < end; out += VECTOR, a += aStep, b += bStep) {
        v128.store(out, oneWhere(f32x4.eq(v128.load(a), v128.load(b))));
      }
      return;
    case Opcode.select:
      for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
        v128.store(out, choose(f32x4.ne(v128.load(a), splat(0)), v128.load(b), v128.load(c)));
      }
      return;
    case Opcode.relu0:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.pmax(v128.load(a), splat(0)));
      return;
    case Opcode.relu1: // from the left at 0
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, oneWhere(f32x4.gt(v128.load(a), splat(0))));
      return;
    case Opcode.relu2:
    case Opcode.relu3:
      for (; out < end; out += VECTOR) v128.store(out, splat(0));
      return;
    case Opcode.activationSin2:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.neg(sin(v128.load(a))));
      return;
    case Opcode.activationSin3:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, f32x4.neg(cos(v128.load(a))));
      return;
    case Opcode.store:
      for (; out < end; out += VECTOR, a += aStep) v128.store(out, v128.load(a));
      return;
    case Opcode.multiplyAdd:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
          v128.store(out, f32x4.add(f32x4.mul(v128.load(a), v128.load(b)), v128.load(c)));
        }
      }
      return;
    case Opcode.multiplySubtract:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
          v128.store(out, f32x4.sub(f32x4.mul(v128.load(a), v128.load(b)), v128.load(c)));
        }
      }
      return;
    case Opcode.subtractProduct:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
          v128.store(out, f32x4.sub(v128.load(c), f32x4.mul(v128.load(a), v128.load(b))));
        }
      }
      return;
    case Opcode.multiplyMultiply:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
          v128.store(out, f32x4.mul(f32x4.mul(v128.load(a), v128.load(b)), v128.load(c)));
        }
      }
      return;
    case Opcode.addAdd:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep, c += cStep) {
          v128.store(out, f32x4.add(f32x4.add(v128.load(a), v128.load(b)), v128.load(c)));
        }
      }
      return;
    case Opcode.multiplyNegate:
      if (ALL) {
        for (; out < end; out += VECTOR, a += aStep, b += bStep) {
          v128.store(out, f32x4.neg(f32x4.mul(v128.load(a), v128.load(b))));
        }
      }
      return;
    default: {
      const activation = opcode - Opcode.silu0;
      activate(activation >> 2, activation & 3, end - out, a, aStep, out, out, out);
    }
  }
}

/** -1, 0 or 1; NaN of NaN. */
// @ts-ignore: decorator
@inline
function sign(x: v128): v128 {
  const one = v128.or(splat(1), v128.and(x, i32x4.splat(0x80000000)));
  return choose(f32x4.eq(x, splat(0)), splat(0), choose(f32x4.eq(x, x), one, x));
}

/** 1 where the exponent bits say finite, else 0. */
// @ts-ignore: decorator
@inline
function finite(x: v128): v128 {
  return oneWhere(i32x4.ne(v128.and(x, i32x4.splat(EXPONENT_BITS)), i32x4.splat(EXPONENT_BITS)));
}
