/** Products, sums over axes and rows by index. */
import type { Size } from "../trace/plain.ts";
import type { Builder } from "./builder.ts";
import { sameSize } from "./sizes.ts";
import type { Rules, Value } from "./translation.ts";

export const productRules: Rules = {
  matmul: (node, translation) => {
    const { transposeLeft, transposeRight } = node.attributes;
    const inputs = node.inputs.map((input) => translation.full(input));
    if (!transposeLeft && !transposeRight) return translation.made(node, "MatMul", inputs);
    const flags = { transA: { int: Number(transposeLeft) }, transB: { int: Number(transposeRight) } };
    return translation.made(node, "Gemm", inputs, flags);
  },

  matmulEach: (node, translation) =>
    translation.made(
      node,
      "MatMul",
      node.inputs.map((input) => translation.full(input)),
    ),

  linear: (node, translation) => {
    const { builder } = translation;
    const biasRows = node.attributes["biasRows"] as Size;
    const [x, w, b] = node.inputs.map((input) => translation.full(input)) as [string, string, string];
    if (sameSize(biasRows, node.shape[0] as Size)) return translation.made(node, "Gemm", [x, w, b]);
    return { from: withBias(builder, builder.operation("MatMul", [x, w]), b, biasRows), shape: node.shape };
  },

  sum: (node, translation) => {
    const axes = translation.builder.integers(node.attributes["axes"] as readonly number[]);
    return translation.made(node, "ReduceSum", [translation.full(node.inputs[0] as Value), axes]);
  },

  max: (node, translation) => {
    const axes = { ints: node.attributes["axes"] as readonly number[] };
    return translation.made(node, "ReduceMax", [translation.full(node.inputs[0] as Value)], { axes });
  },

  gather: (node, translation) => {
    const inputs = node.inputs.map((input) => translation.full(input));
    return translation.made(node, "Gather", inputs, { axis: { int: 0 } });
  },

  scatterAdd: (node, translation) => {
    const { builder } = translation;
    const [values, indices] = node.inputs.map((input) => translation.full(input)) as [string, string];
    const zeros = builder.operation("Expand", [builder.scalar(0), builder.sizes(node.shape)]);
    const column = builder.operation("Unsqueeze", [indices, builder.integers([1])]);
    return translation.made(node, "ScatterND", [zeros, column, values], { reduction: { text: "add" } });
  },

  replaceRow: (node, translation) => {
    const { builder } = translation;
    const [table, index, row] = node.inputs.map((input) => translation.full(input)) as [string, string, string];
    const place = builder.operation("Mod", [index, builder.sizes([node.shape[0] as Size])]);
    const column = builder.operation("Unsqueeze", [place, builder.integers([1])]);
    const one = builder.operation("Reshape", [row, builder.sizes([1, ...node.shape.slice(1)])]);
    return translation.made(node, "ScatterND", [table, column, one]);
  },
};

/** A matrix with a bias on its first rows only. */
export function withBias(builder: Builder, matrix: string, bias: string, rows: Size): string {
  if (rows === 0) return matrix;
  const [end, zero] = [builder.sizes([rows]), builder.integers([0])];
  const above = builder.operation("Add", [builder.operation("Slice", [matrix, zero, end, zero]), bias]);
  const below = builder.operation("Slice", [matrix, end, builder.end(), zero]);
  return builder.operation("Concat", [above, below], { axis: { int: 0 } });
}
