/** What is shown of a flow: where particles go, and what maps say at the time looked at. */
import { DIVERGENCE, LATEST, LOG, newLocal, type Truth } from "../field/truth.ts";
import type { Frames, Look, Slice } from "../messages.ts";
import type { Effort } from "./effort.ts";
import { evaluationsOf, evenTimes, type Flow } from "./flow.ts";

/** Frames of what is solved by steps of its own choice. */
const FRAMES = 32;
/** Half the side of the square of noise that the warped grid begins as. */
const LATTICE_EXTENT = 2.6;
const ARROWS = 15;

/** Particles and the warped grid at the solver's own steps. */
export async function framesOf(
  flow: Flow,
  noise: Float32Array,
  effort: Effort,
  { sampler }: Look,
): Promise<Frames & { labels?: Uint8Array }> {
  const parts = sampler.solver === "dopri5" ? FRAMES : Math.min(FRAMES, sampler.steps);
  const times = evenTimes(0, 1, parts);
  const count = Math.min(effort.particles, noise.length / 2);
  const side = effort.lattice;
  const all = new Float32Array(2 * (count + side * side));
  all.set(noise.subarray(0, 2 * count));
  for (let i = 0; i < side * side; i++) {
    all[2 * (count + i)] = LATTICE_EXTENT * ((2 * (i % side)) / (side - 1) - 1);
    all[2 * (count + i) + 1] = LATTICE_EXTENT * ((2 * Math.floor(i / side)) / (side - 1) - 1);
  }
  const labels = flow.labels?.(count);
  const moved = await flow.frames(all, times, labels);
  const particles = new Float32Array(times.length * 2 * count);
  const lattice = new Float32Array(times.length * 2 * side * side);
  for (let frame = 0; frame < times.length; frame++) {
    const from = frame * all.length;
    particles.set(moved.subarray(from, from + 2 * count), frame * 2 * count);
    lattice.set(moved.subarray(from + 2 * count, from + all.length), frame * 2 * side * side);
  }
  return {
    times,
    particles,
    lattice,
    latticeSide: side,
    evaluations: evaluationsOf(sampler),
    ...(labels ? { labels } : {}),
  };
}

/** Middles of the cells of a square, [size * size, 2], from the bottom left. */
export function cellsOf(size: number, extent: number): Float32Array {
  const at = (cell: number) => extent * ((2 * cell + 1) / size - 1);
  return Float32Array.from({ length: 2 * size * size }, (_, i) => {
    const cell = i >> 1;
    return at(i % 2 === 0 ? cell % size : Math.floor(cell / size));
  });
}

/** Log-densities of a flow on a grid, which a map and a distance share. */
export async function densityOf(flow: Flow, cells: number, extent: number, t: number): Promise<Float32Array> {
  return Float32Array.from(await flow.logDensity(cellsOf(cells, extent), t), Math.exp);
}

export interface SliceOf {
  readonly flow: Flow;
  readonly truth: Truth | undefined;
  /** Exact density of the data at t = 1; undefined of points alone. */
  readonly logDensity: ((x: number, y: number) => number) | undefined;
  readonly extent: number;
  readonly effort: Effort;
  readonly look: Look;
}

/** Arrows and the map at the time looked at. */
export async function sliceOf({ flow, truth, logDensity, extent, effort, look }: SliceOf): Promise<Slice> {
  const { t, map } = look;
  const arrows = look.arrows
    ? { size: ARROWS, velocities: Float32Array.from(await flow.velocity(cellsOf(ARROWS, extent), Math.min(t, LATEST))) }
    : undefined;
  const slice = { t, ...(arrows ? { arrows } : {}) };
  if (map === "none") return slice;
  const size = effort.cells;
  if (map === "density" || map === "difference") {
    return { ...slice, map: { kind: map, size, values: await densityOf(flow, size, extent, t) } };
  }
  if (map === "density-error") {
    const values = await densityOf(flow, size, extent, t);
    const exact = trueDensity(truth, logDensity, cellsOf(size, extent), t);
    if (!exact) return slice;
    const distance = values.reduce((sum, own, i) => sum + Math.abs(own - (exact[i] as number)), 0);
    const error = 0.5 * distance * ((2 * extent) / size) ** 2;
    return { ...slice, error, map: { kind: map, size, values: values.map((own, i) => own - (exact[i] as number)) } };
  }
  if (!truth) return slice;
  const at = Math.min(t, LATEST);
  const points = cellsOf(size, extent);
  const own = await flow.divergence(points, at);
  const [out, values] = [newLocal(), new Float32Array(size * size)];
  let [sum, total, most] = [0, 0, 0];
  const weights = new Float64Array(size * size);
  for (let i = 0; i < values.length; i++) {
    truth.at(points[2 * i]!, points[2 * i + 1]!, at, out);
    // Where hardly any mass passes nobody learns and nothing depends on it.
    weights[i] = Math.exp(out[LOG]!);
    most = Math.max(most, weights[i]!);
    values[i] = own[i]! - out[DIVERGENCE]!;
    sum += weights[i]! * values[i]! ** 2;
    total += weights[i]!;
  }
  for (let i = 0; i < values.length; i++) values[i]! *= Math.min(1, weights[i]! / (UNSEEN * most));
  return { ...slice, error: Math.sqrt(sum / total), map: { kind: map, size, values } };
}

/** Share of the largest density below which a divergence error fades. */
const UNSEEN = 0.01;

function trueDensity(
  truth: Truth | undefined,
  logDensity: ((x: number, y: number) => number) | undefined,
  points: Float32Array,
  t: number,
): Float64Array | undefined {
  const out = newLocal();
  const logAt =
    t === 1
      ? logDensity
      : truth &&
        ((x: number, y: number) => {
          truth.at(x, y, Math.min(t, LATEST), out);
          return out[LOG] as number;
        });
  if (!logAt) return undefined;
  return Float64Array.from({ length: points.length / 2 }, (_, i) =>
    Math.exp(logAt(points[2 * i]!, points[2 * i + 1]!)),
  );
}
