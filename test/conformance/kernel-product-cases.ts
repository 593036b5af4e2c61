/** Cases of products that do more than multiply: epilogues over row groups, and column sums beside a product. */
import { activationKinds } from "../../src/kernels/elementwise.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { ElementwiseChain, ElementwiseOperand, Placement } from "../../src/schedule/program.ts";
import type { KernelCase } from "./kernel-case.ts";
import * as oracle from "./kernel-oracle.ts";

const draws = new HostRandom(20_260_104);
let drawn = 0;
const normals = (count: number) => draws.normal(count, drawn++);

const step = (index: number): ElementwiseOperand => ({ from: "step", index });
const loaded = (index: number): ElementwiseOperand => ({ from: "load", index });
const product = (index: number): ElementwiseOperand => ({ from: "product", index });

function inOrder(placement: Placement): ElementwiseChain["loads"][number] {
  return { placement, divisor: 1, modulus: placement.length, dtype: "f32" };
}

/** `count` elements of a placement from `start` on. */
function part(whole: Placement, start: number, count: number): Placement {
  return { ...whole, offset: whole.offset + start, length: count };
}

/** Rows of a group, columns, depth: 1, primes, the tiles of both backends and one off them, several blocks. */
const sizes = [
  [1, 1, 1],
  [3, 5, 7],
  [1, 67, 17],
  [17, 1, 64],
  [64, 64, 16],
  [33, 63, 31],
  [4, 8, 3],
  [512, 2, 130],
  [257, 128, 3],
  [131, 515, 37],
  [65, 130, 257],
  [2, 200, 1031],
] as const;

interface Shape {
  readonly groups: number;
  readonly groupRows: number;
  readonly columns: number;
  readonly depth: number;
  /** Counts the cases: each has its own transposition and bias. */
  readonly number: number;
}

/** A product's operands and parameters, and its value. */
export interface ProductCase extends Pick<KernelCase, "label" | "parameters" | "operands"> {
  readonly value: Float64Array;
}

function productOf({ groups, groupRows, columns, depth, number }: Shape): ProductCase {
  const rows = groups * groupRows;
  const [transposeLeft, transposeRight] = [number % 2 === 1, number % 4 > 1];
  const biasRows = [groupRows, 0, rows, Math.ceil(groupRows / 2)][number % 4]!;
  const left = normals(rows * depth);
  const right = normals(depth * columns).map((value) => value / Math.sqrt(depth));
  const bias = normals(columns);
  const shape = { rows, columns, depth, transposeLeft, transposeRight, biasRows };
  return {
    label: `${groups} groups of ${groupRows} x ${depth} by ${depth} x ${columns}, transposed ${transposeLeft} ${transposeRight}, bias on ${biasRows} rows`,
    parameters: {
      rows,
      columns,
      depth,
      transposeLeft: Number(transposeLeft),
      transposeRight: Number(transposeRight),
      biasRows,
      groups,
      sumsDepth: 0,
    },
    operands: {
      left: { dtype: "f32" as const, values: left },
      right: { dtype: "f32" as const, values: right },
      ...(biasRows > 0 ? { bias: { dtype: "f32" as const, values: bias } } : {}),
    },
    value: oracle.linear(shape, left, right, bias),
  };
}

/**
 * An activation with tangents, as in a layer's jvp: h = silu(y0), then silu'(y0) y_g for every other group, kept side
 * by side; and the slope silu'(y0) for the way back.
 */
function activationCase(shape: Shape): KernelCase {
  return activated("linear", productOf(shape), shape);
}

export function activated(
  kernel: string,
  { label, parameters, operands, value }: ProductCase,
  { groups, groupRows, columns }: Pick<Shape, "groups" | "groupRows" | "columns">,
): KernelCase {
  const count = groupRows * columns;
  const silu = oracle.elementwiseFunction("silu0");
  const slope = oracle.elementwiseFunction("silu1");
  const primal = value.subarray(0, count);
  return {
    label: `${kernel}, silu and tangents: ${label}`,
    kernel,
    parameters,
    operands: {
      ...operands,
      h: {
        dtype: "f32",
        expected: value.map((y, i) => (i < count ? silu(y) : slope(value[i % count]!) * y)),
      },
      slope: { dtype: "f32", expected: primal.map((y) => slope(y)) },
    },
    chain: (place) => ({
      count,
      loads: [],
      steps: [
        { function: "silu0", operands: [product(0)], dtype: "f32" },
        { function: "silu1", operands: [product(0)], dtype: "f32" },
        ...Array.from({ length: groups - 1 }, (_, tangent) => ({
          function: "multiply",
          operands: [step(1), product(tangent + 1)],
          dtype: "f32" as const,
        })),
      ],
      stores: [
        ...Array.from({ length: groups }, (_, group) => ({
          placement: part(place("h"), group * count, count),
          source: step(group === 0 ? 0 : group + 1),
          dtype: "f32" as const,
        })),
        { placement: place("slope"), source: step(1), dtype: "f32" },
      ],
    }),
  };
}

