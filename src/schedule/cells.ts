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
  /** What it is part of. */
  whole: { readonly cell: Cell; readonly offset: number } | undefined = undefined;
  readonly parts: Cell[] = [];
  /** Units that write into it, parts' writers not among them. */
  readonly writers: Unit[] = [];
  /** The state whose new value it is, once it is known that it can be written there at once. */
  boundTo: StateDeclaration | undefined = undefined;

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

  /** Elements from the start of `root` to this cell's. */
  get offsetInRoot(): number {
    return this.whole ? this.whole.offset + this.whole.cell.offsetInRoot : 0;
  }

  /** Makes this cell part of `whole`. */
  join(whole: Cell, offset: number): void {
    this.whole = { cell: whole, offset };
    whole.parts.push(this);
  }
}

/** A range of a cell, dense. */
export interface View {
  readonly cell: Cell;
  readonly offset: number;
  readonly length: number;
}

export function viewOf(cell: Cell): View {
  return { cell, offset: 0, length: cell.size };
}

/** The same range as one of the root cell. */
export function rootView({ cell, offset, length }: View): View {
  return { cell: cell.root, offset: offset + cell.offsetInRoot, length };
}

export function overlap(a: View, b: View): boolean {
  const [x, y] = [rootView(a), rootView(b)];
  return x.cell === y.cell && x.offset < y.offset + y.length && y.offset < x.offset + x.length;
}

export function sameView(a: View, b: View): boolean {
  const [x, y] = [rootView(a), rootView(b)];
  return x.cell === y.cell && x.offset === y.offset && x.length === y.length;
}

/** A cell and all of its parts, and theirs. */
export function cellTree(cell: Cell): Cell[] {
  return [cell, ...cell.parts.flatMap(cellTree)];
}

/** The cells with writers of their own that hold the elements of a view. */
export function writtenCells(view: View): Cell[] {
  return cellTree(view.cell.root).filter((cell) => cell.writers.length > 0 && overlap(view, viewOf(cell)));
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
