/**
 * Rows as runs of equal length. A chain has one number of elements, but a loss whose second term is taken on part of the
 * batch has two: as runs of as many rows as that part has, both fit one chain. Sums over rows become additions of runs.
 */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/arithmetic.ts";
import { linearOp } from "../ops/linear.ts";
import { matmulOp } from "../ops/matmul.ts";
import { sum, sumOp } from "../ops/reduce.ts";
import { gatherOp } from "../ops/rows.ts";
import {
  broadcast,
  broadcastOp,
  concat,
  concatOp,
  reshapeOp,
  type SliceAttributes,
  slice,
  sliceOp,
} from "../ops/shape.ts";
import { constantValue } from "../ops/sources.ts";
import { drawOp, isStep } from "./calls.ts";
import { reshaped } from "./reshaped.ts";
import { isRowsOfStep } from "./row-slices.ts";
import { simplifyNode } from "./simplify.ts";

/** The most runs that rows are split into. */
const MOST_RUNS = 4;

/**
 * Contract: outputs agree up to the order of additions. Where rows of what a chain computes are read apart, and begin and
 * end at multiples of a quarter of all rows or more, no step is left that computes all these rows, before or after it.
 */
export function splitRows(graph: Graph): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const slices = nodes.filter(isRowsOfStep);
  if (slices.length === 0) return graph;
  const lengthOf = runLengths(nodes, slices);
  const rows = new Rows();
  return rewrite(graph, (node, original) => {
    if (isNodeOf(node, sumOp.op)) return isStep(original.inputs[0] as Node) ? rows.sum(node) : node;
    const runs = rows.split(node, lengthOf(original));
    return runs ? rows.join(runs) : node;
  });
}

/**
 * Of a node whose rows are split: rows of a run. They are those of a step that is read apart, row by row: equal numbers of
 * other rows are nothing to it.
 */
function runLengths(
  nodes: readonly Node[],
  slices: readonly Node<SliceAttributes>[],
): (node: Node) => number | undefined {
  const parent = new Map<Node, Node>();
  const rootOf = (node: Node): Node => {
    let root = node;
    for (let next = parent.get(root); next; next = parent.get(root)) root = next;
    for (let each = node; each !== root; ) {
      const next = parent.get(each) as Node;
      parent.set(each, root);
      each = next;
    }
    return root;
  };
  for (const node of nodes) {
    for (const input of inputsByRow(node)) {
      const [root, other] = [rootOf(node), rootOf(input)];
      if (root !== other) parent.set(other, root);
    }
  }
  const lengths = new Map<Node, number>(); // by root
  for (const { inputs, attributes } of slices) {
    const [step] = inputs as [Node];
    const root = rootOf(step);
    lengths.set(root, [attributes.start, attributes.end].reduce(divisorOf, lengths.get(root) ?? rowsOf(step)));
  }
  return (node) => {
    const [length, rows] = [lengths.get(rootOf(node)), rowsOf(node)];
    return length !== undefined && length < rows && rows <= MOST_RUNS * length ? length : undefined;
  };
}

/** The inputs of which each row makes the same row of the node, whether or not a chain does that. */
function inputsByRow(node: Node): readonly Node[] {
  const { inputs, shape } = node;
  if (isNodeOf(node, gatherOp.op)) return inputs.slice(1);
  if (isNodeOf(node, linearOp.op)) return inputs.slice(0, 1);
  if (isNodeOf(node, matmulOp.op)) return node.attributes.transposeLeft ? [] : inputs.slice(0, 1);
  const isByRow =
    node.op.elementwise !== undefined ||
    isNodeOf(node, reshapeOp.op) ||
    (isNodeOf(node, broadcastOp.op) && inputs[0]?.shape.length === shape.length) ||
    ((isNodeOf(node, sliceOp.op) || isNodeOf(node, concatOp.op)) && node.attributes.axis !== 0) ||
    (isNodeOf(node, sumOp.op) && !node.attributes.axes.includes(0));
  return isByRow ? inputs.filter((input) => rowsOf(input) === rowsOf(node) && constantValue(input) === undefined) : [];
}

