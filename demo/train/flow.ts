/** A flow that can be looked at: a model, or a formula. What it is asked is the same for both. */
import { dopri5, euler, heun, type Model, midpoint, rk4, type Solver } from "divflow";
import { onGrid } from "divflow/flows";
import { type Breather, type Formula, logDensityBy, solve } from "../field/integrate.ts";
import type { Sampler } from "../messages.ts";

export interface Flow {
  /** [count, 2] at points [count, 2] and one time. */
  velocity(points: Float32Array, t: number | Float32Array): Promise<ArrayLike<number>>;
  /** Of the velocity, [count]. */
  divergence(points: Float32Array, t: number | Float32Array): Promise<Float64Array>;
  /**
   * Where noise [count, 2] is at each of the times, which rise from 0 to 1: [times, count, 2].
   *
   * @param labels - the classes that the first ones are told, of a model that is told some; the others are told none.
   */
  frames(noise: Float32Array, times: readonly number[], labels?: Uint8Array): Promise<Float32Array>;
  /** Classes of so many particles; undefined of what is told none. */
  labels?(count: number): Uint8Array;
  /** log p_t at points, nats. */
  logDensity(points: Float32Array, t: number): Promise<ArrayLike<number>>;
}

/** Half the distance of the differences that give a divergence: f32 leaves it 4 digits, the curvature takes fewer. */
const H = 1 / 128;

/** @param steps - of RK4, for densities. */
export function learnedFlow(model: Model, { sampler, steps }: { sampler: Sampler; steps: number }): Flow {
  const { told, labels, guidance } = conditionsFor(model, sampler);
  const velocity: Flow["velocity"] = (points, t) => model.velocity(points, timesOf(points.length / 2, t), told);
  return {
    velocity,
    ...(labels ? { labels } : {}),
    async divergence(points, t) {
      const count = points.length / 2;
      const around = new Float32Array(4 * points.length);
      const times = new Float32Array(4 * count);
      const own = timesOf(count, t);
      for (let i = 0; i < count; i++) {
        for (let k = 0; k < 4; k++) {
          const at = k * count + i;
          around[2 * at] = points[2 * i]! + (k === 0 ? H : k === 1 ? -H : 0);
          around[2 * at + 1] = points[2 * i + 1]! + (k === 2 ? H : k === 3 ? -H : 0);
          times[at] = own[i]!;
        }
      }
      const v = await model.velocity(around, times, told);
      return Float64Array.from({ length: count }, (_, i) => {
        const of = (k: number, axis: 0 | 1) => v[2 * (k * count + i) + axis] as number;
        return (of(0, 0) - of(1, 0) + of(2, 1) - of(3, 1)) / (2 * H);
      });
    },
    async frames(noise, times, own) {
      const each = own && Array.from({ length: noise.length / 2 }, (_, i) => own[i] ?? null);
      const classes = each ? { conditions: { label: each }, guidance } : told;
      const { trajectory } = await model.sample({ noise, times, solver: solverOf(sampler), ...classes });
      return Float32Array.from(trajectory?.values ?? []);
    },
    async logDensity(points, t) {
      if (t === 0) return Array.from({ length: points.length / 2 }, (_, i) => logNormal(points, i));
      // A grid that ends at t: the density there.
      const solver = t === 1 ? rk4({ steps }) : onGrid(rk4({ steps }), evenTimes(0, t, steps));
      return (await model.logDensity(points, { solver, ...told })).values;
    },
  };
}

/**
 * What a model is told: the class that is wanted, as strongly; without one, none. Particles are told one each, in turn, where
 * none is wanted.
 */
function conditionsFor({ conditions }: Model, { label, guidance = 1 }: Sampler) {
  const count = conditions["label"]?.classes;
  if (count === undefined) return { guidance };
  const wanted = label !== undefined && label < count ? label : undefined;
  return {
    guidance,
    told: wanted === undefined ? { conditions: { label: null } } : { conditions: { label: wanted }, guidance },
    labels: (particles: number) => Uint8Array.from({ length: particles }, (_, i) => wanted ?? i % count),
  };
}

/** The same sampler, of a model that is told nothing. */
export function untold({ solver, steps, tolerance }: Sampler): Sampler {
  return { solver, steps, tolerance };
}

export function formulaFlow(formula: Formula, breathe: Breather): Flow {
  const each = async (points: Float32Array, t: number | Float32Array, take: (out: Float64Array, i: number) => void) => {
    const [out, times] = [new Float64Array(3), timesOf(points.length / 2, t)];
    for (let i = 0; i < times.length; i++) {
      formula(points[2 * i]!, points[2 * i + 1]!, times[i]!, out);
      take(out, i);
      if (i % 256 === 255) await breathe();
    }
  };
  return {
    async velocity(points, t) {
      const values = new Float32Array(points.length);
      await each(points, t, (out, i) => values.set(out.subarray(0, 2), 2 * i));
      return values;
    },
    async divergence(points, t) {
      const values = new Float64Array(points.length / 2);
      await each(points, t, (out, i) => {
        values[i] = out[2]!;
      });
      return values;
    },
    frames: async (noise, times) => (await solve(formula, noise, { times, breathe })).frames,
    logDensity: (points, t) => logDensityBy(formula, points, { t, breathe }),
  };
}

function timesOf(count: number, t: number | Float32Array): Float32Array {
  return typeof t === "number" ? new Float32Array(count).fill(t) : t;
}

export function evenTimes(from: number, to: number, parts: number): number[] {
  return Array.from({ length: parts + 1 }, (_, i) => from + ((to - from) * i) / parts);
}

function logNormal(points: Float32Array, i: number): number {
  return -(points[2 * i]! ** 2 + points[2 * i + 1]! ** 2) / 2 - Math.log(2 * Math.PI);
}

export function solverOf({ solver, steps, tolerance }: Sampler): Solver {
  if (solver === "dopri5") return dopri5({ absoluteTolerance: tolerance, relativeTolerance: tolerance });
  return { euler, midpoint, heun, rk4 }[solver]({ steps });
}

/** Evaluations of the network for a sample; undefined where the solver chooses its steps. */
export function evaluationsOf({ solver, steps }: Sampler): number | undefined {
  if (solver === "dopri5") return undefined;
  return { euler: 1, midpoint: 2, heun: 2, rk4: 4 }[solver] * steps;
}
