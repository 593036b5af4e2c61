/** Cases of every kernel but `elementwise`: sizes 1, primes, one off each tile; all transpositions and options. */
import { type RandomKind, randomKinds } from "../../src/kernels/random.ts";
import { reductions } from "../../src/kernels/reduce.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { KernelCase } from "./kernel-case.ts";
import * as oracle from "./kernel-oracle.ts";

const draws = new HostRandom(20_260_101);
let drawn = 0;

/** Standard normals, others each time; equal on each platform. */
const normals = (count: number) => draws.normal(count, drawn++);
const indices = (count: number, bound: number) => draws.index(count, bound, drawn++);

function linearCases(): KernelCase[] {
  // rows, columns, depth: the GPU's tile is 64 x 64 in slices of 16, the CPU's 4 x 8.
  const sizes = [
    [1, 1, 1],
    [3, 5, 7],
    [1, 64, 17],
    [17, 1, 64],
    [64, 64, 16],
    [65, 63, 33],
    [4, 8, 1],
    [63, 65, 15],
    [128, 2, 512],
    [512, 3, 130],
    [67, 131, 257],
    [2, 200, 1031],
  ] as const;
  const transpositions = [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const;
  return sizes.flatMap(([rows, columns, depth], s) =>
    transpositions.map(([transposeLeft, transposeRight], t): KernelCase => {
      const n = s * transpositions.length + t;
      const withBias = n % 2 === 0;
      // All rows for some, part of them for others.
      const biasRows = withBias ? (n % 4 === 0 ? rows : Math.ceil(rows / 2)) : 0;
      const left = normals(rows * depth);
      const right = normals(depth * columns).map((value) => value / Math.sqrt(depth));
      const bias = withBias ? normals(columns) : undefined;
      const options = [
        transposeLeft && "left transposed",
        transposeRight && "right transposed",
        withBias && `bias on ${biasRows} rows`,
      ];
      const shape = { rows, columns, depth, transposeLeft, transposeRight, biasRows };
      return {
        label: [`linear ${rows} x ${depth} by ${depth} x ${columns}`, ...options.filter(Boolean)].join(", "),
        kernel: "linear",
        parameters: {
          rows,
          columns,
          depth,
          transposeLeft: Number(transposeLeft),
          transposeRight: Number(transposeRight),
          biasRows,
        },
        operands: {
          left: { dtype: "f32", values: left },
          right: { dtype: "f32", values: right },
          ...(bias ? { bias: { dtype: "f32", values: bias } } : {}),
          out: { dtype: "f32", expected: oracle.linear(shape, left, right, bias) },
        },
      };
    }),
  );
}

function reduceCases(): KernelCase[] {
  const sizes = [
    [1, 1, 1],
    [7, 1, 5],
    [5, 3, 1],
    [1, 257, 1],
    [130, 67, 1],
    [8192, 2, 1], // a lane each
    [3, 32, 67],
    [1, 33, 17],
    [5, 1025, 1],
    [1, 100_003, 1], // long enough to be cut into segments
    [1, 37, 65],
    [1, 1031, 130],
    [3, 600, 64],
    [2, 2, 63],
    [2, 9001, 3],
  ] as const;
  return sizes.flatMap(([outer, reduced, inner]) =>
    reductions.map((kind, k): KernelCase => {
      const from = normals(outer * reduced * inner).map((value) => value + (kind === "max" ? -3 : 0.5));
      const scale = kind === "max" ? -2 : 1 / reduced;
      return {
        label: `reduce ${outer} x ${reduced} x ${inner}, ${kind}`,
        kernel: "reduce",
        parameters: { outer, reduced, inner, kind: k, scale },
        operands: {
          in: { dtype: "f32", values: from },
          out: { dtype: "f32", expected: oracle.reduce({ outer, reduced, inner, scale }, kind, from) },
        },
      };
    }),
  );
}

function rowCases(): KernelCase[] {
  const sizes = [
    [1, 1, 1],
    [5, 3, 7],
    [67, 2, 13],
    [130, 17, 1],
    [31, 1, 64],
  ] as const;
  return sizes.flatMap(([count, width, rows]): KernelCase[] => {
    const picks = indices(count, rows);
    const table = normals(rows * width);
    const values = normals(count * width);
    const row = normals(width);
    const index = (rows - 1 + 3 * rows) >>> 0;
    const replaced = Float64Array.from(table);
    replaced.set(row, (index % rows) * width);
    return [
      {
        label: `gather ${count} of ${rows} rows of ${width}`,
        kernel: "gather",
        parameters: { count, width, rows },
        operands: {
          table: { dtype: "f32", values: table },
          indices: { dtype: "u32", values: picks },
          out: { dtype: "f32", expected: oracle.gather(table, picks, width) },
        },
        tolerance: 0,
      },
      {
        label: `scatterAdd ${count} rows of ${width} to ${rows}`,
        kernel: "scatterAdd",
        parameters: { count, width, rows },
        operands: {
          values: { dtype: "f32", values },
          indices: { dtype: "u32", values: picks },
          out: { dtype: "f32", expected: oracle.scatterAdd(values, picks, width, rows) },
        },
      },
      {
        label: `replaceRow ${index} modulo ${rows}, of ${width}`,
        kernel: "replaceRow",
        parameters: { rows, width },
        operands: {
          index: { dtype: "u32", values: [index] },
          row: { dtype: "f32", values: row },
          table: { dtype: "f32", values: table, expected: replaced },
        },
        tolerance: 0,
      },
    ];
  });
}

function copyCases(): KernelCase[] {
  const layouts: (oracle.CopySizes & { readonly label: string })[] = [
    {
      label: "one element",
      sizes: [1, 1, 1, 1],
      source: { start: 0, strides: [0, 0, 0, 0] },
      target: { start: 0, strides: [0, 0, 0, 0] },
    },
    {
      label: "a transposition of 13 x 7",
      sizes: [1, 1, 7, 13],
      source: { start: 0, strides: [0, 0, 1, 7] },
      target: { start: 0, strides: [0, 0, 13, 1] },
    },
    {
      label: "all four axes reversed",
      sizes: [2, 3, 5, 7],
      source: { start: 0, strides: [1, 2, 6, 30] },
      target: { start: 0, strides: [105, 35, 7, 1] },
    },
    {
      label: "a broadcast of a column",
      sizes: [1, 4, 9, 17],
      source: { start: 0, strides: [0, 0, 1, 0] },
      target: { start: 0, strides: [0, 153, 17, 1] },
    },
    {
      label: "columns 3 to 7 into columns 2 to 6 of wider rows",
      sizes: [1, 1, 67, 5],
      source: { start: 3, strides: [0, 0, 11, 1] },
      target: { start: 2, strides: [0, 0, 9, 1] },
    },
    {
      label: "70000 in a row",
      sizes: [1, 1, 1, 70_000],
      source: { start: 0, strides: [0, 0, 0, 1] },
      target: { start: 0, strides: [0, 0, 0, 1] },
    },
  ];
  return layouts.map(({ label, ...layout }): KernelCase => {
    const extent = ({ start, strides }: oracle.CopySizes["source"]) =>
      layout.sizes.reduce((sum, size, k) => sum + (size - 1) * strides[k]!, start + 1);
    const from = normals(extent(layout.source));
    const before = normals(extent(layout.target)); // what lies between the places written must stay
    const { sizes, source, target } = layout;
    const parameters = Object.fromEntries(
      sizes.flatMap((size, k) => [
        [`size${k}`, size],
        [`sourceStride${k}`, source.strides[k]!],
        [`targetStride${k}`, target.strides[k]!],
      ]),
    );
    return {
      label: `copy ${label}`,
      kernel: "copy",
      parameters: { ...parameters, sourceStart: source.start, targetStart: target.start },
      operands: {
        source: { dtype: "f32", values: from },
        target: { dtype: "f32", values: before, expected: oracle.copy(layout, from, before) },
      },
      tolerance: 0,
    };
  });
}

function randomCases(): KernelCase[] {
  const seed = [0x9e3779b9, 0xfedcba98] as const;
  const settings = [
    { count: 1, stream: 0, counter: 0, bound: 1 },
    { count: 2, stream: 1, counter: 7, bound: 2 },
    { count: 1001, stream: 0xffffffff, counter: 0xfffffffe, bound: 0xffffffff },
    { count: 20_000, stream: 5, counter: 123_456, bound: 10 },
  ];
  return randomKinds.flatMap((kind: RandomKind, k) =>
    settings.map(({ count, stream, counter, bound }): KernelCase => {
      const dtype = kind === "bits" || kind === "index" ? "u32" : "f32";
      return {
        label: `random ${count} of ${kind}, stream ${stream}, counter ${counter}`,
        kernel: "random",
        parameters: { count, kind: k, stream, bound: kind === "index" ? bound : 0 },
        operands: {
          seed: { dtype: "u32", values: seed },
          counter: { dtype: "u32", values: [counter] },
          out: { dtype, expected: new HostRandom(seed).draw(kind, count, stream, counter, bound) },
        },
        // Normals are polynomials, where a backend may fuse a multiplication and an addition; all else is exact.
        tolerance: kind === "normal" ? 1e-6 : 0,
      };
    }),
  );
}

/** By kernel. Made anew at each call: they hold megabytes. */
export const kernelCases: Readonly<Record<string, () => KernelCase[]>> = {
  linear: linearCases,
  reduce: reduceCases,
  "gather, scatterAdd, replaceRow": rowCases,
  copy: copyCases,
  random: randomCases,
};
