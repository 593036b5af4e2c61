/**
 * Local simplifications: what a person would strike out of the graph on paper. What is left moves no element and
 * computes no number that the outputs do not need.
 */
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import { type DType, isNodeOf, type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";

import { rewrite } from "../graph/rewrite.ts";
import { negate, select } from "../ops/arithmetic.ts";
import { matmul, matmulOp } from "../ops/matmul.ts";
import { maxOp, sumOp } from "../ops/reduce.ts";
import {
  broadcast,
  broadcastOp,
  concat,
  concatOp,
  reshapeOp,
  slice,
  sliceOp,
  transpose,
  transposeOp,
} from "../ops/shape.ts";
import { constantOp, constantValue, stateOp } from "../ops/sources.ts";
import { reshaped } from "./reshaped.ts";
import { sumOfPads } from "./sum-of-pads.ts";

/**
 * Contract: outputs keep their bits but for the sign of a zero (x + 0 is x), with constants combined in f64; updates
 * that leave a state as it was are gone. Products with 0 stay: they carry NaN and infinity on.
 */
export function simplify(graph: Graph): Graph {
  const simplified = rewrite(graph, (node) => {
    let current = node;
    for (let next = simplifyNode(current); next !== current; next = simplifyNode(current)) current = next;
    return current;
  });
  return withoutIdleUpdates(simplified);
}

/** The graph without updates that leave a state as it was. */
export function withoutIdleUpdates(graph: Graph): Graph {
  return { ...graph, updates: graph.updates.filter(({ state, value }) => !isState(value, state)) };
}

function isState(node: Node, state: StateDeclaration): boolean {
  return isNodeOf(node, stateOp.op) && node.attributes.name === state.name;
}

/** One simplification of the node, its inputs being simple already; the node itself when there is none. */
export function simplifyNode(node: Node): Node {
  if (node.op.name === "stopGradient") return node.inputs[0] as Node;
  if (node.op.elementwise) return simplifyElementwise(node);
  if (isNodeOf(node, reshapeOp.op)) return simplifyReshape(node);
  if (isNodeOf(node, broadcastOp.op)) return simplifyBroadcast(node);
  if (isNodeOf(node, transposeOp.op)) return simplifyTranspose(node, node.attributes.permutation);
  if (isNodeOf(node, sliceOp.op)) return simplifySlice(node);
  if (isNodeOf(node, concatOp.op)) return simplifyConcat(node, node.attributes.axis);
  if (isNodeOf(node, matmulOp.op)) return foldTransposes(node);
  if (isNodeOf(node, sumOp.op) || isNodeOf(node, maxOp.op)) {
    const [x] = node.inputs as [Node];
    return sizeOf(x.shape) === sizeOf(node.shape) ? reshaped(x, node.shape) : node;
  }
  return node;
}

function filled(value: number, shape: Shape, dtype: DType): Node {
  return constantOp([], { value, shape, dtype });
}

function simplifyElementwise(node: Node): Node {
  const [a, b, c] = node.inputs as [Node, Node, Node];
  const values = node.inputs.map(constantValue);
  if (values.every((value) => value !== undefined)) {
    const inputs = values.map((value) => ({ shape: [], data: Float64Array.of(value) }));
    return filled(node.op.reference(inputs, node.attributes, []).data[0] as number, node.shape, node.dtype);
  }
  const [first, second] = values;
  switch (node.op.name) {
    case "add":
      return second === 0 ? a : first === 0 ? b : (sumOfPads(a, b) ?? node);
    case "subtract":
      return second === 0 ? a : node;
    case "multiply":
      if (second === 1) return a;
      if (first === 1) return b;
      return second === -1 ? negate(a) : first === -1 ? negate(b) : node;
    case "divide":
      return second === 1 ? a : node;
    case "negate":
      return a.op === negate.op ? (a.inputs[0] as Node) : node;
    case "select":
      if (b === c) return b;
      return node.op === select.op && first !== undefined ? (first !== 0 ? b : c) : node;
    default:
      return node;
  }
}

function simplifyReshape(node: Node): Node {
  const [x] = node.inputs as [Node];
  if (isNodeOf(x, reshapeOp.op) || constantValue(x) !== undefined || sameShape(x.shape, node.shape)) {
    return reshaped(x, node.shape);
  }
  return node;
}

function simplifyBroadcast(node: Node): Node {
  const [x] = node.inputs as [Node];
  if (sizeOf(x.shape) === sizeOf(node.shape)) return reshaped(x, node.shape);
  if (constantValue(x) !== undefined) return broadcast(x, node.shape);
  return isNodeOf(x, broadcastOp.op) ? broadcast(x.inputs[0] as Node, node.shape) : node;
}

function simplifyTranspose(node: Node, permutation: readonly number[]): Node {
  const [x] = node.inputs as [Node];
  const moved = permutation.filter((axis) => x.shape[axis] !== 1); // axes of size 1 move no element
  if (moved.every((axis, i) => i === 0 || axis > (moved[i - 1] as number))) return reshaped(x, node.shape);
  const value = constantValue(x);
  if (value !== undefined) return filled(value, node.shape, node.dtype);
  if (!isNodeOf(x, transposeOp.op)) return node;
  const inner = x.attributes.permutation;
  return transpose(
    x.inputs[0] as Node,
    permutation.map((axis) => inner[axis] as number),
  );
}

function simplifySlice(node: Node): Node {
  if (!isNodeOf(node, sliceOp.op)) return node;
  const { axis, start, end } = node.attributes;
  const [x] = node.inputs as [Node];
  if (sameShape(x.shape, node.shape)) return x;
  const value = constantValue(x);
  if (value !== undefined) return filled(value, node.shape, node.dtype);
  if (isNodeOf(x, sliceOp.op) && x.attributes.axis === axis) {
    return slice(x.inputs[0] as Node, axis, x.attributes.start + start, x.attributes.start + end);
  }
  return isNodeOf(x, concatOp.op) && x.attributes.axis === axis ? sliceOfConcat(x, node, axis, start, end) : node;
}

/** The parts that the slice covers, when it begins and ends where parts do or lies within one. */
function sliceOfConcat(joint: Node, node: Node, axis: number, start: number, end: number): Node {
  const covered: Node[] = [];
  let offset = 0;
  for (const part of joint.inputs) {
    const next = offset + (part.shape[axis] as number);
    if (offset <= start && end <= next) return slice(part, axis, start - offset, end - offset);
    const [from, to] = [Math.max(start, offset), Math.min(end, next)];
    if (from < to) {
      if (to - from < next - offset && constantValue(part) === undefined) return node;
      covered.push(slice(part, axis, from - offset, to - offset));
    }
    offset = next;
  }
  return concat(covered, axis);
}

function simplifyConcat(node: Node, axis: number): Node {
  const [first, ...rest] = node.inputs as [Node, ...Node[]];
  if (rest.length === 0) return first;
  const value = constantValue(first);
  if (value !== undefined && rest.every((part) => Object.is(constantValue(part), value))) {
    return filled(value, node.shape, node.dtype);
  }
  if (!isNodeOf(first, sliceOp.op) || first.attributes.axis !== axis) return node;
  const [whole] = first.inputs as [Node];
  let end = first.attributes.end;
  for (const part of rest) {
    if (!isNodeOf(part, sliceOp.op) || part.attributes.axis !== axis) return node;
    if (part.inputs[0] !== whole || part.attributes.start !== end) return node;
    end = part.attributes.end;
  }
  return slice(whole, axis, first.attributes.start, end);
}

/** Kernels read either operand transposed at no cost. */
function foldTransposes(node: Node): Node {
  if (!isNodeOf(node, matmulOp.op)) return node;
  const [left, right] = node.inputs as [Node, Node];
  const { transposeLeft, transposeRight } = node.attributes;
  const [turnLeft, turnRight] = [isNodeOf(left, transposeOp.op), isNodeOf(right, transposeOp.op)];
  if (!turnLeft && !turnRight) return node;
  return matmul(turnLeft ? (left.inputs[0] as Node) : left, turnRight ? (right.inputs[0] as Node) : right, {
    transposeLeft: transposeLeft !== turnLeft,
    transposeRight: transposeRight !== turnRight,
  });
}
