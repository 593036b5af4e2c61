/** The ops that are one kernel call each: parameters, operands and cost. */
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { randomKinds } from "../kernels/random.ts";
import { reductions } from "../kernels/reduce.ts";
import { randomOp } from "../ops/random.ts";
import { gatherOp, replaceRowOp, scatterAddOp } from "../ops/rows.ts";
import { linearCall, reduceCall } from "./calls.ts";
import type { View } from "./cells.ts";
import type { CallUnit } from "./units.ts";

type ViewOf = (node: Node) => View;

/** The call that computes `node` into `out`, or undefined for a node that no single kernel computes. */
export type CallMaker = (node: Node, viewOf: ViewOf, out: View) => CallUnit | undefined;

export const callUnit: CallMaker = (node, viewOf, out) => {
  if (isNodeOf(node, linearCall.op)) {
    const [left, right] = node.inputs as [Node, Node];
    const [rows, columns] = node.shape as [number, number];
    const { transposeLeft, transposeRight, biasRows } = node.attributes;
    const depth = sizeOf(right.shape) / columns;
    const bias = biasRows > 0 ? node.inputs[2] : undefined;
    return {
      kind: "call",
      kernel: "linear",
      parameters: {
        rows,
        columns,
        depth,
        transposeLeft: Number(transposeLeft),
        transposeRight: Number(transposeRight),
        biasRows,
      },
      reads: {
        left: viewOf(left),
        right: viewOf(right),
        ...(bias && { bias: viewOf(bias) }),
      },
      writes: { out },
      flops: 2 * rows * columns * depth + biasRows * columns,
      label: (names) => {
        const factors = `${names["left"]}${transposeLeft ? "ᵀ" : ""} ${names["right"]}${transposeRight ? "ᵀ" : ""}`;
        return `${names["out"]} = ${factors}${bias ? ` + ${names["bias"]}` : ""}`;
      },
    };
  }
  if (isNodeOf(node, reduceCall.op)) {
    const [x] = node.inputs as [Node];
    const [outer, reduced, inner] = x.shape as [number, number, number];
    const { kind, scale } = node.attributes;
    return {
      kind: "call",
      kernel: "reduce",
      parameters: { outer, reduced, inner, kind: reductions.indexOf(kind), scale },
      reads: { in: viewOf(x) },
      writes: { out },
      flops: sizeOf(x.shape) * (kind === "sumOfSquares" ? 2 : 1),
      label: (names) =>
        `${names["out"]} = ${scale === 1 ? "" : `${scale} `}${kind === "sumOfSquares" ? "sum of squares" : kind} of ${names["in"]}`,
    };
  }
  if (isNodeOf(node, randomOp.op)) {
    const [seed, counter] = node.inputs as [Node, Node];
    const { kind, stream, bound } = node.attributes;
    return {
      kind: "call",
      kernel: "random",
      parameters: { count: sizeOf(node.shape), kind: randomKinds.indexOf(kind), stream, bound },
      reads: { seed: viewOf(seed), counter: viewOf(counter) },
      writes: { out },
      flops: 0,
      label: (names) => `${names["out"]} = random ${kind}, stream ${stream}`,
    };
  }
  return rowsUnit(node, viewOf, out) ?? plannedUnit(node, viewOf, out);
};

/** Of an op that says itself which call it is. */
function plannedUnit(node: Node, viewOf: ViewOf, out: View): CallUnit | undefined {
  const planned = node.op.call?.(node);
  if (!planned) return undefined;
  const { kernel, parameters, reads, write, flops, label } = planned;
  return {
    kind: "call",
    kernel,
    parameters,
    reads: Object.fromEntries(reads.map((name, i) => [name, viewOf(node.inputs[i] as Node)])),
    writes: { [write]: out },
    flops,
    label: (names) => `${names[write]} = ${label(reads.map((name) => names[name] as string))}`,
  };
}

function rowsUnit(node: Node, viewOf: ViewOf, out: View): CallUnit | undefined {
  if (isNodeOf(node, gatherOp.op)) {
    const [table, indices] = node.inputs as [Node, Node];
    return {
      kind: "call",
      kernel: "gather",
      parameters: { count: sizeOf(indices.shape), width: widthOf(table.shape), rows: table.shape[0] as number },
      reads: { table: viewOf(table), indices: viewOf(indices) },
      writes: { out },
      flops: 0,
      label: (names) => `${names["out"]} = rows ${names["indices"]} of ${names["table"]}`,
    };
  }
  if (isNodeOf(node, scatterAddOp.op)) {
    const [values, indices] = node.inputs as [Node, Node];
    return {
      kind: "call",
      kernel: "scatterAdd",
      parameters: { count: sizeOf(indices.shape), width: widthOf(node.shape), rows: node.attributes.rows },
      reads: { values: viewOf(values), indices: viewOf(indices) },
      writes: { out },
      flops: sizeOf(values.shape),
      label: (names) => `${names["out"]} = sums of ${names["values"]} at rows ${names["indices"]}`,
    };
  }
  if (isNodeOf(node, replaceRowOp.op)) {
    const [table, index, row] = node.inputs as [Node, Node, Node];
    return {
      kind: "call",
      kernel: "replaceRow",
      parameters: { rows: node.shape[0] as number, width: widthOf(node.shape) },
      reads: { index: viewOf(index), row: viewOf(row) },
      writes: { table: out },
      flops: 0,
      label: (names) => `${names["table"]} takes row ${names["row"]} at ${names["index"]}`,
      initial: viewOf(table),
    };
  }
  return undefined;
}

/** Elements of a row. */
const widthOf = (shape: Shape) => sizeOf(shape.slice(1));
