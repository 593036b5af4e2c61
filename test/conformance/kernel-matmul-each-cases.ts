/** Cases of many products at once: operands dense or parts of wider matrices, either transposed. */
import { HostRandom } from "../../src/ops/threefry.ts";
import type { KernelCase } from "./kernel-case.ts";

const draws = new HostRandom(20_261_126);
let drawn = 0;
const normals = (count: number) => draws.normal(count, drawn++);

/** batch0, batch1, rows, depth, columns: sizes of 1, primes, tiles of both backends and one off them. */
const sizes = [
  [1, 1, 1, 1, 1],
  [1, 3, 5, 7, 3],
  [2, 1, 1, 17, 67],
  [3, 2, 17, 64, 1],
  [2, 3, 64, 16, 64],
  [2, 2, 65, 33, 63],
  [1, 5, 8, 4, 8],
  [7, 1, 16, 12, 36],
  [2, 1, 131, 257, 67],
  [1, 2, 67, 31, 300],
] as const;

/** How a matrix of n x m lies: strides from batch to batch, from row to row and from column to column, and elements in all. */
interface Layout {
  readonly strides: readonly [number, number, number, number];
  readonly count: number;
}

/** Batches one after another, each row after row, or column after column where `turned`. */
function dense(batch0: number, batch1: number, rows: number, columns: number, turned: boolean): Layout {
  const size = rows * columns;
  const lines = turned ? ([1, rows] as const) : ([columns, 1] as const);
  return { strides: [batch1 * size, size, ...lines], count: batch0 * batch1 * size };
}

/** As heads lie in [batch0, rows, batch1, columns + gap], or with rows and columns changed. */
function interleaved(batch0: number, batch1: number, rows: number, columns: number, turned: boolean): Layout {
  const [lines, width] = turned ? [columns, rows] : [rows, columns];
  const stride = batch1 * (width + 4);
  const ways = turned ? ([1, stride] as const) : ([stride, 1] as const);
  return { strides: [lines * stride, width + 4, ...ways], count: batch0 * lines * stride };
}

function matmulEachCases(): KernelCase[] {
  return sizes.flatMap((size, s) =>
    [dense, interleaved].flatMap((layout) =>
      [0, 1, 2, 3].map((turns) => caseOf(size, layout, [turns % 2 === 1, turns > 1], s % 3 === 0 ? 1 : 0.25)),
    ),
  );
}

function caseOf(
  [batch0, batch1, rows, depth, columns]: (typeof sizes)[number],
  layout: typeof dense,
  [turnLeft, turnRight]: readonly [boolean, boolean],
  scale: number,
): KernelCase {
  const left = layout(batch0, batch1, rows, depth, turnLeft);
  const right = layout(batch0, batch1, depth, columns, turnRight);
  const out = layout(batch0, batch1, rows, columns, false);
  const [a, b, before] = [normals(left.count), normals(right.count), normals(out.count)];
  const after = Float64Array.from(before);
  const at = ({ strides: [s0, s1, s2, s3] }: Layout, n: number, m: number, i: number, j: number) =>
    n * s0 + m * s1 + i * s2 + j * s3;
  for (let n = 0; n < batch0; n++) {
    for (let m = 0; m < batch1; m++) {
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let k = 0; k < depth; k++) sum += a[at(left, n, m, r, k)]! * b[at(right, n, m, k, c)]!;
          after[at(out, n, m, r, c)] = scale * sum;
        }
      }
    }
  }
  const [left0, left1, leftRow, leftDepth] = left.strides;
  const [right0, right1, rightDepth, rightColumn] = right.strides;
  const [out0, out1, outRow] = out.strides;
  return {
    label: `matmulEach ${batch0} x ${batch1} of ${rows} x ${depth} x ${columns}, ${layout.name}, turned ${turnLeft} ${turnRight}`,
    kernel: "matmulEach",
    parameters: {
      ...{ batch0, batch1, rows, columns, depth, scale },
      ...{ left0, left1, leftRow, leftDepth, right0, right1, rightDepth, rightColumn, out0, out1, outRow },
    },
    operands: {
      left: { dtype: "f32", values: a },
      right: { dtype: "f32", values: b },
      out: { dtype: "f32", values: before, expected: after },
    },
  };
}

export const matmulEachKernelCases: Readonly<Record<string, () => KernelCase[]>> = { matmulEach: matmulEachCases };
