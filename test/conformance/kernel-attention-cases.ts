/** Cases of attention and its reverse: the kernels against what the composites are in other ops, in f64. */
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { add } from "../../src/ops/arithmetic.ts";
import {
  attentionOp,
  attentionReverseOp,
  attentionTangentOp,
  attentionTangentReverseOp,
} from "../../src/ops/attention.ts";
import { attentionOrders } from "../../src/ops/attention-rules.ts";
import { concat, reshape, slice } from "../../src/ops/shape.ts";
import { table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { KernelCase } from "./kernel-case.ts";

const draws = new HostRandom(20_261_127);
let drawn = 0;
const normals = (count: number) => draws.normal(count, drawn++);

/** batch, length, heads, width, tangents: 1, primes, blocks of 32 queries or 64 keys and off them, whole quads and not. */
const sizes = [
  [1, 1, 1, 1, 0],
  [2, 3, 1, 5, 1],
  [1, 7, 3, 4, 1],
  [2, 33, 2, 8, 1],
  [1, 32, 2, 16, 2],
  [3, 17, 1, 64, 0],
  [1, 65, 1, 31, 1],
  [1, 5, 2, 12, 3],
  [1, 130, 1, 32, 1],
  [2, 66, 1, 64, 1],
] as const;

function attentionCases(): KernelCase[] {
  return sizes.flatMap((size) => attentionOrders.flatMap((order) => casesOf(size, order)));
}

function casesOf(
  [batch, length, heads, width, tangents]: (typeof sizes)[number],
  order: (typeof attentionOrders)[number],
): KernelCase[] {
  const [wide, narrow]: [Shape, Shape] = [
    [batch, length, 3 * heads * width],
    [batch, length, heads * width],
  ];
  const attributes = { heads, order };
  const stack = (shape: Shape) => Array.from({ length: 1 + tangents }, () => normals(sizeOf(shape)));
  const nodes = (values: readonly Float32Array[], shape: Shape) => values.map((each) => table([...each], shape));
  const together = (values: readonly Float32Array[]) => Float32Array.from(values.flatMap((each) => [...each]));
  const [joined, cotangents] = [stack(wide), stack(narrow)];
  const [q, ...along] = nodes(joined, wide) as [Node, ...Node[]];
  const [c, ...others] = nodes(cotangents, narrow) as [Node, ...Node[]];
  const stackOf = (parts: readonly Node[]) => evaluate([concat(parts, 0)])[0]!.data;
  const forward = [attentionOp([q], attributes), ...along.map((dq) => attentionTangentOp([q, dq], attributes))];
  let primal: Node = attentionReverseOp([q, c], attributes);
  const back = along.map((dq, i) => {
    const both = attentionTangentReverseOp([q, dq, others[i] as Node], attributes);
    primal = add(primal, reshape(slice(both, 0, 0, 1), wide));
    return reshape(slice(both, 0, 1, 2), wide);
  });
  const [kindStride, headStride] = order === "kinds" ? [heads * width, width] : [width, 3 * width];
  const parameters = { batch, length, heads, width, tangents, kindStride, headStride, scale: 1 / Math.sqrt(width) };
  const label = `${batch} x ${heads} of ${length} x ${width}, by ${order}, ${tangents} tangents`;
  return [
    {
      label: `attention ${label}`,
      kernel: "attention",
      parameters,
      operands: {
        joined: { dtype: "f32", values: together(joined) },
        out: { dtype: "f32", expected: stackOf(forward) },
      },
    },
    {
      label: `attentionReverse ${label}`,
      kernel: "attentionReverse",
      parameters,
      operands: {
        joined: { dtype: "f32", values: together(joined) },
        cotangents: { dtype: "f32", values: together(cotangents) },
        out: { dtype: "f32", expected: stackOf([primal, ...back]) },
      },
    },
  ];
}

export const attentionKernelCases: Readonly<Record<string, () => KernelCase[]>> = { attention: attentionCases };
