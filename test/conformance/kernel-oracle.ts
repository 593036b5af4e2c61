/** What each kernel's declaration says, in plain f64: loops written for reading, sharing nothing with a backend. */
import type { reductions } from "../../src/kernels/reduce.ts";
import { ops } from "../../src/ops/registry.ts";

export interface LinearSizes {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  readonly biasRows: number;
}

export function linear(
  { rows, columns, depth, transposeLeft, transposeRight, biasRows }: LinearSizes,
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const a = transposeLeft ? left[k * rows + r] : left[r * depth + k];
        const b = transposeRight ? right[c * depth + k] : right[k * columns + c];
        sum += a! * b!;
      }
      if (bias && r < biasRows) sum += bias[c]!;
      out[r * columns + c] = sum;
    }
  }
  return out;
}

/** sums[c] of the first rows of right. */
export function columnSums(
  { columns, sumsDepth }: { columns: number; sumsDepth: number },
  right: ArrayLike<number>,
): Float64Array {
  const sums = new Float64Array(columns);
  for (let k = 0; k < sumsDepth; k++) for (let c = 0; c < columns; c++) sums[c]! += right[k * columns + c]!;
  return sums;
}

export function reduce(
  { outer, reduced, inner, scale }: { outer: number; reduced: number; inner: number; scale: number },
  kind: (typeof reductions)[number],
  from: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let total = kind === "max" ? -Infinity : 0;
      for (let r = 0; r < reduced; r++) {
        const value = from[(o * reduced + r) * inner + i]!;
        if (kind === "max") total = Math.max(total, value);
        else total += kind === "sum" ? value : value * value;
      }
      out[o * inner + i] = scale * total;
    }
  }
  return out;
}

export function gather(table: ArrayLike<number>, indices: ArrayLike<number>, width: number): Float64Array {
  return Float64Array.from({ length: indices.length * width }, (_, i) => {
    return table[indices[Math.floor(i / width)]! * width + (i % width)]!;
  });
}

export function scatterAdd(
  values: ArrayLike<number>,
  indices: ArrayLike<number>,
  width: number,
  rows: number,
): Float64Array {
  const out = new Float64Array(rows * width);
  for (let m = 0; m < indices.length; m++) {
    for (let column = 0; column < width; column++) out[indices[m]! * width + column]! += values[m * width + column]!;
  }
  return out;
}

/** Four sizes, a start and strides of source and target each. */
export interface CopySizes {
  readonly sizes: readonly number[];
  readonly source: { readonly start: number; readonly strides: readonly number[] };
  readonly target: { readonly start: number; readonly strides: readonly number[] };
}

/** `target` after the copy. */
export function copy({ sizes, source, target }: CopySizes, from: ArrayLike<number>, before: ArrayLike<number>) {
  const after = Float64Array.from(before);
  const [n0, n1, n2, n3] = sizes as [number, number, number, number];
  const at = ({ start, strides }: CopySizes["source"], index: readonly number[]) =>
    index.reduce((sum, i, k) => sum + i * strides[k]!, start);
  for (let i0 = 0; i0 < n0; i0++) {
    for (let i1 = 0; i1 < n1; i1++) {
      for (let i2 = 0; i2 < n2; i2++) {
        for (let i3 = 0; i3 < n3; i3++) {
          const index = [i0, i1, i2, i3];
          after[at(target, index)] = from[at(source, index)]!;
        }
      }
    }
  }
  return after;
}

/** A function of elementwise chains in f64: the reference of the op that names it. */
export function elementwiseFunction(name: string): (...operands: number[]) => number {
  for (const { op, cases } of ops) {
    for (const { attributes } of cases) {
      if (op.elementwise?.(attributes) !== name) continue;
      return (...operands) => {
        const inputs = operands.map((operand) => ({ shape: [1], data: Float64Array.of(operand) }));
        return op.reference(inputs, attributes, [1]).data[0]!;
      };
    }
  }
  throw new Error(`No op's cases use the elementwise function "${name}".`);
}
