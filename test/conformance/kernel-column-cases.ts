/** Cases of chains that read and write columns of narrow matrices, and what lies apart. */
import type { ElementwiseOperand, Placement } from "../../src/schedule/program.ts";
import type { KernelCase } from "./kernel-case.ts";
import { columnLoad, columnOf, immediate, inOrder, loaded, normals, step } from "./kernel-chain-parts.ts";

/** A vector's and a block's sizes, one off them, and sizes of several blocks with a rest. */
const counts = [1, 3, 8, 64, 67, 512, 513, 2051];

function columnsCases(count: number): KernelCase[] {
  const three = normals(3 * count);
  const two = normals(2 * count);
  const four = normals(4 * count);
  const x = normals(count);
  const elements = Uint32Array.from({ length: 2 * count }, (_, i) => (i * 2_654_435_761) >>> 0);
  const after = (values: Float32Array, width: number, change: (row: number, values: Float64Array) => void) => {
    const result = Float64Array.from(values);
    for (let row = 0; row < result.length / width; row++) change(row, result);
    return result;
  };
  return [
    {
      label: `chain: ${count} elements from three columns`,
      kernel: "elementwise",
      parameters: {},
      operands: {
        three: { dtype: "f32", values: three },
        out: {
          dtype: "f32",
          expected: Float64Array.from(x, (_, i) => three[3 * i]! * three[3 * i + 1]! - three[3 * i + 2]!),
        },
      },
      chain: (place) => ({
        count,
        loads: [0, 1, 2].map((column) => columnLoad(place("three"), column, 3)),
        steps: [
          { function: "multiply", operands: [loaded(0), loaded(1)], dtype: "f32" },
          { function: "subtract", operands: [step(0), loaded(2)], dtype: "f32" },
        ],
        stores: [{ placement: place("out"), source: step(1), dtype: "f32" }],
      }),
    },
    {
      label: `chain: ${count} rows put together from columns, one of them left as it is`,
      kernel: "elementwise",
      parameters: {},
      operands: {
        two: { dtype: "f32", values: two },
        x: { dtype: "f32", values: x },
        four: {
          dtype: "f32",
          values: four,
          expected: after(four, 4, (row, result) => {
            result[4 * row] = two[2 * row + 1]!;
            result[4 * row + 1] = x[row]! + two[2 * row]!;
            result[4 * row + 3] = -0.5;
          }),
        },
      },
      chain: (place) => ({
        count,
        loads: [columnLoad(place("two"), 0, 2), columnLoad(place("two"), 1, 2), inOrder(place("x"))],
        steps: [{ function: "add", operands: [loaded(2), loaded(0)], dtype: "f32" }],
        stores: [
          { placement: columnOf(place("four"), 0, 4), source: loaded(1), stride: 4, dtype: "f32" },
          { placement: columnOf(place("four"), 1, 4), source: step(0), stride: 4, dtype: "f32" },
          { placement: columnOf(place("four"), 3, 4), source: immediate(-0.5), stride: 4, dtype: "f32" },
        ],
      }),
    },
    {
      label: `chain: a column of ${count} in place, its neighbours read and written`,
      kernel: "elementwise",
      parameters: {},
      operands: {
        three: {
          dtype: "f32",
          values: three,
          expected: after(three, 3, (row, result) => {
            const [a, b, c] = [three[3 * row]!, three[3 * row + 1]!, three[3 * row + 2]!];
            result.set([a, b * 2 + a, a - c], 3 * row);
          }),
        },
      },
      chain: (place) => ({
        count,
        loads: [0, 1, 2].map((column) => columnLoad(place("three"), column, 3)),
        steps: [
          { function: "add", operands: [loaded(1), loaded(1)], dtype: "f32" },
          { function: "add", operands: [step(0), loaded(0)], dtype: "f32" },
          { function: "subtract", operands: [loaded(0), loaded(2)], dtype: "f32" },
        ],
        stores: [
          { placement: columnOf(place("three"), 1, 3), source: step(1), stride: 3, dtype: "f32" },
          { placement: columnOf(place("three"), 2, 3), source: step(2), stride: 3, dtype: "f32" },
        ],
      }),
    },
    {
      label: `chain: two columns of ${count} swapped, u32`,
      kernel: "elementwise",
      parameters: {},
      operands: {
        pairs: { dtype: "u32", values: elements, expected: Float64Array.from(elements, (_, i) => elements[i ^ 1]!) },
      },
      chain: (place) => ({
        count,
        loads: [0, 1].map((column) => columnLoad(place("pairs"), column, 2, "u32")),
        steps: [],
        stores: [0, 1].map((column) => ({
          placement: columnOf(place("pairs"), column, 2),
          source: loaded(1 - column),
          stride: 2,
          dtype: "u32" as const,
        })),
      }),
    },
  ];
}

