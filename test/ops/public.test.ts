// The ops that users write with are those of docs/ops.md, and build what traces can hold.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { topologicalOrder } from "../../src/graph/graph.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import * as ops from "../../src/ops/public.ts";
import { state } from "../../src/ops/sources.ts";
import { opTable } from "../../src/ops/table.ts";

const page = readFileSync(new URL("../../docs/ops.md", import.meta.url), "utf8");
const rows = page.split("\n").filter((line) => line.startsWith("| `"));
/** Names in the first column of the table. */
const listed = rows.flatMap((row) => [...(row.split("|")[1] as string).matchAll(/`(\w+)/g)].map(([, name]) => name));

test("docs/ops.md has each op once, and no other", () => {
  expect([...listed].sort()).toEqual(Object.keys(ops).sort());
});

/** As a value: names are looked up in it. */
const all = { ...ops };

const f32 = (...shape: Shape) => state({ name: shape.join(), shape, dtype: "f32" });
const u32 = (...shape: Shape) => state({ name: `u${shape.join()}`, shape, dtype: "u32" });
const unary = Object.fromEntries(
  (
    [
      "negate",
      "abs",
      "sign",
      "square",
      "sqrt",
      "exp",
      "expm1",
      "log",
      "log1p",
      "sin",
      "cos",
      "floor",
      "finite",
    ] as const
  ).map((name) => [name, () => [all[name](f32(2, 3)), [2, 3]] as const]),
);
const binary = Object.fromEntries(
  (["add", "subtract", "multiply", "divide", "minimum", "maximum", "less", "lessEqual", "equal"] as const).map(
    (name) => [name, () => [all[name](f32(2, 1), f32(4)), [2, 4]] as const],
  ),
);

/** Each on shapes as the page has them, with the shape that the page says. */
const shapes: Readonly<Record<keyof typeof ops, () => readonly [Node, Shape]>> = {
  ...(unary as Record<"negate" | "abs" | "sign" | "square" | "sqrt" | "exp" | "expm1" | "log" | "log1p", never>),
  ...(unary as Record<"sin" | "cos" | "floor" | "finite", never>),
  ...(binary as Record<"add" | "subtract" | "multiply" | "divide" | "minimum" | "maximum" | "less", never>),
  ...(binary as Record<"lessEqual" | "equal", never>),
  select: () => [ops.select(f32(2, 1), f32(3), 0), [2, 3]],
  toFloat: () => [ops.toFloat(u32(2)), [2]],
  activation: () => [ops.activation(f32(2, 3), "silu"), [2, 3]],
  matmul: () => [ops.matmul(f32(4, 2), f32(4, 3), { transposeLeft: true }), [2, 3]],
  matmulEach: () => [ops.matmulEach(f32(5, 2, 4), f32(5, 4, 3)), [5, 2, 3]],
  linear: () => [ops.linear(f32(2, 4), f32(4, 3), f32(3)), [2, 3]],
  conv1d: () => [ops.conv1d(f32(2, 7, 3), f32(3, 3, 4), f32(4), { stride: 2, padding: 1, dilation: 2 }), [2, 3, 4]],
  conv2d: () => [ops.conv2d(f32(2, 7, 5, 3), f32(3, 3, 3, 4), f32(4), { padding: 1 }), [2, 7, 5, 4]],
  attention: () => [ops.attention(f32(2, 3, 5, 4), f32(2, 3, 5, 4), f32(2, 3, 5, 4)), [2, 3, 5, 4]],
  selfAttention: () => [ops.selfAttention(f32(2, 5, 12), 2), [2, 5, 4]],
  groupNorm: () => [ops.groupNorm(f32(2, 5, 4), f32(4), f32(4), { groups: 2 }), [2, 5, 4]],
  layerNorm: () => [ops.layerNorm(f32(2, 5, 4)), [2, 5, 4]],
  rmsNorm: () => [ops.rmsNorm(f32(2, 5, 4), f32(4)), [2, 5, 4]],
  film: () => [ops.film(f32(2, 5, 4), f32(2, 4), f32(2, 4)), [2, 5, 4]],
  softmax: () => [ops.softmax(f32(2, 3)), [2, 3]],
  logSoftmax: () => [ops.logSoftmax(f32(2, 3)), [2, 3]],
  crossEntropy: () => [ops.crossEntropy(f32(2, 3), u32(2), "none"), [2]],
  embedding: () => [ops.embedding(f32(5, 3), u32(2)), [2, 3]],
  timeEmbedding: () => [ops.timeEmbedding(f32(2, 1), f32(3)), [2, 6]],
  fixedTimeEmbedding: () => [ops.fixedTimeEmbedding(f32(2), [1, 2, 3]), [2, 6]],
  gather: () => [ops.gather(f32(5, 3), u32(2)), [2, 3]],
  scatterAdd: () => [ops.scatterAdd(f32(2, 3), u32(2), 5), [5, 3]],
  sum: () => [ops.sum(f32(2, 3, 4), [0, 2]), [1, 3, 1]],
  mean: () => [ops.mean(f32(2, 3, 4), [1]), [2, 1, 4]],
  max: () => [ops.max(f32(2, 3, 4), [1]), [2, 1, 4]],
  sumAll: () => [ops.sumAll(f32(2, 3)), []],
  meanAll: () => [ops.meanAll(f32(2, 3)), []],
  reshape: () => [ops.reshape(f32(2, 3), [6]), [6]],
  broadcast: () => [ops.broadcast(f32(3), [2, 3]), [2, 3]],
  transpose: () => [ops.transpose(f32(2, 3, 4), [2, 0, 1]), [4, 2, 3]],
  concat: () => [ops.concat([f32(2, 3), f32(2, 4)], 1), [2, 7]],
  slice: () => [ops.slice(f32(2, 5), 1, 1, 3), [2, 2]],
  pad: () => [ops.pad(f32(2, 3), 1, 1, 2), [2, 6]],
  spaceFromChannels: () => [ops.spaceFromChannels(f32(2, 5, 4), 2, "factor-major"), [2, 10, 2]],
  enlargeTwice: () => [ops.enlargeTwice(f32(2, 3, 4, 5)), [2, 6, 8, 5]],
  shrinkTwice: () => [ops.shrinkTwice(f32(2, 6, 8, 5)), [2, 3, 4, 5]],
  constant: () => [ops.constant(2, [2, 3]), [2, 3]],
  table: () => [ops.table([1, 2, 3, 4, 5, 6], [2, 3]), [2, 3]],
  stopGradient: () => [ops.stopGradient(f32(2, 3)), [2, 3]],
};

describe("each op", () => {
  test.each(Object.keys(ops) as (keyof typeof ops)[])(
    "%s has the shape that docs/ops.md says, and is made of ops that traces hold",
    (name) => {
      const [node, shape] = shapes[name]();
      expect(node.shape).toEqual(shape);
      for (const { op } of topologicalOrder([node])) expect(opTable.has(op.name), op.name).toBe(true);
    },
  );
});
