/** Calls of kernels that read operands, and write results, by strides: where they lie in wider matrices. */
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import type { PlannedCall, Strides } from "../graph/op.ts";
import { stridesOf } from "../ops/strides.ts";
import { type Cell, type View, viewOf } from "./cells.ts";
import type { StridedView } from "./copies.ts";
import type { CallUnit } from "./units.ts";

/** How values are found: by strides where they lie, or dense. */
export interface Places {
  strided(node: Node): StridedView;
  view(node: Node): View;
}

/** @param target - where the elements of `node` go, in order of its axes; those of the last lie side by side. */
export function stridedUnit(
  node: Node,
  places: Places,
  { cell, start, strides }: { readonly cell: Cell; readonly start: number; readonly strides: Strides },
): CallUnit {
  const operands = node.inputs.map((input) => linesOf(input, places));
  const inputs = operands.map((operand) => operand.strides);
  const planned = node.op.stridedCall?.(node, inputs, strides) as PlannedCall;
  const { kernel, parameters, reads, write, flops, label } = planned;
  return {
    kind: "call",
    kernel,
    parameters,
    reads: Object.fromEntries(
      reads.map((name, i) => [name, elementsOf(operands[i] as StridedView, (node.inputs[i] as Node).shape)]),
    ),
    writes: { [write]: { ...viewOf(cell), offset: start, length: cell.size - start } },
    flops,
    label: (names) => `${names[write]} = ${label(reads.map((name) => names[name] as string))}`,
  };
}

/** The value by strides of which one of the last two axes' is 1, or of an axis of one element; else dense. */
function linesOf(node: Node, places: Places): StridedView {
  const strided = places.strided(node);
  const isLine = [-2, -1].some((axis) => strided.strides.at(axis) === 1 || node.shape.at(axis) === 1);
  return isLine ? strided : { view: places.view(node), start: 0, strides: stridesOf(node.shape) };
}

/** The elements between the first and the last of a strided value. */
function elementsOf({ view, start, strides }: StridedView, shape: Shape): View {
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] as number), 0);
  return sizeOf(shape) === view.length && start === 0
    ? view
    : { ...view, offset: view.offset + start, length: last + 1 };
}
