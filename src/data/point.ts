import { DataError } from "../errors.ts";

/** The coordinates of one point, checked to be `dimension` of them. */
export function expectPoint(point: ArrayLike<number>, dimension: number): number[] {
  if (point.length === dimension) return Array.from(point);
  throw new DataError({
    subject: "point",
    given: `${point.length} numbers`,
    expected: String(dimension),
    remedy: "Give one point at a time, with the dimension of the data.",
  });
}