/** out = x + s, s being read by this divisor, modulus and stride. */
function stridedBroadcast(label: string, count: number, divisor: number, modulus: number, stride: number): KernelCase {
  const x = normals(count);
  const s = normals((modulus - 1) * stride + 1);
  return {
    label: `chain: ${label}, every ${stride} elements`,
    kernel: "elementwise",
    parameters: {},
    operands: {
      x: { dtype: "f32", values: x },
      s: { dtype: "f32", values: s },
      out: {
        dtype: "f32",
        expected: Float64Array.from(x, (value, i) => value + s[(Math.floor(i / divisor) % modulus) * stride]!),
      },
    },
    chain: (place) => ({
      count,
      loads: [inOrder(place("x")), { placement: place("s"), divisor, modulus, stride, dtype: "f32" }],
      steps: [{ function: "add", operands: [loaded(0), loaded(1)], dtype: "f32" }],
      stores: [{ placement: place("out"), source: step(0), dtype: "f32" }],
    }),
  };
}

/** x, and a constant, as columns of a wider matrix; the others stay. */
function widthCase(rows: number, width: number, before: number, columns: number): KernelCase {
  const x = normals(rows * width);
  const matrix = normals(rows * columns);
  const rest = columns - before - width;
  const column = (i: number) => (i % columns) - before;
  const store = (whole: Placement, first: number, length: number, source: ElementwiseOperand) => ({
    placement: { ...whole, offset: whole.offset + first, length: (rows - 1) * columns + length },
    source,
    stride: columns,
    width: length,
    dtype: "f32" as const,
  });
  return {
    label: `chain: ${rows} rows of ${width} from column ${before} of ${columns} on`,
    kernel: "elementwise",
    parameters: {},
    operands: {
      x: { dtype: "f32", values: x },
      matrix: {
        dtype: "f32",
        values: matrix,
        expected: Float64Array.from(matrix, (old, i) => {
          const at = column(i);
          if (at >= width && rest === width) return -0.5;
          return at >= 0 && at < width ? x[Math.floor(i / columns) * width + at]! * 2 : old;
        }),
      },
    },
    chain: (place) => ({
      count: rows * width,
      loads: [inOrder(place("x"))],
      steps: [{ function: "add", operands: [loaded(0), loaded(0)], dtype: "f32" }],
      stores: [
        store(place("matrix"), before, width, step(0)),
        ...(rest === width ? [store(place("matrix"), before + width, width, immediate(-0.5))] : []),
      ],
    }),
  };
}

export function columnCases(): KernelCase[] {
  return [
    ...counts.flatMap(columnsCases),
    widthCase(1, 5, 0, 6),
    widthCase(411, 5, 0, 6),
    widthCase(3, 700, 2, 1402),
    widthCase(64, 16, 1, 33),
    widthCase(129, 2, 3, 7),
    stridedBroadcast("a row", 35 * 17, 1, 17, 3),
    stridedBroadcast("a column", 35 * 17, 17, 35, 2),
    stridedBroadcast("a middle axis", 5 * 7 * 11, 11, 7, 5),
    stridedBroadcast("a scalar", 71, 1, 1, 4),
    stridedBroadcast("a long column", 2 * 1031, 2, 1031, 3),
  ];
}
