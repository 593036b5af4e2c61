/**
 * From nodes to units: what each kernel call and each elementwise step reads and writes. Views cost nothing: a reshape
 * is the same elements; a slice along the outermost axis is an offset; parts of a concatenation along it are written
 * where they belong; a broadcast is how a chain loads. What no view can say is moved by the `copy` kernel.
 */
import { UnsupportedError } from "../errors.ts";
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { randomFunctions } from "../kernels/elementwise.ts";
import { randomKinds } from "../kernels/random.ts";
import { broadcastOp, concatOp, reshapeOp, sliceOp, transposeOp } from "../ops/shape.ts";
import { constantOp, stateOp, tableOp } from "../ops/sources.ts";
import { stridesOf } from "../ops/strides.ts";
import { type CallMaker, callUnit } from "./call-units.ts";
import { type DrawAttributes, drawOp, isStep } from "./calls.ts";
import { Cell, canJoin, type View, viewOf } from "./cells.ts";
import { joinColumnSums } from "./column-sums.ts";
import { broadcastStrides, copyUnits, loadTerms, reshapedStrides, type StridedView } from "./copies.ts";
import { isColumn, isContiguousSlice, isMoving, isSource, patternOf } from "./moving.ts";
import { type InParts, PIECES } from "./parts.ts";
import { stridedUnit } from "./strided-unit.ts";
import type { Assignment, CallUnit, StepOperand, StepUnit, Unit, Units } from "./units.ts";
import { readCounts } from "./users.ts";

/** Allocations begin at multiples of this many elements: 256 bytes, as WebGPU wants offsets of bindings. */
export const ALIGNMENT = 64;

/**
 * Units of a graph as `lower` leaves it.
 *
 * @param optional - makes the calls of kernels that not every backend has.
 */
export function* legalizing(graph: Graph, optional?: CallMaker): InParts<Units> {
  const legalizer = new Legalizer(readCounts(graph), optional);
  let pieces = 0;
  for (const node of topologicalOrder(graph.updates.map((update) => update.value))) {
    legalizer.visit(node);
    if (++pieces % PIECES === 0) yield;
  }
  return legalizer.finish(graph);
}

class Legalizer {
  private readonly units: Unit[] = [];
  private readonly steps = new Map<Node, StepUnit>();
  private readonly views = new Map<Node, View>();
  private readonly states = new Map<string, Cell>();
  private readonly constants: number[] = [];
  private readonly reads: ReadonlyMap<Node, number>;
  private readonly optional: CallMaker | undefined;

  constructor(reads: ReadonlyMap<Node, number>, optional: CallMaker | undefined) {
    this.reads = reads;
    this.optional = optional;
  }

  /**
   * Makes the unit of a node that is computed. Nodes that only move elements wait until something asks for them, and so
   * do products whose place that may decide.
   */
  visit(node: Node): void {
    if (isStep(node)) this.step(node);
    else if (!isMoving(node) && !isSource(node) && !node.op.stridedCall) this.view(node);
  }

  finish(graph: Graph): Units {
    const taken = new Set<Cell>();
    const assignments = graph.updates.map(({ state, value }): Assignment => {
      const cell = this.cellFor(value, taken);
      taken.add(cell);
      return { state, cell };
    });
    return { units: joinColumnSums(this.units), assignments, constants: this.constants };
  }

  /** A cell with the value that no other state takes and that is part of nothing. */
  private cellFor(value: Node, taken: ReadonlySet<Cell>): Cell {
    if (this.isComputed(value)) {
      const { cell, length } = this.view(value);
      if (cell.isTemporary && !cell.whole && length === cell.size && !taken.has(cell)) return cell;
    }
    return this.store(value);
  }

  /** Whether the value is, under a reshape, written by units of its own. */
  private isComputed(node: Node): boolean {
    if (isNodeOf(node, reshapeOp.op)) return this.isComputed(node.inputs[0] as Node);
    return !(isSource(node) || isContiguousSlice(node) || patternOf(node));
  }

  private step(node: Node): StepUnit {
    const known = this.steps.get(node);
    if (known) return known;
    const unit: StepUnit = {
      kind: "step",
      count: sizeOf(node.shape),
      ...(isNodeOf(node, drawOp.op) ? this.draw(node) : this.apply(node)),
      dtype: node.dtype,
      home: undefined,
    };
    this.steps.set(node, unit);
    this.units.push(unit);
    return unit;
  }

  private apply(node: Node): Pick<StepUnit, "function" | "operands"> {
    return {
      function: node.op.elementwise?.(node.attributes),
      operands: node.inputs.map((input) => this.operand(input)),
    };
  }

  private draw({ inputs, attributes }: Node<DrawAttributes>): Pick<StepUnit, "function" | "operands" | "random"> {
    const { kind, stream, bound, stride, offset } = attributes;
    const [seed, counter] = inputs.map((input) => this.view(input)) as [View, View];
    const word = ({ cell, offset }: View, i: number): StepOperand => ({
      from: "load",
      view: { cell, offset: offset + i, length: 1, stride: 1 },
      divisor: 1,
      modulus: 1,
      dtype: "u32",
    });
    return {
      function: randomFunctions[randomKinds.indexOf(kind)] as string,
      operands: [word(seed, 0), word(seed, 1), word(counter, 0)],
      random: { stream, bound, stride, offset },
    };
  }

