/** Cases of chains that read and write columns of narrow matrices, and of chains that draw random numbers. */
import { randomFunctions } from "../../src/kernels/elementwise.ts";
import { randomKinds } from "../../src/kernels/random.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { ElementwiseChain, ElementwiseOperand, Placement } from "../../src/schedule/program.ts";
import type { KernelCase } from "./kernel-case.ts";

const draws = new HostRandom(20_260_103);
let drawn = 0;
const normals = (count: number) => draws.normal(count, drawn++);

const step = (index: number): ElementwiseOperand => ({ from: "step", index });
const loaded = (index: number): ElementwiseOperand => ({ from: "load", index });
const immediate = (value: number): ElementwiseOperand => ({ from: "constant", value });

/** A vector's and a block's sizes, one off them, and sizes of several blocks with a rest. */
const counts = [1, 3, 8, 64, 67, 512, 513, 2051];

/** Column `column` of the rows of `width` elements in a placement. */
function columnOf(whole: Placement, column: number, width: number): Placement {
  const count = whole.length / width;
  return { ...whole, offset: whole.offset + column, length: (count - 1) * width + 1 };
}

function columnLoad(whole: Placement, column: number, width: number, dtype: "f32" | "u32" = "f32") {
  return {
    placement: columnOf(whole, column, width),
    divisor: 1,
    modulus: whole.length / width,
    stride: width,
    dtype,
  };
}

function inOrder(placement: Placement): ElementwiseChain["loads"][number] {
  return { placement, divisor: 1, modulus: placement.length, dtype: "f32" };
}

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

