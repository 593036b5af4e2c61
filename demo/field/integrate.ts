/** Solves a field that is known as a formula: where points go, and what their density becomes, by Runge-Kutta of fourth order. */

/** Fills [vx, vy, div v] at a point and time. */
export type Formula = (x: number, y: number, t: number, out: Float64Array) => void;

/** Lets messages in now and then. */
export type Breather = () => Promise<void>;

/** Points between two breaths. */
const POINTS_A_BREATH = 256;

export interface Solved {
  /** [times, count, 2]. */
  readonly frames: Float32Array;
  /** The integral of the divergence along each path, [count], signed as the direction of time is. */
  readonly divergence: Float64Array;
}

/**
 * @param points - [count, 2], at the first of the times.
 * @param times - rising or falling, at least two; steps go from each to the next, `steps` of them.
 */
export async function solve(
  formula: Formula,
  points: ArrayLike<number>,
  { times, steps = 2, breathe }: { times: readonly number[]; steps?: number; breathe: Breather },
): Promise<Solved> {
  const count = points.length / 2;
  const frames = new Float32Array(times.length * count * 2);
  const divergence = new Float64Array(count);
  frames.set(Float32Array.from(points));
  const at = Float64Array.from(points);
  /** Of the four stages: [vx, vy, div v] of each point. */
  const stages = Array.from({ length: 4 }, () => new Float64Array(3 * count));
  const [a, b, c, d] = stages as [Float64Array, Float64Array, Float64Array, Float64Array];
  const out = new Float64Array(3);
  /** All points at one time: what a formula prepares for that serves them all. */
  const stage = async (into: Float64Array, t: number, before?: Float64Array, h = 0) => {
    for (let i = 0; i < count; i++) {
      const [x, y] = [at[2 * i]!, at[2 * i + 1]!];
      if (before) formula(x + h * before[3 * i]!, y + h * before[3 * i + 1]!, t, out);
      else formula(x, y, t, out);
      into.set(out, 3 * i);
      if (i % POINTS_A_BREATH === POINTS_A_BREATH - 1) await breathe();
    }
  };
  for (let frame = 1; frame < times.length; frame++) {
    const [from, to] = [times[frame - 1] as number, times[frame] as number];
    const h = (to - from) / steps;
    for (let step = 0; step < steps; step++) {
      const t = from + step * h;
      await stage(a, t);
      await stage(b, t + h / 2, a, h / 2);
      await stage(c, t + h / 2, b, h / 2);
      await stage(d, t + h, c, h);
      const change = (k: number) => (h / 6) * (a[k]! + 2 * b[k]! + 2 * c[k]! + d[k]!);
      for (let i = 0; i < count; i++) {
        at[2 * i]! += change(3 * i);
        at[2 * i + 1]! += change(3 * i + 1);
        divergence[i]! += change(3 * i + 2);
      }
    }
    frames.set(Float32Array.from(at), 2 * frame * count);
  }
  return { frames, divergence };
}

/** Steps of all of the way, for densities. */
const PARTS = 20;

/** log p_t of points [count, 2] under a flow from N(0, I): backwards to the noise, whose density is known. */
export async function logDensityBy(
  formula: Formula,
  points: ArrayLike<number>,
  { t, breathe }: { t: number; breathe: Breather },
): Promise<Float64Array> {
  const parts = Math.max(1, Math.ceil(PARTS * t));
  const times = Array.from({ length: parts + 1 }, (_, i) => (t * (parts - i)) / parts);
  const { frames, divergence } = await solve(formula, points, { times, steps: 1, breathe });
  const count = points.length / 2;
  const last = frames.subarray(2 * count * parts);
  return divergence.map((sum, i) => {
    const [x, y] = [last[2 * i] as number, last[2 * i + 1] as number];
    // Backwards in time the integral has the other sign: log p_t = log p_0 - integral from 0 to t of div v.
    return -(x * x + y * y) / 2 - Math.log(2 * Math.PI) + sum;
  });
}
