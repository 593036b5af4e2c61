/** Products, sums over axes and rows by index. */
import type { Size } from "../trace/plain.ts";
import type { Builder } from "./builder.ts";
import { sameSize } from "./sizes.ts";
import { noOperator, type Rules, type Value } from "./translation.ts";

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

  convolve: (node, translation) => {
    const { builder } = translation;
    const { down, across, transposeLeft, transposeRight, biasRows } = node.attributes;
    const axes = [down, across].map((numbers) => numbers as Axis);
    if (transposeLeft || transposeRight || !axes.every(isForward))
      throw noOperator(node, "windows as reverse mode has them");
    const [x, w, bias] = node.inputs as [Value, Value, Value | undefined];
    const [height, width] = axes.map(([input]) => input) as [number, number];
    const [high, wide] = axes.map(([, , taps]) => taps) as [number, number];
    const [batch, , channels] = x.shape as [Size, Size, number];
    const columns = node.shape[1] as number;
    const shaped = (value: string, shape: readonly Size[], perm: readonly number[]) =>
      builder.operation("Transpose", [builder.operation("Reshape", [value, builder.sizes(shape)])], {
        perm: { ints: perm },
      });
    const images = shaped(translation.full(x), [batch, height, width, channels], [0, 3, 1, 2]);
    const weight = shaped(translation.full(w), [high, wide, channels, columns], [3, 2, 0, 1]);
    const isWhole = bias !== undefined && sameSize(biasRows as Size, node.shape[0] as Size);
    const convolved = builder.operation("Conv", [images, weight, ...(isWhole ? [translation.full(bias)] : [])], {
      strides: { ints: axes.map(([, , , stride]) => stride) },
      dilations: { ints: axes.map(([, , , , , dilation]) => dilation) },
      pads: { ints: [...axes.map(([, , , , , , start]) => 0 - start), ...axes.map(zerosAfter)] },
    });
    const places = builder.operation("Transpose", [convolved], { perm: { ints: [0, 2, 3, 1] } });
    const rows = builder.operation("Reshape", [places, builder.sizes(node.shape as readonly Size[])]);
    if (!bias || isWhole) return { from: rows, shape: node.shape };
    return { from: withBias(builder, rows, translation.full(bias), biasRows as Size), shape: node.shape };
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

/** One axis of a window: input, output, taps, stride, fraction, dilation, start. */
type Axis = readonly [number, number, number, number, number, number, number];

/** Zeros that the last window reaches beyond the input. */
const zerosAfter = ([input, output, taps, stride, , dilation, start]: Axis) =>
  Math.max(0, (output - 1) * stride + (taps - 1) * dilation + start - (input - 1));

/** Whether ONNX's operator has such windows: those of reverse mode go back in steps of a fraction. */
function isForward(axis: Axis): boolean {
  const [input, output, taps, stride, fraction, dilation, start] = axis;
  const reach = dilation * (taps - 1) + 1;
  const places = Math.floor((input - start + zerosAfter(axis) - reach) / stride) + 1;
  return fraction === 1 && dilation > 0 && start <= 0 && places === output;
}

/** A matrix with a bias on its first rows only. */
export function withBias(builder: Builder, matrix: string, bias: string, rows: Size): string {
  if (rows === 0) return matrix;
  const [end, zero] = [builder.sizes([rows]), builder.integers([0])];
  const above = builder.operation("Add", [builder.operation("Slice", [matrix, zero, end, zero]), bias]);
  const below = builder.operation("Slice", [matrix, end, builder.end(), zero]);
  return builder.operation("Concat", [above, below], { axis: { int: 0 } });
}