/**
 * Each way to load and store: the last group as it is, in place over a load; the first plus a row, a column, a
 * scalar and a strided column.
 */
function loadsCase(shape: Shape): KernelCase {
  const { groups, groupRows, columns } = shape;
  const count = groupRows * columns;
  const { label, parameters, operands, value } = productOf(shape);
  const row = normals(columns);
  const column = normals(3 * groupRows);
  const scalar = normals(1);
  const state = normals(count);
  const [first, last] = [0, groups - 1].map((group) => value.subarray(group * count, (group + 1) * count));
  const sum = Float64Array.from(
    first!,
    (y, i) => y + row[i % columns]! + column[3 * Math.floor(i / columns) + 1]! * scalar[0]!,
  );
  return {
    label: `linear, loads and stores: ${label}`,
    kernel: "linear",
    parameters,
    operands: {
      ...operands,
      row: { dtype: "f32", values: row },
      column: { dtype: "f32", values: column },
      scalar: { dtype: "f32", values: scalar },
      state: { dtype: "f32", values: state, expected: Float64Array.from(state, (value, i) => value - sum[i]!) },
      kept: { dtype: "f32", expected: last! },
      spread: {
        dtype: "f32",
        values: new Float32Array(2 * count).fill(0.25),
        expected: Float64Array.from({ length: 2 * count }, (_, i) => (i % 2 ? 0.25 : sum[i / 2]!)),
      },
    },
    chain: (place) => ({
      count,
      loads: [
        { placement: place("row"), divisor: 1, modulus: columns, dtype: "f32" },
        {
          placement: part(place("column"), 1, 3 * (groupRows - 1) + 1),
          divisor: columns,
          modulus: groupRows,
          stride: 3,
          dtype: "f32",
        },
        { placement: place("scalar"), divisor: 1, modulus: 1, dtype: "f32" },
        inOrder(place("state")),
      ],
      steps: [
        { function: "add", operands: [product(0), loaded(0)], dtype: "f32" },
        { function: "multiply", operands: [loaded(1), loaded(2)], dtype: "f32" },
        { function: "add", operands: [step(0), step(1)], dtype: "f32" },
        { function: "subtract", operands: [loaded(3), step(2)], dtype: "f32" },
      ],
      stores: [
        { placement: place("state"), source: step(3), dtype: "f32" },
        { placement: place("kept"), source: product(groups - 1), dtype: "f32" },
        { placement: part(place("spread"), 0, 2 * count - 1), source: step(2), stride: 2, dtype: "f32" },
      ],
    }),
  };
}

/** The first group stored between the columns of a wider matrix, and in rows of another length. */
function columnsCase(shape: Shape): KernelCase {
  const { groupRows, columns } = shape;
  const count = groupRows * columns;
  const { label, parameters, operands, value } = productOf(shape);
  const among = (rows: number, width: number, before: number) => {
    const values = new Float32Array(rows * (width + 2)).fill(0.25);
    const expected = Float64Array.from(values, (old, i) => {
      const [row, column] = [Math.floor(i / (width + 2)), (i % (width + 2)) - before];
      return column >= 0 && column < width ? value[row * width + column]! : old;
    });
    return { dtype: "f32" as const, values, expected };
  };
  const store = (whole: Placement, rows: number, width: number, before: number) => ({
    placement: part(whole, before, (rows - 1) * (width + 2) + width),
    source: product(0),
    stride: width + 2,
    width,
    dtype: "f32" as const,
  });
  return {
    label: `linear, stored as columns: ${label}`,
    kernel: "linear",
    parameters,
    operands: { ...operands, wider: among(groupRows, columns, 1), other: among(columns, groupRows, 2) },
    chain: (place) => ({
      count,
      loads: [],
      steps: [],
      stores: [store(place("wider"), groupRows, columns, 1), store(place("other"), columns, groupRows, 2)],
    }),
  };
}

function epilogueCases(): KernelCase[] {
  return sizes.flatMap(([groupRows, columns, depth], i) =>
    [1, 2, 3].flatMap((groups, g) => {
      const shape = { groups, groupRows, columns, depth, number: 3 * i + g };
      const next = { ...shape, number: shape.number + 1 };
      return [activationCase(shape), loadsCase(next)];
    }),
  );
}

