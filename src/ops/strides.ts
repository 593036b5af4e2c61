/** Where the elements of row-major values lie. */
import { type Shape, sizeOf } from "../graph/node.ts";

/** Elements from one index to the next along each axis. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
}

/** Visits each element of `shape` in order, with its number and the offset that `strides` give it. */
export function walk(shape: Shape, strides: readonly number[], visit: (element: number, offset: number) => void): void {
  const index = shape.map(() => 0);
  let offset = 0;
  for (let element = 0; element < sizeOf(shape); element++) {
    visit(element, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      offset += strides[axis] as number;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      offset -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
}
