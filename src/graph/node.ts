/**
 * A node: one value of a computation, made by an op from other nodes. Graphs are DAGs of nodes; nothing is computed
 * when a node is made. Shapes are static; values are row-major and dense, f32 (u32 for indices, counters and bits).
 */
import type { OpDefinition } from "./op.ts";

export type DType = "f32" | "u32";

/** Sizes from the outermost axis in; `[]` is a scalar, one element. Every size is a positive integer. */
export type Shape = readonly number[];

export interface Node<Attributes = unknown> {
  readonly op: OpDefinition<Attributes>;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Number of elements of a value of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether a value from outside is a list of sizes; unlike a node's, they may be 0. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Whether this op made the node, whose attributes are then the op's; `op` is what `defineOp` took: `matmulOp.op`. */
export function isNodeOf<Attributes>(node: Node, op: OpDefinition<Attributes>): node is Node<Attributes> {
  return node.op === op;
}
