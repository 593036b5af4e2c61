/**
 * Rows as runs of equal length. A chain has one number of elements, but a loss whose second term is taken on part of the
 * batch has two: as runs of as many rows as that part has, both fit one chain. Sums over rows become additions of runs.
 */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/arithmetic.ts";
import { sum, sumOp } from "../ops/reduce.ts";
import { broadcast, broadcastOp, concat, concatOp, reshapeOp, slice, sliceOp } from "../ops/shape.ts";
import { drawOp, isStep } from "./calls.ts";
import { reshaped } from "./reshaped.ts";
import { simplifyNode } from "./simplify.ts";

/** The most runs that rows are split into. */
const MOST_RUNS = 4;

/**
 * Contract: outputs agree up to the order of additions. Where rows of what a chain computes are read apart, and begin and
 * end at multiples of a quarter of all rows or more, no step is left of as many rows.
 */
export function splitRows(graph: Graph): Graph {
  const lengths = runLengths(topologicalOrder(graph.updates.map((update) => update.value)));
  if (lengths.size === 0) return graph;
  const rows = new Rows(lengths);
  return rewrite(graph, (node, original) => {
    if (isNodeOf(node, sumOp.op)) return isStep(original.inputs[0] as Node) ? rows.sum(node) : node;
    const runs = rows.split(node);
    return runs ? rows.join(runs) : node;
  });
}

/** Of numbers of rows that are split: rows of a run. */
function runLengths(nodes: readonly Node[]): Map<number, number> {
  const lengths = new Map<number, number>();
  for (const node of nodes) {
    if (!isNodeOf(node, sliceOp.op) || node.attributes.axis !== 0 || !isStep(node.inputs[0] as Node)) continue;
    const { start, end } = node.attributes;
    const rows = rowsOf(node.inputs[0] as Node);
    lengths.set(rows, [start, end].reduce(divisorOf, lengths.get(rows) ?? rows));
  }
  return new Map([...lengths].filter(([rows, length]) => length < rows && rows <= MOST_RUNS * length));
}

/** The greatest common divisor. */
const divisorOf = (a: number, b: number): number => (b === 0 ? a : divisorOf(b, a % b));

const rowsOf = ({ shape }: Node) => shape[0] ?? 1;

class Rows {
  private readonly known = new Map<Node, readonly Node[]>();
  private readonly lengths: ReadonlyMap<number, number>;

  constructor(lengths: ReadonlyMap<number, number>) {
    this.lengths = lengths;
  }

  /** The matrix of these runs. */
  join(runs: readonly Node[]): Node {
    const [first] = runs as [Node];
    if (runs.length === 1) return first;
    const matrix = concat(runs, 0);
    this.known.set(matrix, runs);
    return matrix;
  }

  /** The runs of a node that can be computed by run; undefined for others, and for rows that are not split. */
  split(node: Node): readonly Node[] | undefined {
    const [x] = node.inputs as [Node];
    if (isNodeOf(node, sliceOp.op) && node.attributes.axis === 0) return this.slice(node.attributes, x);
    const length = this.lengths.get(rowsOf(node));
    if (length === undefined) return undefined;
    const shape = [length, ...node.shape.slice(1)];
    const numbers = [...Array(rowsOf(node) / length).keys()];
    if (node.op.elementwise) return this.each(node, (inputs) => ({ ...node, shape, inputs }));
    if (isNodeOf(node, drawOp.op)) {
      const { stride, offset } = node.attributes;
      const first = (i: number) => offset + i * stride * sizeOf(shape);
      return numbers.map((i) => drawOp(node.inputs, { ...node.attributes, shape, offset: first(i) }));
    }
    if (isNodeOf(node, broadcastOp.op)) {
      const isWhole = rowsOf(x) === rowsOf(node) && x.shape.length === node.shape.length;
      return numbers.map((i) => broadcast(isWhole ? (this.of(x)[i] as Node) : x, shape));
    }
    if (isNodeOf(node, concatOp.op) && node.attributes.axis === 0) return this.of(node);
    if (!node.inputs.some((input) => this.known.has(input) && rowsOf(input) === rowsOf(node))) return undefined;
    if (isNodeOf(node, concatOp.op)) return this.each(node, (inputs) => concat(inputs, node.attributes.axis));
    if (isNodeOf(node, reshapeOp.op)) return this.each(node, ([run]) => reshaped(run as Node, shape));
    if (!isNodeOf(node, sliceOp.op)) return undefined;
    const { axis, start, end } = node.attributes;
    return this.each(node, ([run]) => slice(run as Node, axis, start, end));
  }

  /** A sum within each run, or over the runs and then within. */
  sum(node: Node<{ readonly axes: readonly number[] }>): Node {
    const [x] = node.inputs as [Node];
    const { axes } = node.attributes;
    const runs = this.known.get(x);
    if (!runs) return node;
    return axes.includes(0) ? sum(runs.reduce(add), axes) : this.join(runs.map((run) => sum(run, axes)));
  }

  private of(node: Node): readonly Node[] {
    const known = this.known.get(node);
    if (known) return known;
    const length = this.lengths.get(rowsOf(node)) as number;
    const runs = Array.from({ length: rowsOf(node) / length }, (_, i) =>
      simplifyNode(slice(node, 0, i * length, (i + 1) * length)),
    );
    this.known.set(node, runs);
    return runs;
  }

  /** What is made of each run of the inputs. */
  private each(node: Node, make: (inputs: readonly Node[]) => Node): Node[] {
    const runs = node.inputs.map((input) => this.of(input));
    return (runs[0] as readonly Node[]).map((_, i) => make(runs.map((parts) => parts[i] as Node)));
  }

  /** Whole runs that the slice is of; undefined where it is of others, or of rows that are not split. */
  private slice(
    { start, end }: { readonly start: number; readonly end: number },
    x: Node,
  ): readonly Node[] | undefined {
    const length = this.known.has(x) ? this.lengths.get(rowsOf(x)) : undefined;
    if (length === undefined || start % length !== 0 || end % length !== 0) return undefined;
    return this.of(x).slice(start / length, end / length);
  }
}