  /** How a step of as many elements as the node has takes them. */
  private operand(node: Node): StepOperand {
    if (isNodeOf(node, constantOp.op)) return { from: "constant", value: node.attributes.value };
    if (isNodeOf(node, reshapeOp.op)) return this.operand(node.inputs[0] as Node);
    if (isStep(node)) return { from: "step", unit: this.step(node) };
    const pattern = patternOf(node);
    if (pattern) return { from: "load", view: this.loaded(node.inputs[0] as Node), ...pattern, dtype: node.dtype };
    const spread = this.spread(node);
    if (spread) return spread;
    return { from: "load", view: this.loaded(node), divisor: 1, modulus: sizeOf(node.shape), dtype: node.dtype };
  }

  /** A load of what is moved from where it lies, part by part; undefined where it lies as it is, or is better moved. */
  private spread(node: Node): StepOperand | undefined {
    const isMoved =
      isMoving(node) && !isNodeOf(node, concatOp.op) && !isContiguousSlice(node) && !this.columnView(node);
    if (!isMoved || this.views.has(node)) return undefined;
    const { view, start, strides } = this.strided(node);
    const [first, ...terms] = loadTerms(node.shape, strides) ?? [];
    if (!first || terms.length === 0) return undefined;
    const length = [first, ...terms].reduce((sum, { modulus, stride }) => sum + (modulus - 1) * stride, 1);
    const { divisor, modulus } = first;
    return {
      from: "load",
      view: { ...view, offset: view.offset + start, length },
      divisor,
      modulus,
      terms,
      dtype: node.dtype,
    };
  }

  /** Where a chain loads the value: also from within a matrix that it is a column of. */
  private loaded(node: Node): View {
    return this.columnView(node) ?? this.view(node);
  }

  /** The place of a column, or of some rows of one, in its matrix; undefined for other nodes. */
  private columnView(node: Node): View | undefined {
    const [x] = node.inputs as [Node];
    if (isNodeOf(node, reshapeOp.op)) return this.columnView(x);
    if (isContiguousSlice(node)) {
      const from = this.columnView(x);
      const first = node.attributes.start * sizeOf(node.shape.slice(node.attributes.axis + 1));
      return from && { ...from, offset: from.offset + first * from.stride, length: sizeOf(node.shape) };
    }
    if (!isColumn(node)) return undefined;
    const { cell, offset, stride } = this.loaded(x);
    const { axis, start } = node.attributes;
    const [length, width] = [sizeOf(node.shape), x.shape[axis] as number];
    return { cell, offset: offset + start * stride, length, stride: stride * width };
  }

  /** The value in a new cell, written by a step: a fill, a broadcast, a second copy. */
  private store(node: Node): Cell {
    const cell = new Cell(sizeOf(node.shape), node.dtype);
    const unit: StepUnit = {
      kind: "step",
      count: cell.size,
      function: undefined,
      operands: [this.operand(node)],
      dtype: node.dtype,
      home: cell,
    };
    cell.writers.push(unit);
    this.units.push(unit);
    return cell;
  }

  /** Where the value lies, dense, row-major. */
  view(node: Node): View {
    const known = this.views.get(node);
    if (known) return known;
    const view = this.makeView(node);
    this.views.set(node, view);
    return view;
  }

  private makeView(node: Node): View {
    if (isNodeOf(node, reshapeOp.op)) return this.view(node.inputs[0] as Node);
    if (isContiguousSlice(node)) {
      const { cell, offset } = this.view(node.inputs[0] as Node);
      const { axis, start } = node.attributes;
      const first = offset + start * sizeOf(node.shape.slice(axis + 1));
      return { cell, offset: first, length: sizeOf(node.shape), stride: 1 };
    }
    if (isNodeOf(node, stateOp.op)) return viewOf(this.stateCell(node.attributes));
    if (isNodeOf(node, tableOp.op)) return viewOf(this.constantCell(node.attributes.values, node));
    if (isNodeOf(node, constantOp.op) || patternOf(node) || isColumn(node)) return viewOf(this.store(node));
    if (isStep(node)) {
      const unit = this.step(node);
      unit.home = new Cell(unit.count, unit.dtype);
      unit.home.writers.push(unit);
      return viewOf(unit.home);
    }
    const cell = new Cell(sizeOf(node.shape), node.dtype);
    if (isNodeOf(node, concatOp.op)) {
      const { axis } = node.attributes;
      if (sizeOf(node.shape.slice(0, axis)) === 1) this.joinParts(node, cell);
      else this.joinColumns(node, cell, axis);
    } else if (node.op.stridedCall) {
      this.addCall(stridedUnit(node, this, { cell, start: 0, strides: stridesOf(node.shape) }), cell);
    } else if (isMoving(node)) {
      this.copy(node.shape, this.strided(node), cell, 0, stridesOf(node.shape));
    } else {
      const operands = [node, (input: Node) => this.view(input), viewOf(cell)] as const;
      const call = callUnit(...operands) ?? this.optional?.(...operands);
      if (!call) throw unknownOp(node);
      this.addCall(call, cell);
    }
    return viewOf(cell);
  }

