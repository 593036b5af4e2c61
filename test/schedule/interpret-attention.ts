/** Attention as programs call it, by what the composites are in other ops. */
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { add } from "../../src/ops/arithmetic.ts";
import {
  attentionOp,
  attentionReverseOp,
  attentionTangentOp,
  attentionTangentReverseOp,
} from "../../src/ops/attention.ts";
import { reshape, slice } from "../../src/ops/shape.ts";
import { table } from "../../src/ops/sources.ts";
import type { Access } from "./interpret-chain.ts";

type Parameters = Readonly<Record<string, number>>;
type Operand = (name: string) => Access;

export function interpretAttention(p: Parameters, operand: Operand): void {
  const { joined, attributes } = factsOf(p, operand);
  const [primal, ...tangents] = joined as [Node, ...Node[]];
  store(operand, [
    attentionOp([primal], attributes),
    ...tangents.map((along) => attentionTangentOp([primal, along], attributes)),
  ]);
}

export function interpretAttentionReverse(p: Parameters, operand: Operand): void {
  const { joined, attributes, narrow } = factsOf(p, operand);
  const [primal, ...tangents] = joined as [Node, ...Node[]];
  const [first, ...others] = parts(operand("cotangents"), narrow) as [Node, ...Node[]];
  let total: Node = attentionReverseOp([primal, first], attributes);
  const along = tangents.map((tangent, i) => {
    const both = attentionTangentReverseOp([primal, tangent, others[i] as Node], attributes);
    total = add(total, reshape(slice(both, 0, 0, 1), primal.shape));
    return reshape(slice(both, 0, 1, 2), primal.shape);
  });
  store(operand, [total, ...along]);
}

function factsOf(p: Parameters, operand: Operand) {
  const { batch = 1, length = 1, heads = 1, width = 1, kindStride, headStride } = p;
  const order = kindStride === heads * width && headStride === width ? ("kinds" as const) : ("heads" as const);
  const [wide, narrow]: [Shape, Shape] = [
    [batch, length, 3 * heads * width],
    [batch, length, heads * width],
  ];
  return { joined: parts(operand("joined"), wide), narrow, attributes: { heads, order } };
}

/** Values of this shape one after another. */
function parts(from: Access, shape: Shape): Node[] {
  const size = sizeOf(shape);
  return Array.from({ length: from.length / size }, (_, part) =>
    table(
      Array.from({ length: size }, (_, i) => from.get(part * size + i)),
      shape,
    ),
  );
}

function store(operand: Operand, values: readonly Node[]): void {
  const out = operand("out");
  let at = 0;
  for (const { data } of evaluate(values)) for (const value of data) out.set(at++, value);
}
