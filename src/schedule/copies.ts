/** Calls of the `copy` kernel: what moves elements in an order that no chain reads. */
import { type Shape, sizeOf } from "../graph/node.ts";
import { type Cell, type View, viewOf } from "./cells.ts";
import type { LoadTerm } from "./program.ts";
import type { CallUnit } from "./units.ts";

/** Element (i_0, i_1, ...) is element start + sum_k i_k strides[k] of the view. */
export interface StridedView {
  readonly view: View;
  readonly start: number;
  readonly strides: readonly number[];
}

interface Axis {
  readonly size: number;
  readonly source: number;
  readonly target: number;
}

/** Axes that one call has. */
const AXES = 4;

/** The calls that write elements of this shape from `source` to `target`, which starts and strides likewise. */
export function copyUnits(
  shape: Shape,
  source: StridedView,
  target: { readonly cell: Cell; readonly start: number; readonly strides: readonly number[] },
): CallUnit[] {
  const axes = shape.map((size, k) => ({
    size,
    source: source.strides[k] as number,
    target: target.strides[k] as number,
  }));
  return splitAxes(coalesced(axes), source.start, target.start).map(({ inner, sourceStart, targetStart }) => ({
    kind: "call",
    kernel: "copy",
    parameters: Object.fromEntries([
      ...inner.flatMap((axis, k) => [
        [`size${k}`, axis.size],
        [`sourceStride${k}`, axis.source],
        [`targetStride${k}`, axis.target],
      ]),
      ["sourceStart", sourceStart],
      ["targetStart", targetStart],
    ]),
    reads: { source: source.view },
    writes: { target: viewOf(target.cell) },
    flops: 0,
    label: (names) => `${names["target"]} takes [${shape.join(", ")}] of ${names["source"]}`,
  }));
}

/** Neighbouring axes that are walked as one, as one; axes of size 1 left out. */
function coalesced(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const last = result.at(-1);
    if (last && last.source === axis.source * axis.size && last.target === axis.target * axis.size) {
      result[result.length - 1] = { ...axis, size: last.size * axis.size };
    } else result.push(axis);
  }
  return result;
}

/** Exactly four axes for each call: one call for each index of axes beyond these, the shortest. */
function splitAxes(axes: readonly Axis[], sourceStart: number, targetStart: number): Split[] {
  if (axes.length <= AXES) {
    const unused = Array<Axis>(AXES - axes.length).fill({ size: 1, source: 0, target: 0 });
    return [{ inner: [...unused, ...axes], sourceStart, targetStart }];
  }
  const shortest = axes.reduce((best, axis) => (axis.size < best.size ? axis : best));
  const others = axes.filter((axis) => axis !== shortest);
  return Array.from({ length: shortest.size }, (_, i) =>
    splitAxes(others, sourceStart + i * shortest.source, targetStart + i * shortest.target),
  ).flat();
}

interface Split {
  readonly inner: readonly Axis[];
  readonly sourceStart: number;
  readonly targetStart: number;
}

/** How a chain reads a broadcast of a dense value, or undefined where its repeated axes lie between others. */
export function broadcastPattern(from: Shape, to: Shape): { divisor: number; modulus: number } | undefined {
  const modulus = sizeOf(from);
  if (modulus === 1) return { divisor: 1, modulus };
  const aligned = [...Array<number>(to.length - from.length).fill(1), ...from];
  const first = aligned.findIndex((size) => size !== 1);
  const last = aligned.findLastIndex((size) => size !== 1);
  for (let axis = first; axis <= last; axis++) if (aligned[axis] !== to[axis]) return undefined;
  return { divisor: sizeOf(to.slice(last + 1)), modulus };
}

/** The most terms of a chain's load. */
const TERMS = 4;

/**
 * How a chain loads a value of these strides: one term for each run of neighbouring axes that does not repeat. Undefined
 * where that takes too many, or where neighbours do not lie side by side: moving these first reads memory better.
 */
export function loadTerms(shape: Shape, strides: readonly number[]): readonly [LoadTerm, ...LoadTerm[]] | undefined {
  const axes = coalesced(shape.map((size, k) => ({ size, source: strides[k] as number, target: 0 })));
  const terms: LoadTerm[] = [];
  let divisor = 1;
  for (const { size, source } of axes.reverse()) {
    if (source !== 0) terms.push({ divisor, modulus: size, stride: source });
    divisor *= size;
  }
  const [first, ...others] = terms;
  return first?.stride === 1 && others.length < TERMS ? [first, ...others] : undefined;
}

/** Strides of a value under another shape; undefined where no strides give its elements in their order. */
export function reshapedStrides(from: Shape, strides: readonly number[], to: Shape): number[] | undefined {
  const axes = coalesced(from.map((size, k) => ({ size, source: strides[k] as number, target: 0 })));
  let axis = axes.length - 1;
  let [left, stride] = [axes[axis]?.size ?? 1, axes[axis]?.source ?? 1];
  const result: number[] = [];
  for (const size of [...to].reverse()) {
    if (left === 1 && size > 1 && axis > 0) {
      axis--;
      ({ size: left, source: stride } = axes[axis] as Axis);
    }
    if (left % size !== 0) return undefined;
    result.unshift(stride);
    left /= size;
    stride *= size;
  }
  return result;
}

/** Strides of a broadcast value by those of what it repeats. */
export function broadcastStrides(from: Shape, strides: readonly number[], to: Shape): number[] {
  const added = to.length - from.length;
  return to.map((_, axis) => ((from[axis - added] ?? 1) === 1 ? 0 : (strides[axis - added] as number)));
}
