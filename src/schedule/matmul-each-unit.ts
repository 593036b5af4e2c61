/** The call of the `matmulEach` kernel: operands are read, and results written, where they lie in wider matrices. */
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { stridesOf } from "../ops/strides.ts";
import type { MatmulEachCallAttributes } from "./calls.ts";
import { type Cell, type View, viewOf } from "./cells.ts";
import type { StridedView } from "./copies.ts";
import type { CallUnit } from "./units.ts";

/** How values are found: by strides where they lie, or dense. */
export interface Places {
  strided(node: Node): StridedView;
  view(node: Node): View;
}

/** @param target - where the elements of `node` go, in order of its axes; those of the last lie side by side. */
export function matmulEachUnit(
  node: Node<MatmulEachCallAttributes>,
  places: Places,
  target: { readonly cell: Cell; readonly start: number; readonly strides: readonly number[] },
): CallUnit {
  const { scale, permutation } = node.attributes;
  const [left, right] = node.inputs.map((input) => linesOf(input, places)) as [StridedView, StridedView];
  const { shape } = node.inputs[0] as Node;
  const columns = node.shape.at(-1) as number;
  const [rows, depth] = shape.slice(-2) as [number, number];
  const outStrides = permutation.map((_, axis) => target.strides[permutation.indexOf(axis)] as number);
  const batch = batchOf(shape.slice(0, -2), [left.strides, right.strides, outStrides]);
  const [[batch0, left0, right0, out0], [batch1, left1, right1, out1]] = batch;
  const [leftRow, leftDepth] = left.strides.slice(-2);
  const [rightDepth, rightColumn] = right.strides.slice(-2);
  const from = outStrides.at(-2) as number;
  const { cell, start } = target;
  const out: View = { ...viewOf(cell), offset: start, length: cell.size - start };
  return {
    kind: "call",
    kernel: "matmulEach",
    parameters: {
      ...{ batch0, batch1, rows, columns, depth, scale },
      ...({ left0, left1, leftRow, leftDepth, right0, right1, rightDepth, rightColumn } as Record<string, number>),
      ...{ out0, out1, outRow: from },
    },
    reads: {
      left: elementsOf(left, shape),
      right: elementsOf(right, (node.inputs[1] as Node).shape),
    },
    writes: { out },
    flops: 2 * batch0 * batch1 * rows * columns * depth,
    label: (names) => {
      const factor = scale === 1 ? "" : `${scale} `;
      return `${names["out"]} = ${factor}${names["left"]} ${names["right"]}, ${batch0 * batch1} times`;
    },
  };
}

/** The value by strides of which one of the last two axes' is 1, or of an axis of one element; else dense. */
function linesOf(node: Node, places: Places): StridedView {
  const strided = places.strided(node);
  const isLine = [-2, -1].some((axis) => strided.strides.at(axis) === 1 || node.shape.at(axis) === 1);
  return isLine ? strided : { view: places.view(node), start: 0, strides: stridesOf(node.shape) };
}

type BatchAxis = readonly [size: number, left: number, right: number, out: number];

/** One axis or two as two, of which the first may be of size 1. */
function batchOf(sizes: Shape, strides: readonly (readonly number[])[]): readonly [BatchAxis, BatchAxis] {
  const axes = sizes.map((size, axis) => [size, ...strides.map((each) => each[axis])] as unknown as BatchAxis);
  const inner = axes.at(-1) as BatchAxis;
  return [axes.length > 1 ? (axes[0] as BatchAxis) : [1, 0, 0, 0], inner];
}

/** The elements between the first and the last of a strided value. */
function elementsOf({ view, start, strides }: StridedView, shape: Shape): View {
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] as number), 0);
  return sizeOf(shape) === view.length && start === 0
    ? view
    : { ...view, offset: view.offset + start, length: last + 1 };
}
