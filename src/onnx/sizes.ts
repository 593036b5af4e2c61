/** Sizes of traces, which may depend on the number of rows: those that do are never written as a number. */
import type { Size } from "../trace/plain.ts";

/** Whether it is the same for any number of rows. */
export function isFixed(size: Size): size is number {
  return typeof size === "number";
}

export function sameSize(a: Size, b: Size): boolean {
  if (isFixed(a) || isFixed(b)) return a === b;
  return a.perRow === b.perRow && a.plus === b.plus;
}

export function sameSizes(a: readonly Size[], b: readonly Size[]): boolean {
  return a.length === b.length && a.every((size, axis) => sameSize(size, b[axis] as Size));
}
