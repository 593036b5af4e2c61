/**
 * Narrow matrices as columns. A chain has one number of elements, but points [B, D] with their times and residuals
 * [B, 1] have two: as D columns of B elements each they all fit one chain. Sums of a row become additions, and
 * concatenations and slices along the last axis cost nothing: chains load and store columns where they lie.
 */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/arithmetic.ts";
import { type RandomAttributes, randomOp } from "../ops/random.ts";
import { sum, sumOp } from "../ops/reduce.ts";
import { broadcast, broadcastOp, concat, concatOp, reshapeOp, slice, sliceOp } from "../ops/shape.ts";
import { drawOp } from "./calls.ts";
import { reshaped } from "./reshaped.ts";

/** The most columns that a matrix is split into. */
const NARROW = 4;

/** More random numbers than this are drawn by the kernel that is made for it: of each pair a step keeps only one. */
const MOST_DRAWS = 65536;

/**
 * Contract: outputs agree up to the order of additions. No elementwise node [rows, 2 to NARROW] is left that has more rows
 * than that, nor one of another shape that such columns lead to; nor a sum over such an axis, nor a `random` node of few
 * numbers.
 */
export function splitColumns(graph: Graph): Graph {
  const columns = new Columns();
  return rewrite(graph, (node) => {
    if (isNodeOf(node, sumOp.op)) return columns.sum(node);
    const parts = columns.split(node);
    return parts ? columns.join(parts) : node;
  });
}

class Columns {
  private readonly known = new Map<Node, readonly Node[]>();

  /** The matrix of these columns. */
  join(parts: readonly Node[]): Node {
    const [first] = parts as [Node];
    if (parts.length === 1) return first;
    const matrix = concat(parts, first.shape.length - 1);
    this.known.set(matrix, parts);
    return matrix;
  }

  /** The columns [..., 1] of a matrix [..., D]. */
  of(matrix: Node): readonly Node[] {
    const known = this.known.get(matrix);
    if (known) return known;
    const axis = matrix.shape.length - 1;
    const columns = Array.from({ length: widthOf(matrix) }, (_, i) => slice(matrix, axis, i, i + 1));
    this.known.set(matrix, columns);
    return columns;
  }

  /** The columns of a node that can be computed by column; undefined for others, and for nodes that are not narrow. */
  split(node: Node): readonly Node[] | undefined {
    if (isNodeOf(node, sliceOp.op) && isLastAxis(node, node.attributes.axis) && this.isSplit(node.inputs[0] as Node)) {
      return this.of(node.inputs[0] as Node).slice(node.attributes.start, node.attributes.end);
    }
    if (isNodeOf(node, randomOp.op)) return splitRandom(node);
    if (isNodeOf(node, concatOp.op) && isLastAxis(node, node.attributes.axis) && rowsOf(node.shape) > NARROW) {
      const isNarrowOrColumn = node.inputs.every((part) => widthOf(part) <= NARROW); // together they may be wider
      return isNarrowOrColumn ? node.inputs.flatMap((part) => this.of(part)) : undefined;
    }
    const [x] = node.inputs as [Node];
    if (!isNarrow(node.shape) || !(isMatrix(node) || node.inputs.some((input) => this.isSplit(input))))
      return undefined;
    const shape = [...node.shape.slice(0, -1), 1];
    const numbers = [...Array(widthOf(node)).keys()];
    if (node.op.elementwise) {
      const operands = node.inputs.map((input) => this.of(input));
      return numbers.map((i) => ({ ...node, shape, inputs: operands.map((columns) => columns[i] as Node) }));
    }
    if (isNodeOf(node, broadcastOp.op)) {
      const isRow = widthOf(x) === widthOf(node);
      return numbers.map((i) => broadcast(isRow ? (this.of(x)[i] as Node) : x, shape));
    }
    if (!this.isSplit(x)) return undefined;
    if (isNodeOf(node, sliceOp.op)) {
      const { axis, start, end } = node.attributes;
      return this.of(x).map((column) => slice(column, axis, start, end));
    }
    const isSame = isNodeOf(node, reshapeOp.op) && widthOf(x) === widthOf(node);
    return isSame ? this.of(x).map((column) => reshaped(column, shape)) : undefined;
  }

  /** A sum over the columns, and then over the other axes. */
  sum(node: Node<{ readonly axes: readonly number[] }>): Node {
    const [x] = node.inputs as [Node];
    const { axes } = node.attributes;
    if (!isNarrow(x.shape) || !isLastAxis(x, axes.at(-1) as number)) return node;
    if (!(isMatrix(x) || this.isSplit(x))) return node;
    return sum(this.of(x).reduce(add), axes.slice(0, -1));
  }

  /** Whether the node has been put together from columns. */
  private isSplit(node: Node): boolean {
    return this.known.has(node) && isNodeOf(node, concatOp.op);
  }
}

function splitRandom({ inputs, attributes }: Node<RandomAttributes>): Node[] | undefined {
  const count = sizeOf(attributes.shape);
  if (count > MOST_DRAWS) return undefined;
  const isMatrix = attributes.shape.length === 2;
  const stride = isMatrix && isNarrow(attributes.shape) ? (attributes.shape.at(-1) as number) : 1;
  const shape = stride === 1 ? attributes.shape : [...attributes.shape.slice(0, -1), 1];
  return Array.from({ length: stride }, (_, offset) => drawOp(inputs, { ...attributes, shape, stride, offset }));
}

const widthOf = ({ shape }: Node) => shape.at(-1) ?? 1;

/** Whether it is [rows, few]: numbers of a point, or of a time; of more axes the last is channels, unless it comes of such. */
const isMatrix = ({ shape }: Node) => shape.length === 2;

const isLastAxis = ({ shape }: Node, axis: number) => axis === shape.length - 1;

/** Whether a matrix of this shape is split. */
export function isNarrow(shape: Shape): boolean {
  const width = shape.at(-1) ?? 1;
  return shape.length > 1 && width > 1 && width <= NARROW && rowsOf(shape) > NARROW;
}

const rowsOf = (shape: Shape) => sizeOf(shape.slice(0, -1));