  /** Parts lie one after another: each is written in its place, or stored there where it has another place already. */
  private joinParts(node: Node, cell: Cell): void {
    let offset = 0;
    for (const part of node.inputs) {
      const view = this.isComputed(part) ? this.view(part) : undefined;
      const joined = view && canJoin(view, cell) ? view.cell : this.store(part);
      joined.join(cell, offset);
      offset += joined.size;
    }
  }

  /** Parts lie side by side: each is stored as columns, or moved there by a copy where no chain can load it. */
  private joinColumns(node: Node, cell: Cell, axis: number): void {
    const columns = sizeOf(node.shape.slice(axis));
    let start = 0;
    for (const part of node.inputs) {
      const width = sizeOf(part.shape.slice(axis));
      const product = this.soleProduct(part);
      const strides = product && reshapedStrides(part.shape, stridesOf(node.shape), product.shape);
      if (product && strides) this.addCall(stridedUnit(product, this, { cell, start, strides }), cell);
      else if (this.isLoaded(part)) this.store(part).join(cell, start, columns, width);
      else this.copy(part.shape, this.strided(part), cell, start, stridesOf(node.shape));
      start += width;
    }
  }

  /** The product that the value is, under reshapes, where nothing else reads it. */
  private soleProduct(node: Node): Node | undefined {
    if (this.reads.get(node) !== 1) return undefined;
    if (isNodeOf(node, reshapeOp.op)) return this.soleProduct(node.inputs[0] as Node);
    return node.op.stridedCall && !this.views.has(node) ? node : undefined;
  }

  /** Whether a chain takes the value from where it is, without a copy in another order. */
  private isLoaded(node: Node): boolean {
    if (isNodeOf(node, reshapeOp.op)) return this.isLoaded(node.inputs[0] as Node);
    if (!isMoving(node) || isNodeOf(node, concatOp.op) || isContiguousSlice(node) || isColumn(node)) return true;
    return patternOf(node) !== undefined;
  }

  private copy(shape: Shape, source: StridedView, cell: Cell, start: number, strides: readonly number[]): void {
    for (const call of copyUnits(shape, source, { cell, start, strides })) this.addCall(call, cell);
  }

  private addCall(call: CallUnit, cell: Cell): void {
    cell.writers.push(call);
    this.units.push(call);
  }

  /** The value as kernels read it that find elements by strides. */
  strided(node: Node): StridedView {
    const [x] = node.inputs as [Node];
    if (isNodeOf(node, constantOp.op)) {
      const view = viewOf(this.constantCell([node.attributes.value], node));
      return { view, start: 0, strides: node.shape.map(() => 0) };
    }
    if (isNodeOf(node, broadcastOp.op)) {
      const { strides, ...source } = this.strided(x);
      return { ...source, strides: broadcastStrides(x.shape, strides, node.shape) };
    }
    if (isNodeOf(node, transposeOp.op)) {
      const { strides, ...source } = this.strided(x);
      return { ...source, strides: node.attributes.permutation.map((axis) => strides[axis] as number) };
    }
    if (isNodeOf(node, sliceOp.op)) {
      const { start, ...source } = this.strided(x);
      return { ...source, start: start + node.attributes.start * (source.strides[node.attributes.axis] as number) };
    }
    if (isNodeOf(node, reshapeOp.op) && !this.views.has(node)) {
      const { strides, ...source } = this.strided(x);
      const reshaped = reshapedStrides(x.shape, strides, node.shape);
      if (reshaped) return { ...source, strides: reshaped };
    }
    return { view: this.view(node), start: 0, strides: stridesOf(node.shape) };
  }

  private stateCell(declaration: StateDeclaration): Cell {
    const known = this.states.get(declaration.name);
    const cell = known ?? new Cell(sizeOf(declaration.shape), declaration.dtype, declaration);
    this.states.set(declaration.name, cell);
    return cell;
  }

  /** Numbers in the `constants` region, as bits. */
  private constantCell(values: readonly number[], { dtype }: Node): Cell {
    const constantsOffset = Math.ceil(this.constants.length / ALIGNMENT) * ALIGNMENT;
    while (this.constants.length < constantsOffset) this.constants.push(0);
    const words = dtype === "u32" ? Uint32Array.from(values) : new Uint32Array(Float32Array.from(values).buffer);
    for (const word of words) this.constants.push(word);
    return new Cell(values.length, dtype, { constantsOffset });
  }
}

function unknownOp({ op, shape }: Node): UnsupportedError {
  return new UnsupportedError({
    subject: `op "${op.name}"`,
    given: shape,
    expected: "an op that a kernel computes",
    remedy: "Lower the graph first, or give the op a kernel.",
  });
}