/** The greatest common divisor. */
const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b));

const rowsOf = ({ shape }: Node) => shape[0] ?? 1;

class Rows {
  private readonly known = new Map<Node, readonly Node[]>();

  /** The matrix of these runs. */
  join(runs: readonly Node[]): Node {
    const [first] = runs as [Node];
    if (runs.length === 1) return first;
    const matrix = concat(runs, 0);
    this.known.set(matrix, runs);
    return matrix;
  }

  /**
   * The runs of a node that can be computed by run; undefined for others, and for rows that are not split.
   *
   * @param length - of a run; undefined: the node's own rows are not split.
   */
  split(node: Node, length: number | undefined): readonly Node[] | undefined {
    const [x] = node.inputs as [Node];
    if (isNodeOf(node, sliceOp.op) && node.attributes.axis === 0) return this.slice(node.attributes, x);
    if (length === undefined) return undefined;
    const shape = [length, ...node.shape.slice(1)];
    const numbers = [...Array(rowsOf(node) / length).keys()];
    if (node.op.elementwise) return this.each(node, length, (inputs) => ({ ...node, shape, inputs }));
    if (isNodeOf(node, drawOp.op)) {
      const { stride, offset } = node.attributes;
      const first = (i: number) => offset + i * stride * sizeOf(shape);
      return numbers.map((i) => drawOp(node.inputs, { ...node.attributes, shape, offset: first(i) }));
    }
    if (isNodeOf(node, broadcastOp.op)) {
      const isWhole = rowsOf(x) === rowsOf(node) && x.shape.length === node.shape.length;
      return numbers.map((i) => broadcast(isWhole ? (this.of(x, length)[i] as Node) : x, shape));
    }
    if (isNodeOf(node, concatOp.op) && node.attributes.axis === 0) return this.of(node, length);
    if (!node.inputs.some((input) => this.known.has(input) && rowsOf(input) === rowsOf(node))) return undefined;
    if (isNodeOf(node, concatOp.op)) return this.each(node, length, (inputs) => concat(inputs, node.attributes.axis));
    if (isNodeOf(node, reshapeOp.op)) return this.each(node, length, ([run]) => reshaped(run as Node, shape));
    if (!isNodeOf(node, sliceOp.op)) return undefined;
    const { axis, start, end } = node.attributes;
    return this.each(node, length, ([run]) => slice(run as Node, axis, start, end));
  }

  /** A sum within each run, or over the runs and then within. */
  sum(node: Node<{ readonly axes: readonly number[] }>): Node {
    const [x] = node.inputs as [Node];
    const { axes } = node.attributes;
    const runs = this.known.get(x);
    if (!runs) return node;
    return axes.includes(0) ? sum(runs.reduce(add), axes) : this.join(runs.map((run) => sum(run, axes)));
  }

  private of(node: Node, length: number): readonly Node[] {
    const known = this.known.get(node);
    if (known) return known;
    const runs = Array.from({ length: rowsOf(node) / length }, (_, i) =>
      simplifyNode(slice(node, 0, i * length, (i + 1) * length)),
    );
    this.known.set(node, runs);
    return runs;
  }

  /** What is made of each run of the inputs. */
  private each(node: Node, length: number, make: (inputs: readonly Node[]) => Node): Node[] {
    const runs = node.inputs.map((input) => this.of(input, length));
    return (runs[0] as readonly Node[]).map((_, i) => make(runs.map((parts) => parts[i] as Node)));
  }

  /** Whole runs that the slice is of; undefined where it is of others, or of rows that are not split. */
  private slice(
    { start, end }: { readonly start: number; readonly end: number },
    x: Node,
  ): readonly Node[] | undefined {
    const runs = this.known.get(x);
    const length = runs?.[0]?.shape[0];
    if (length === undefined || start % length !== 0 || end % length !== 0) return undefined;
    return runs?.slice(start / length, end / length);
  }
}
