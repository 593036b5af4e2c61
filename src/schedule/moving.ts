/** Nodes that compute nothing: where their elements come from, and how a chain loads them. */
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { broadcastOp, concatOp, reshapeOp, type SliceAttributes, sliceOp, transposeOp } from "../ops/shape.ts";
import { constantOp, stateOp, tableOp } from "../ops/sources.ts";
import { broadcastPattern } from "./copies.ts";

export const isSource = (node: Node) =>
  isNodeOf(node, stateOp.op) || isNodeOf(node, tableOp.op) || isNodeOf(node, constantOp.op);

/** Whether the op moves elements and computes nothing. */
export const isMoving = (node: Node) =>
  isNodeOf(node, reshapeOp.op) ||
  isNodeOf(node, broadcastOp.op) ||
  isNodeOf(node, transposeOp.op) ||
  isNodeOf(node, concatOp.op) ||
  isNodeOf(node, sliceOp.op);

/** A slice whose elements lie one after another in its input. */
export function isContiguousSlice(node: Node): node is Node<SliceAttributes> {
  return isNodeOf(node, sliceOp.op) && sizeOf(node.shape.slice(0, node.attributes.axis)) === 1;
}

/** How a chain loads this broadcast; undefined for other nodes and for broadcasts it cannot load. */
export function patternOf(node: Node): { divisor: number; modulus: number } | undefined {
  return isNodeOf(node, broadcastOp.op) ? broadcastPattern((node.inputs[0] as Node).shape, node.shape) : undefined;
}

/** A slice of one element from each row of a matrix. */
export function isColumn(node: Node): node is Node<SliceAttributes> {
  return isNodeOf(node, sliceOp.op) && sizeOf(node.shape.slice(node.attributes.axis)) === 1;
}
