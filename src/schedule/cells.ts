/**
 * Cells: the values of a plan that have a place in memory. Views read ranges of them. A cell may be part of another
 * one (rows of a stack, tensors of a flat gradient), so that joining them moves nothing.
 */
import type { StateDeclaration } from "../graph/graph.ts";
import type { DType } from "../graph/node.ts";
import type { CallUnit, Unit } from "./units.ts";

export class Cell {
  /** Elements. */
  readonly size: number;
  readonly dtype: DType;
  /** Where it lies before the run: the old value of a state, or this offset among the constants. Else temporary. */
  readonly origin: StateDeclaration | { readonly constantsOffset: number } | undefined;
  /** What it is part of: element i is element offset + floor(i / width) stride + i mod width there. */
  whole: (Omit<View, "length"> & { readonly width: number }) | undefined = undefined;
  readonly parts: Cell[] = [];
  /** Units that write into it, parts' writers not among them. */
  readonly writers: Unit[] = [];
  /** The state whose new value it is, once it is known that it can be written there at once. */
  boundTo: StateDeclaration | undefined = undefined;
  /** Of a root cell that is f16 in memory: what its values are multiplied by there, a power of 2. */
  half: { readonly scale: number } | undefined = undefined;

  constructor(size: number, dtype: DType, origin?: Cell["origin"]) {
    this.size = size;
    this.dtype = dtype;
    this.origin = origin;
  }

  get isTemporary(): boolean {
    return this.origin === undefined;
  }

  /** The outermost cell that this one is part of. */
  get root(): Cell {
    return this.whole ? this.whole.cell.root : this;
  }

  /** Makes this cell part of `whole`: its rows one after another, or with a stride some columns of it, only written. */
  join(whole: Cell, offset: number, stride = 1, width = 1): void {
    this.whole = { cell: whole, offset, stride, width };
    whole.parts.push(this);
  }
}

/** Which elements of a row: element i is element offset + floor(i / width) stride + i mod width. */
export interface Elements {
  readonly offset: number;
  readonly length: number;
  readonly stride: number;
  /** Elements that lie side by side, every `stride`; default 1. */
  readonly width?: number;
}

/** Elements of a cell. What is no chain reads and writes views of stride 1 only. */
export interface View extends Elements {
  readonly cell: Cell;
}

export function viewOf(cell: Cell): View {
  return { cell, offset: 0, length: cell.size, stride: 1 };
}

/** The same elements as those of the root cell. */
export function rootView(view: View): View {
  const { cell, offset, length, stride, width = 1 } = view;
  const { whole } = cell;
  if (!whole) return view;
  if (whole.width > 1) return rootView({ ...whole, length }); // of all of it: see `join`
  return rootView({
    cell: whole.cell,
    offset: whole.offset + offset * whole.stride,
    length,
    stride: stride * whole.stride,
    width,
  });
}

/** The words of 4 bytes that so many elements of a root cell take. */
export const wordsOf = (elements: number, { half }: Cell) => (half ? Math.ceil(elements / 2) : elements);

/** From the first element to the last. */
export const extentOf = ({ length, stride, width = 1 }: Elements) => (length / width - 1) * stride + width;

/** Whether an element is among both; two columns of one matrix have none in common. */
export function meet(a: Elements, b: Elements): boolean {
  if (a.offset >= b.offset + extentOf(b) || b.offset >= a.offset + extentOf(a)) return false;
  if (a.stride !== b.stride) return true;
  const between = (((b.offset - a.offset) % a.stride) + a.stride) % a.stride;
  return between < (a.width ?? 1) || between + (b.width ?? 1) > a.stride;
}

export const sameElements = (a: Elements, b: Elements) =>
  a.offset === b.offset && a.length === b.length && a.stride === b.stride && (a.width ?? 1) === (b.width ?? 1);

export function overlap(a: View, b: View): boolean {
  const [x, y] = [rootView(a), rootView(b)];
  return x.cell === y.cell && meet(x, y);
}

/** A cell and all of its parts, and theirs. */
export function cellTree(cell: Cell): Cell[] {
  return [cell, ...cell.parts.flatMap(cellTree)];
}

/** The cells with writers of their own that hold the elements of a view. */
export function writtenCells(view: View): Cell[] {
  const { root } = view.cell;
  if (root.parts.length === 0) return root.writers.length > 0 ? [root] : [];
  return cellTree(root).filter((cell) => cell.writers.length > 0 && overlap(view, viewOf(cell)));
}

/**
 * Whether `part` can be written straight into `whole`: it lies nowhere else, and no call but an elementwise one would
 * read one range of the result and write another, which WebGPU forbids within a buffer.
 */
export function canJoin(part: View, whole: Cell): boolean {
  const { cell } = part;
  if (!cell.isTemporary || cell.whole || part.length !== cell.size) return false;
  const together = new Set([...cellTree(cell), ...cellTree(whole)]);
  const calls = [...together].flatMap(({ writers }) =>
    writers.filter((unit): unit is CallUnit => unit.kind === "call"),
  );
  return !calls.some((call) => Object.values(call.reads).some((view) => together.has(view.cell.root)));
}
