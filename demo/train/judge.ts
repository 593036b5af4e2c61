/** What a flow is worth, in numbers: by points held out, and by the true field where that is known. */
import { slicedWasserstein } from "divflow/diagnostics";
import { DIVERGENCE, LATEST, newLocal, SX, SY, type Truth, UX, UY } from "../field/truth.ts";
import type { Flow } from "./flow.ts";
import { cellsOf } from "./look.ts";

export interface Likelihood {
  readonly mean: number;
  readonly standardError: number;
}

/** Mean negative log-likelihood of points, nats. */
export async function negativeLogLikelihood(flow: Flow, points: Float32Array): Promise<Likelihood> {
  return meanOf(Float64Array.from(await flow.logDensity(points, 1), (log) => -log));
}

export interface FieldErrors {
  /** Root mean square of |v - u|, and of (1 - t) (div v - div u), over the path. */
  readonly velocity: number;
  readonly divergence: number;
  /** 1/2 integral of E |r| dt until LATEST, r = div(v - u) + (v - u) . s: no total variation there is above it. */
  readonly bound: number;
  readonly boundError: number;
}

/** Times that points of the path are taken at, evenly apart. */
const TIMES = 64;

/**
 * A flow against the true marginal field, at points of the path: noise and data, [count, 2] each, met at times that are spread
 * evenly over [0, LATEST].
 */
export async function fieldErrors(
  flow: Flow,
  truth: Truth,
  noise: Float32Array,
  data: Float32Array,
): Promise<FieldErrors> {
  const count = Math.min(noise.length, data.length) / 2;
  // Some points at each time: what a truth prepares for a time serves them all.
  const bin = (i: number) => Math.floor((i * TIMES) / count);
  const times = Float32Array.from({ length: count }, (_, i) => (LATEST * (bin(i) + 0.5)) / TIMES);
  const points = Float32Array.from({ length: 2 * count }, (_, i) => {
    const t = times[i >> 1] as number;
    return t * data[i]! + (1 - t) * noise[i]!;
  });
  const [v, divergence] = [await flow.velocity(points, times), await flow.divergence(points, times)];
  const out = newLocal();
  const residuals = new Float64Array(count);
  let [squares, scaled] = [0, 0];
  for (let i = 0; i < count; i++) {
    truth.at(points[2 * i]!, points[2 * i + 1]!, times[i]!, out);
    const [ex, ey] = [v[2 * i]! - out[UX]!, v[2 * i + 1]! - out[UY]!];
    const off = divergence[i]! - out[DIVERGENCE]!;
    squares += (ex * ex + ey * ey) / count;
    scaled += ((1 - times[i]!) * off) ** 2 / count;
    residuals[i] = 0.5 * LATEST * Math.abs(off + ex * out[SX]! + ey * out[SY]!);
  }
  const { mean, standardError } = meanOf(residuals);
  return { velocity: Math.sqrt(squares), divergence: Math.sqrt(scaled), bound: mean, boundError: standardError };
}

/** Half the integral of |learned - true| over a square, by the middles of its cells. */
export function totalVariation(
  learned: ArrayLike<number>,
  logDensity: (x: number, y: number) => number,
  extent: number,
): number {
  const size = Math.sqrt(learned.length);
  const points = cellsOf(size, extent);
  const cell = ((2 * extent) / size) ** 2;
  let [sum, inside] = [0, 0];
  for (let i = 0; i < learned.length; i++) {
    const exact = Math.exp(logDensity(points[2 * i]!, points[2 * i + 1]!));
    sum += 0.5 * cell * Math.abs(learned[i]! - exact);
    inside += cell * learned[i]!;
  }
  // What the model has beyond the square lies where the data has nothing.
  return Math.min(1, sum + 0.5 * Math.max(0, 1 - inside));
}

/** Between samples and points held out, data units. */
export async function wassersteinOf(samples: Float32Array, held: Float32Array, seed: number): Promise<number> {
  const sample = (values: Float32Array) => ({ values, shape: [values.length / 2, 2] });
  return (await slicedWasserstein(sample(samples), sample(held), { projections: 64, seed })).distance;
}

export function meanOf(values: Float64Array): Likelihood {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / Math.max(1, values.length - 1) / values.length) };
}