function stridedCases(): KernelCase[] {
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

function randomCases(): KernelCase[] {
  const seed = [0x9e3779b9, 0xfedcba98] as const;
  const counter = 0xfffffffe;
  const host = new HostRandom(seed);
  const layouts = [
    { count: 1, stride: 1, offset: 0 },
    { count: 1, stride: 3, offset: 2 },
    { count: 9, stride: 1, offset: 1 },
    { count: 331, stride: 2, offset: 0 },
    { count: 331, stride: 2, offset: 1 },
    { count: 512, stride: 1, offset: 0 },
    { count: 1031, stride: 3, offset: 70_001 },
    { count: 1100, stride: 1, offset: 512 },
  ];
  const operands = {
    seed: { dtype: "u32" as const, values: seed },
    counter: { dtype: "u32" as const, values: [counter] },
  };
  const word = (placement: Placement, index: number) => ({
    placement: { ...placement, offset: placement.offset + index, length: 1 },
    divisor: 1,
    modulus: 1,
    dtype: "u32" as const,
  });
  const words = (place: (operand: string) => Placement) => [
    word(place("seed"), 0),
    word(place("seed"), 1),
    word(place("counter"), 0),
  ];
  const key = [loaded(0), loaded(1), loaded(2)];
  const numbers = (
    kind: (typeof randomKinds)[number],
    stream: number,
    bound: number,
    layout: (typeof layouts)[number],
  ) => {
    const { count, stride, offset } = layout;
    const all = host.draw(kind, (count - 1) * stride + offset + 1, stream, counter, bound);
    return Float64Array.from({ length: count }, (_, i) => all[i * stride + offset]!);
  };
  const alone = randomFunctions.flatMap((name, k) =>
    layouts.map((layout, i): KernelCase => {
      const kind = randomKinds[k]!;
      const stream = i % 2 ? 0xffffffff : 5;
      const bound = kind === "index" ? 3_000_000_019 : 0;
      const dtype = kind === "bits" || kind === "index" ? "u32" : "f32";
      const { count, stride, offset } = layout;
      return {
        label: `${name}: ${count} elements, every ${stride} from ${offset} on, stream ${stream}`,
        kernel: "elementwise",
        parameters: {},
        operands: { ...operands, out: { dtype, expected: numbers(kind, stream, bound, layout) } },
        // Normals are polynomials, where a backend may fuse a multiplication and an addition; all else is exact.
        tolerance: kind === "normal" ? 1e-6 : 0,
        chain: (place) => ({
          count,
          loads: words(place),
          steps: [{ function: name, operands: key, dtype, random: { stream, bound, stride, offset } }],
          stores: [{ placement: place("out"), source: step(0), dtype }],
        }),
      };
    }),
  );
  const count = 777;
  const x = normals(2 * count);
  const [first, second] = [0, 1].map((offset) => numbers("normal", 1, 0, { count, stride: 2, offset }));
  const time = numbers("uniform", 2, 0, { count, stride: 1, offset: 0 });
  return [
    ...alone,
    {
      label: "chain: a point on a path, its noise and time drawn in the chain, as rows of three",
      kernel: "elementwise",
      parameters: {},
      operands: {
        ...operands,
        x: { dtype: "f32", values: x },
        out: {
          dtype: "f32",
          expected: Float64Array.from({ length: 3 * count }, (_, i) => {
            const row = Math.floor(i / 3);
            const t = time[row]!;
            if (i % 3 === 2) return t;
            const noise = (i % 3 === 0 ? first! : second!)[row]!;
            return t * (x[2 * row + (i % 3)]! - noise) + noise;
          }),
        },
      },
      tolerance: 1e-6,
      chain: (place) => ({
        count,
        loads: [...words(place), columnLoad(place("x"), 0, 2), columnLoad(place("x"), 1, 2)],
        steps: [
          {
            function: "randomNormal",
            operands: key,
            dtype: "f32",
            random: { stream: 1, bound: 0, stride: 2, offset: 0 },
          },
          {
            function: "randomNormal",
            operands: key,
            dtype: "f32",
            random: { stream: 1, bound: 0, stride: 2, offset: 1 },
          },
          {
            function: "randomUniform",
            operands: key,
            dtype: "f32",
            random: { stream: 2, bound: 0, stride: 1, offset: 0 },
          },
          { function: "subtract", operands: [loaded(3), step(0)], dtype: "f32" },
          { function: "multiply", operands: [step(2), step(3)], dtype: "f32" },
          { function: "add", operands: [step(4), step(0)], dtype: "f32" },
          { function: "subtract", operands: [loaded(4), step(1)], dtype: "f32" },
          { function: "multiply", operands: [step(2), step(6)], dtype: "f32" },
          { function: "add", operands: [step(7), step(1)], dtype: "f32" },
        ],
        stores: [5, 8, 2].map((source, column) => ({
          placement: columnOf(place("out"), column, 3),
          source: step(source),
          stride: 3,
          dtype: "f32" as const,
        })),
      }),
    },
  ];
}

/** Sizes and strides of axes, outermost first, as a chain of [B, ...] meets them; each with an offset into what it reads. */
const movedValues = [
  ["a row for each sample", [3, 7, 20], [20, 0, 1]],
  ["a part of a row for each sample", [5, 11, 32], [192, 0, 1]],
  ["a number for each sample and group", [3, 13, 4, 8], [4, 0, 1, 0]],
  ["the same, groups of three", [3, 13, 4, 3], [4, 0, 1, 0]],
  ["places twice as near", [2, 5, 2, 6, 2, 4], [30 * 4, 24, 0, 4, 0, 1]],
  ["heads", [3, 4, 17, 8], [17 * 96, 8, 96, 1]],
  ["four terms", [3, 2, 5, 2, 9, 3, 16], [8640, 0, 1728, 0, 192, 0, 1]],
  ["single elements", [5, 7, 3], [21, 0, 1]],
] as const;

function termsCases(): KernelCase[] {
  return movedValues.flatMap(([name, sizes, strides]) =>
    [0, 4, 5].map((start): KernelCase => {
      const count = sizes.reduce((product: number, size) => product * size, 1);
      const last = sizes.reduce((sum: number, size, axis) => sum + (size - 1) * strides[axis]!, 0);
      const [x, y] = [normals(start + last + 1), normals(count)];
      const element = (i: number) => {
        let [rest, at] = [i, start];
        for (let axis = sizes.length - 1; axis >= 0; axis--) {
          at += (rest % sizes[axis]!) * strides[axis]!;
          rest = Math.floor(rest / sizes[axis]!);
        }
        return at;
      };
      let divisor = count;
      const terms = sizes.map((modulus, axis) => {
        divisor /= modulus;
        return { divisor, modulus, stride: strides[axis]! };
      });
      const [first, ...others] = terms.reverse().filter(({ stride }) => stride !== 0);
      return {
        label: `chain: ${name}, from element ${start} on`,
        kernel: "elementwise",
        parameters: {},
        operands: {
          x: { dtype: "f32", values: x },
          y: { dtype: "f32", values: y },
          out: { dtype: "f32", expected: Float64Array.from(y, (value, i) => value + x[element(i)]!) },
        },
        chain: (place) => ({
          count,
          loads: [
            inOrder(place("y")),
            {
              placement: { ...place("x"), offset: place("x").offset + start, length: last + 1 },
              ...first!,
              terms: others,
              dtype: "f32",
            },
          ],
          steps: [{ function: "add", operands: [loaded(0), loaded(1)], dtype: "f32" }],
          stores: [{ placement: place("out"), source: step(0), dtype: "f32" }],
        }),
      };
    }),
  );
}

/** Made anew at each call. */
export const chainCases: Readonly<Record<string, () => KernelCase[]>> = {
  "strided chains": stridedCases,
  "chains that load parts of wider values": termsCases,
  "random steps": randomCases,
};
