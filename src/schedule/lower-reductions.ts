/**
 * Sums and maxima over any axes become calls of the `reduce` kernel, which reduces the middle axis of three; so do sums
 * of squares of what lies in memory anyway.
 */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { multiply } from "../ops/arithmetic.ts";
import { maxOp, sumOp } from "../ops/reduce.ts";
import { reshapeOp } from "../ops/shape.ts";
import { constantValue } from "../ops/sources.ts";
import { isStep, type Reduction, reduceCall } from "./calls.ts";
import { reshaped } from "./reshaped.ts";
import { readCounts } from "./users.ts";

/** Contract: outputs agree up to the order of additions; no sum or max node is left. */
export function lowerReductions(graph: Graph): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    if (isNodeOf(node, sumOp.op)) {
      const { axes } = node.attributes;
      const [x] = node.inputs as [Node];
      const root = sizeOf(x.shape) > sizeOf(node.shape) ? squareRoot(x) : undefined;
      return root ? reduced("sumOfSquares", root, node, axes) : reduced("sum", x, node, axes);
    }
    if (isNodeOf(node, maxOp.op)) return reduced("max", node.inputs[0] as Node, node, node.attributes.axes);
    if (isNodeOf(node, multiply.op)) return scaled(node, original, reads) ?? node;
    return node;
  });
}

/** The product of a reduction that nothing else reads and a constant, as that reduction with a scale: a mean. */
function scaled(node: Node, original: Node, reads: ReadonlyMap<Node, number>): Node | undefined {
  for (const side of [0, 1]) {
    const factor = constantValue(node.inputs[1 - side] as Node);
    const alone = behindReshapes(original.inputs[side] as Node).every((read) => reads.get(read) === 1);
    const call = behindReshapes(node.inputs[side] as Node).at(-1) as Node;
    if (factor === undefined || !alone || !isNodeOf(call, reduceCall.op)) continue;
    const { kind, scale } = call.attributes;
    return reshaped(reduceCall(call.inputs, { kind, scale: scale * factor }), node.shape);
  }
  return undefined;
}

/** The node, and while it is a reshape what it reshapes. */
function behindReshapes(node: Node): Node[] {
  return isNodeOf(node, reshapeOp.op) ? [node, ...behindReshapes(node.inputs[0] as Node)] : [node];
}

/** What a square is of, where that lies in memory and no chain computes it; undefined for other nodes. */
function squareRoot(node: Node): Node | undefined {
  const [a, b] = node.inputs;
  const isSquare = a !== undefined && a === b && isNodeOf(node, multiply.op);
  return isSquare && !behindReshapes(a).some(isStep) ? a : undefined;
}

/** `node`, a reduction of x: one call for each run of neighbouring axes, the longest first: the others have less to do. */
function reduced(kind: Reduction, x: Node, node: Node, axes: readonly number[]): Node {
  const shape = [...x.shape];
  let result = x;
  const length = ({ start, end }: { start: number; end: number }) => sizeOf(x.shape.slice(start, end));
  for (const { start, end } of runsOf(axes, shape).sort((a, b) => length(b) - length(a) || b.start - a.start)) {
    const [outer, middle, inner] = [shape.slice(0, start), shape.slice(start, end), shape.slice(end)].map(sizeOf);
    const isFirst = result === x; // what is added up further are sums already
    const call = { kind: isFirst || kind === "max" ? kind : ("sum" as const), scale: 1 };
    result = reduceCall([reshaped(result, [outer as number, middle as number, inner as number])], call);
    shape.fill(1, start, end);
  }
  return reshaped(result, node.shape);
}

/** The reduced axes as ranges of axes; one of size 1 belongs to any range it lies in or beside. */
function runsOf(axes: readonly number[], shape: Shape): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  for (const axis of axes) {
    if (shape[axis] === 1) continue;
    const last = runs.at(-1);
    if (last && sizeOf(shape.slice(last.end, axis)) === 1) last.end = axis + 1;
    else runs.push({ start: axis, end: axis + 1 });
  }
  return runs;
}