function columnsCases(): KernelCase[] {
  return sizes.flatMap(([groupRows, columns, depth], i) =>
    [1, 2].map((groups, g) => columnsCase({ groups, groupRows, columns, depth, number: 2 * i + g })),
  );
}

/** Many columns and little depth, some of both beyond whole tiles: WASM fills such products row by row. */
function firstLayerCases(): KernelCase[] {
  const wide = [
    [37, 263, 3],
    [16, 512, 8],
  ] as const;
  return wide.map(([groupRows, columns, depth], number) =>
    activationCase({ groups: 2, groupRows, columns, depth, number }),
  );
}

/**
 * Each activation and its three derivatives, of one product. Its elements are odd multiples of 1/128, summed without
 * rounding, so that none comes near 0, where some derivatives jump.
 */
function everyActivationCases(): KernelCase[] {
  const [rows, columns, depth] = [13, 11, 9];
  const eighths = (length: number) => Float32Array.from(draws.index(length, 17, drawn++), (k) => (k - 8) / 8);
  return activationKinds.map((kind): KernelCase => {
    const left = eighths(rows * depth);
    const right = eighths(depth * columns);
    const bias = eighths(columns).map((value) => value + 1 / 128);
    const shape = { rows, columns, depth, transposeLeft: false, transposeRight: false, biasRows: rows };
    const value = oracle.linear(shape, left, right, bias);
    const names = [0, 1, 2, 3].map((order) => `${kind}${order}`);
    return {
      label: `linear, ${names.join(", ")}`,
      kernel: "linear",
      parameters: { ...shape, transposeLeft: 0, transposeRight: 0, groups: 1, sumsDepth: 0 },
      operands: {
        left: { dtype: "f32", values: left },
        right: { dtype: "f32", values: right },
        bias: { dtype: "f32", values: bias },
        ...Object.fromEntries(
          names.map((name) => {
            const f = oracle.elementwiseFunction(name);
            return [name, { dtype: "f32" as const, expected: value.map((y) => f(y)) }];
          }),
        ),
      },
      chain: (place) => ({
        count: rows * columns,
        loads: [],
        steps: names.map((name) => ({ function: name, operands: [product(0)], dtype: "f32" })),
        stores: names.map((name, order) => ({ placement: place(name), source: step(order), dtype: "f32" })),
      }),
    };
  });
}

/** Rows, columns, depth, rows of right that are summed. */
const sumSizes = [
  [1, 1, 1, 1],
  [3, 5, 7, 7],
  [8, 8, 12, 5],
  [17, 1, 64, 33],
  [64, 64, 130, 65],
  [2, 130, 1024, 512],
  [67, 3, 1031, 1031],
  [131, 520, 514, 257],
] as const;

function sumCases(): KernelCase[] {
  return sumSizes.flatMap(([rows, columns, depth, sumsDepth], i): KernelCase[] => {
    const left = normals(rows * depth);
    const right = normals(depth * columns).map((value) => value / Math.sqrt(depth));
    const shape = { rows, columns, depth, transposeLeft: true, transposeRight: false, biasRows: 0 };
    const out = oracle.linear(shape, left, right, undefined);
    const sums = oracle.columnSums({ columns, sumsDepth }, right);
    const parameters = { ...shape, transposeLeft: 1, transposeRight: 0, groups: 1, sumsDepth };
    const label = `${rows} x ${depth} by ${depth} x ${columns}, sums of ${sumsDepth} rows`;
    const operands = { left: { dtype: "f32" as const, values: left }, right: { dtype: "f32" as const, values: right } };
    const flat = [...(i % 2 ? [sums, out] : [out, sums]).flatMap((values) => [...values])];
    return [
      {
        label: `linear, left transposed: ${label}`,
        kernel: "linear",
        parameters,
        operands: { ...operands, out: { dtype: "f32", expected: out }, sums: { dtype: "f32", expected: sums } },
      },
      {
        label: `linear, left transposed, out and sums side by side: ${label}`,
        kernel: "linear",
        parameters,
        operands: { ...operands, flat: { dtype: "f32", expected: flat } },
        bindings: (place) => ({
          out: part(place("flat"), i % 2 ? columns : 0, rows * columns),
          sums: part(place("flat"), i % 2 ? 0 : rows * columns, columns),
        }),
      },
    ];
  });
}

/** Made anew at each call. */
export const productCases: Readonly<Record<string, () => KernelCase[]>> = {
  epilogues: epilogueCases,
  "every activation as an epilogue": everyActivationCases,
  "column sums": sumCases,
  "products stored as columns": columnsCases,
  "wide first layers": firstLayerCases,
};
