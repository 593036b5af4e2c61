/**
 * How plans compute attention by kernels (src/kernels/attention.ts): a value with the tangents that share its queries, keys
 * and values in one call, and what comes back for all of these in another. Values lie stacked, [primal; tangent 1; ...].
 */
import { evaluate } from "../graph/evaluate.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { type CompositeKernel, defineOp, type HostTensor, type PlannedCall } from "../graph/op.ts";
import { add } from "./arithmetic.ts";
import {
  type AttentionAttributes,
  attended,
  attendedReverse,
  attendedTangent,
  attendedTangentReverse,
} from "./attention-rules.ts";
import { concat, reshape, reshapeOp, slice, sliceOp } from "./shape.ts";
import { constant, table } from "./sources.ts";

/** The widest head; and the most tangents, whose values all lie in registers. */
const MOST_WIDTH = 64;
const MOST_TANGENTS = 3;

/** [joined stack] to the stack of attention and its tangents. */
const attentionCall = defineOp<AttentionAttributes>({
  name: "attentionCall",
  shape: ([stack]) => [...(stack as Shape).slice(0, 3), ((stack as Shape)[3] as number) / 3],
  reference: ([stack], attributes, shape) => {
    const [joined, ...tangents] = partsOf(stack as HostTensor);
    const along = tangents.map((tangent) => attendedTangent([joined as Node, tangent], attributes));
    return evaluate([stacked([attended([joined as Node], attributes), ...along], shape)])[0] as HostTensor;
  },
  call: ({ inputs: [stack], attributes, shape }) => ({
    ...callOf("attention", stack as Node, attributes, 2),
    reads: ["joined"],
    label: ([joined]) => `attention in ${joined}, ${(shape[0] as number) - 1} tangents`,
  }),
});

/** [joined stack, cotangents' stack] to the stack of joined's cotangents. */
const attentionReverseCall = defineOp<AttentionAttributes>({
  name: "attentionReverseCall",
  shape: ([stack]) => stack as Shape,
  reference: ([stack, cotangents], attributes, shape) => {
    const [joined, ...tangents] = partsOf(stack as HostTensor);
    const [cotangent, ...others] = partsOf(cotangents as HostTensor);
    let primal = attendedReverse([joined as Node, cotangent as Node], attributes);
    const along = tangents.map((tangent, i) => {
      const both = attendedTangentReverse([joined as Node, tangent, others[i] as Node], attributes);
      const [first, second] = [0, 1].map((k) => reshape(slice(both, 0, k, k + 1), primal.shape)) as [Node, Node];
      primal = add(primal, first);
      return second;
    });
    return evaluate([stacked([primal, ...along], shape)])[0] as HostTensor;
  },
  call: ({ inputs: [stack], attributes, shape }) => ({
    ...callOf("attentionReverse", stack as Node, attributes, 5),
    reads: ["joined", "cotangents"],
    label: ([joined, cotangents]) => `cotangents of ${joined} from ${cotangents}, ${(shape[0] as number) - 1} tangents`,
  }),
});

export const attentionKernel: CompositeKernel = {
  name: "attention",
  key: keyOf,
  most: 1 + MOST_TANGENTS,
  build: (nodes) => {
    const { joined, attributes } = factsOf(nodes);
    const primals = nodes.filter(({ inputs }) => inputs.length === 1);
    const tangents = nodes.filter(({ inputs }) => inputs.length === 2);
    const stack = rowsOf([joined, ...tangents.map(({ inputs }) => inputs[1] as Node)]);
    const results = attentionCall([stack], attributes);
    const part = (node: Node) => (primals.includes(node) ? 0 : 1 + tangents.indexOf(node));
    return nodes.map((node) => partOf(results, part(node), node.shape));
  },
};

