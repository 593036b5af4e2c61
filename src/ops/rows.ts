/** Rows by index: the table is [rows, ...], a row is all the rest. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { subtract } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./shape.ts";
import { constant } from "./sources.ts";

/** The inputs are [table, indices]. */
export const gatherOp = defineOp<null>({
  name: "gather",
  shape: ([table, indices]) => {
    expectRows("gather", table as Shape, indices as Shape);
    return [...(indices as Shape), ...(table as Shape).slice(1)];
  },
  dtype: ([table = "f32", indices = "f32"]) => expectDTypes("gather", [table, indices], [table, "u32"], table),
  jvp: ({ inputs: [, indices] }, [dtable]) => dtable && gather(dtable, indices as Node),
  vjp: ({ inputs: [table, indices] }, cotangent) => [
    scatterAdd(cotangent, indices as Node, (table as Node).shape[0] as number),
  ],
  reference: ([table, indices], _attributes, shape) => {
    const { data, shape: from } = table as HostTensor;
    const width = sizeOf(from.slice(1));
    const result = new Float64Array(sizeOf(shape));
    (indices as HostTensor).data.forEach((index, m) => {
      result.set(data.subarray(index * width, (index + 1) * width), m * width);
    });
    return { shape, data: result };
  },
});

export const gatherCases: OpCases<null> = () => [
  { shapes: [[4, 3], [5]], integers: { 1: [3, 0, 0, 2, 3] }, attributes: null },
  { shapes: [[4], [2]], integers: { 1: [1, 3] }, attributes: null },
  { shapes: [[2, 2, 3], [3]], integers: { 1: [1, 1, 0] }, attributes: null },
];

/**
 * Rows of a table.
 *
 * @param table - [rows, ...], f32 or u32.
 * @param indices - [M], u32, below `rows`.
 * @returns [M, ...]: row m is table row indices[m].
 */
export function gather(table: Node, indices: Node): Node {
  return gatherOp([table, indices], null);
}

export interface ScatterAddAttributes {
  readonly rows: number;
}

/** The inputs are [values, indices]. */
export const scatterAddOp = defineOp<ScatterAddAttributes>({
  name: "scatterAdd",
  shape: ([values, indices], { rows }) => {
    expectRows("scatterAdd", values as Shape, indices as Shape, (values as Shape)[0]);
    return [rows, ...(values as Shape).slice(1)];
  },
  dtype: (given) => expectDTypes("scatterAdd", given, ["f32", "u32"], "f32"),
  jvp: ({ inputs: [, indices], attributes: { rows } }, [dvalues]) =>
    dvalues && scatterAdd(dvalues, indices as Node, rows),
  vjp: ({ inputs: [, indices] }, cotangent) => [gather(cotangent, indices as Node)],
  reference: ([values, indices], _attributes, shape) => {
    const { data } = values as HostTensor;
    const width = sizeOf(shape.slice(1));
    const result = new Float64Array(sizeOf(shape));
    (indices as HostTensor).data.forEach((index, m) => {
      for (let k = 0; k < width; k++) {
        const to = index * width + k;
        result[to] = (result[to] as number) + (data[m * width + k] as number);
      }
    });
    return { shape, data: result };
  },
});

export const scatterAddCases: OpCases<ScatterAddAttributes> = () => [
  { shapes: [[5, 3], [5]], integers: { 1: [3, 0, 0, 2, 3] }, attributes: { rows: 4 } },
  { shapes: [[2], [2]], integers: { 1: [1, 1] }, attributes: { rows: 3 } },
];

/**
 * Sums of rows by index.
 *
 * @param values - [M, ...].
 * @param indices - [M], u32, below `rows`.
 * @returns [rows, ...]: row n is the sum of those values whose index is n.
 */
export function scatterAdd(values: Node, indices: Node, rows: number): Node {
  return scatterAddOp([values, indices], { rows });
}

/** The inputs are [table, index, row]. */
export const replaceRowOp = defineOp<null>({
  name: "replaceRow",
  shape: ([table, index, row]) => {
    expectRows("replaceRow", table as Shape, index as Shape, 1);
    if (sizeOf(row as Shape) === sizeOf((table as Shape).slice(1))) return table as Shape;
    throw new ConfigError({
      subject: "row of replaceRow",
      given: row,
      expected: `${sizeOf((table as Shape).slice(1))} elements`,
      remedy: "A row is all of the table's axes but the first.",
    });
  },
  dtype: (given) => expectDTypes("replaceRow", given, ["f32", "u32", "f32"], "f32"),
  jvp: ({ inputs: [table, index, row] }, [dtable, , drow]) => {
    if (!dtable && !drow) return undefined;
    const zeros = (node: Node | undefined) => constant(0, (node as Node).shape);
    return replaceRow(dtable ?? zeros(table), index as Node, drow ?? zeros(row));
  },
  vjp: ({ inputs: [, index, row] }, cotangent) => {
    const kept = replaceRow(cotangent, index as Node, constant(0, (row as Node).shape));
    return [kept, undefined, reshape(sum(subtract(cotangent, kept), [0]), (row as Node).shape)];
  },
  reference: ([table, index, row], _attributes, shape) => {
    const data = (table as HostTensor).data.slice();
    const values = (row as HostTensor).data;
    const rows = shape[0] as number;
    data.set(values, (((index as HostTensor).data[0] as number) % rows) * values.length);
    return { shape, data };
  },
});

export const replaceRowCases: OpCases<null> = () => [
  { shapes: [[4, 3], [1], [3]], integers: { 1: [6] }, attributes: null },
  { shapes: [[4, 3], [1], [1, 3]], integers: { 1: [1] }, attributes: null },
];

/**
 * The table with one row replaced: how rings of metrics are written. Backends do it in place, so the table has to be a
 * state that the graph updates with the result.
 *
 * @param table - [rows, ...].
 * @param index - [1], u32; taken modulo `rows`.
 * @param row - as many elements as a row of the table has.
 */
export function replaceRow(table: Node, index: Node, row: Node): Node {
  return replaceRowOp([table, index, row], null);
}

function expectRows(name: string, table: Shape, indices: Shape, count = indices[0]): void {
  if (table.length >= 1 && indices.length === 1 && indices[0] === count) return;
  throw new ConfigError({
    subject: `inputs of ${name}`,
    given: [table, indices],
    expected: `shapes [rows, ...] and [${count}]`,
    remedy: "Indices are a vector.",
  });
}
