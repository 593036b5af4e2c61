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

/** `linear` of what a window shows of `left`: the parameters of `convolve`. */
export function convolve(
  p: Readonly<Record<string, number>>,
  left: ArrayLike<number>,
  right: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
): Float64Array {
  const { rows = 0, columns = 0, depth = 0, transposeLeft = 0, transposeRight = 0, biasRows = 0, channels = 0 } = p;
  const [lines, width] = transposeLeft ? [depth, rows] : [rows, depth];
  const seen = Float64Array.from({ length: lines * width }, (_, i) => {
    const at = windowIndex(p, Math.floor(i / width), i % width);
    return at === undefined ? 0 : left[at]!;
  });
  // Each tap's matrix [columns, channels] the other way round.
  const untransposed = Float64Array.from(right, (_, i) => {
    const [k, column] = [Math.floor(i / columns), i % columns];
    return right[(Math.floor(k / channels) * columns + column) * channels + (k % channels)]!;
  });
  const shape = { rows, columns, depth, transposeLeft: transposeLeft === 1, transposeRight: false, biasRows };
  return linear(shape, seen, transposeRight ? untransposed : right, bias);
}

/** Where in `left` the element of the matrix lies that a window shows; undefined where it is zero. */
export function windowIndex(p: Readonly<Record<string, number>>, row: number, column: number): number | undefined {
  const channels = p["channels"]!;
  const tap = Math.floor(column / channels);
  const place = row % (p["downOutput"]! * p["acrossOutput"]!);
  const image = (row - place) / (p["downOutput"]! * p["acrossOutput"]!);
  const along = (axis: string, l: number, k: number) => {
    const at = l * p[`${axis}Stride`]! + k * p[`${axis}Dilation`]! + p[`${axis}Start`]!;
    const [whole, fraction] = [Math.floor(at / p[`${axis}Fraction`]!), at % p[`${axis}Fraction`]!];
    return fraction === 0 && whole >= 0 && whole < p[`${axis}Input`]! ? whole : undefined;
  };
  const y = along("down", Math.floor(place / p["acrossOutput"]!), Math.floor(tap / p["acrossTaps"]!));
  const x = along("across", place % p["acrossOutput"]!, tap % p["acrossTaps"]!);
  if (y === undefined || x === undefined) return undefined;
  return ((image * p["downInput"]! + y) * p["acrossInput"]! + x) * channels + (column % channels);
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