export const attentionReverseKernel: CompositeKernel = {
  name: "attentionReverse",
  key: keyOf,
  most: 1 + MOST_TANGENTS,
  // Of the primal's own cotangent all of it; of a tangent's, the first of two.
  sums: {
    addendOf: (term) => {
      const node = isNodeOf(term, reshapeOp.op) ? (term.inputs[0] as Node) : term;
      if (!isNodeOf(node, sliceOp.op)) return node.op.kernel === attentionReverseKernel ? node : undefined;
      const [whole] = node.inputs as [Node];
      const isFirst = node.attributes.axis === 0 && node.attributes.start === 0 && node.attributes.end === 1;
      return isFirst && whole.op.kernel === attentionReverseKernel && whole.inputs.length === 3 ? whole : undefined;
    },
  },
  build: (nodes) => {
    const { joined, attributes } = factsOf(nodes);
    const primal = nodes.find(({ inputs }) => inputs.length === 2);
    const tangents = nodes.filter(({ inputs }) => inputs.length === 3);
    const [batch, length, width] = joined.shape as readonly [number, number, number];
    const cotangent = primal?.inputs[1] ?? constant(0, [batch, length, width / 3]);
    const stack = rowsOf([joined, ...tangents.map(({ inputs }) => inputs[1] as Node)]);
    const cotangents = rowsOf([cotangent, ...tangents.map(({ inputs }) => inputs[2] as Node)]);
    const results = attentionReverseCall([stack, cotangents], attributes);
    const zeros = constant(0, [1, ...joined.shape]);
    return nodes.map((node, i) => {
      const total = i === 0 ? partOf(results, 0, zeros.shape) : zeros;
      if (node === primal) return reshape(total, node.shape);
      return concat([total, partOf(results, 1 + tangents.indexOf(node), zeros.shape)], 0);
    });
  },
};

/** What nodes of one call share; undefined for heads wider than kernels take. */
function keyOf(node: Node): readonly unknown[] | undefined {
  const [joined] = node.inputs as [Node];
  const { heads, order } = node.attributes as AttentionAttributes;
  return (joined.shape[2] as number) / 3 / heads <= MOST_WIDTH ? [joined, heads, order] : undefined;
}

function factsOf([node]: readonly Node[]): { joined: Node; attributes: AttentionAttributes } {
  const { inputs, attributes } = node as Node<AttentionAttributes>;
  return { joined: inputs[0] as Node, attributes };
}

/** Values [B, L, C] one after another, [count, B, L, C]. Of two axes, so that rows that lie so already are seen to. */
function rowsOf(values: readonly Node[]): Node {
  const [first] = values as [Node];
  const [batch, length, width] = first.shape as readonly [number, number, number];
  const rows = concat(
    values.map((value) => reshape(value, [batch * length, width])),
    0,
  );
  return reshape(rows, [values.length, batch, length, width]);
}

/** Part `index` of a stack. As rows, so that what follows sees that parts lie one after another. */
function partOf(stack: Node, index: number, shape: Shape): Node {
  const rows = (stack.shape[1] as number) * (stack.shape[2] as number);
  const matrix = reshape(stack, [(stack.shape[0] as number) * rows, stack.shape[3] as number]);
  return reshape(slice(matrix, 0, index * rows, (index + 1) * rows), shape);
}

function stacked(values: readonly Node[], shape: Shape): Node {
  return reshape(concat(values, 0), shape);
}

/** Of a value on the host, the parts along its first axis. */
function partsOf({ data, shape: [count, ...shape] }: HostTensor): Node[] {
  const size = sizeOf(shape);
  return Array.from({ length: count as number }, (_, i) => table([...data.subarray(i * size, (i + 1) * size)], shape));
}

/** @param products - of queries by keys by a head's width, of the primal and again of each tangent three times. */
function callOf(
  kernel: string,
  { shape }: Node,
  { heads, order }: AttentionAttributes,
  products: number,
): Pick<PlannedCall, "kernel" | "parameters" | "write" | "flops"> {
  const [count, batch, length, all] = shape as readonly [number, number, number, number];
  const width = all / 3 / heads;
  const tangents = count - 1;
  const [kindStride, headStride] = order === "kinds" ? [heads * width, width] : [width, 3 * width];
  const each = 2 * batch * heads * length * length * width;
  return {
    kernel,
    parameters: { batch, length, heads, width, tangents, kindStride, headStride, scale: 1 / Math.sqrt(width) },
    write: "out",
    flops: each * (products + 2 * products * tangents),
  };
}
