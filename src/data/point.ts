import { DataError } from "../errors.ts";

/** The coordinates of one point, checked to be `dimension` of them; they may be infinite, or {@link isNowhere}. */
export function expectPoint(point: ArrayLike<number>, dimension: number): number[] {
  if (point.length === dimension) return Array.from(point);
  throw new DataError({
    subject: "point",
    given: `${point.length} numbers`,
    expected: String(dimension),
    remedy: "Give one point at a time, with the dimension of the data.",
  });
}

/** Whether a coordinate is NaN: no distribution has density there, nor a slope. */
export function isNowhere(x: readonly number[]): boolean {
  return x.some(Number.isNaN);
}

/** x / |x|, also where |x| is beyond f64 or x infinite: then towards its infinite coordinates alone. 0 for 0. */
export function directionOf(x: readonly number[]): number[] {
  const largest = Math.max(...x.map(Math.abs));
  if (largest === 0) return x.map(() => 0);
  const scaled = x.map((value) =>
    largest === Number.POSITIVE_INFINITY ? (Number.isFinite(value) ? 0 : Math.sign(value)) : value / largest,
  );
  const length = Math.hypot(...scaled);
  return scaled.map((value) => value / length);
}
