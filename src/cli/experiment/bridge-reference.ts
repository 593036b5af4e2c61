/** What flows between two distributions are held to: the Schroedinger bridge of large clouds, and how long a flow's ways are. */
import { drawPairs, sinkhorn } from "../../diagnostics.ts";
import { randomNumbers } from "./random-numbers.ts";

/** Points of the plane, or of any dimension, row-major [count, dimension]. */
export interface Cloud {
  readonly values: ArrayLike<number>;
  readonly count: number;
  readonly dimension: number;
}

export interface PairedEnds {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly count: number;
  readonly dimension: number;
}

/** Sums of the plan's rows may be off by so much of all that is moved. */
const TOLERANCE = 1e-4;

/**
 * Both ends of the Schroedinger bridge of diffusion `sigma` between two clouds of equally many points: pairs drawn from the entropic
 * plan of regularisation 2 sigma^2, each point once. As sigma falls they become those of optimal transport.
 */
export function bridgeEnds(starts: Cloud, ends: Cloud, sigma: number, seed: number): PairedEnds {
  const { count, dimension } = starts;
  const sample = ({ values, count }: Cloud) => ({ values: Float32Array.from(values), shape: [count, dimension] });
  const plan = sinkhorn(sample(starts), sample(ends), { regularisation: 2 * sigma ** 2, tolerance: TOLERANCE });
  const { rows, columns } = drawPairs(plan, { seed, replacement: false });
  return {
    ...{ count, dimension, from: rowsOf(starts, rows), to: rowsOf(ends, columns) },
  };
}

function rowsOf({ values, dimension }: Cloud, rows: Uint32Array): Float32Array {
  return Float32Array.from(
    { length: rows.length * dimension },
    (_, i) => values[(rows[Math.floor(i / dimension)] as number) * dimension + (i % dimension)] as number,
  );
}

/** The bridge's points at a time t in [0, 1]: N((1 - t) from + t to, sigma^2 t (1 - t) I), one for each pair. */
export function bridgeAt({ from, to }: Pick<PairedEnds, "from" | "to">, t: number, sigma: number, seed: number) {
  const std = sigma * Math.sqrt(t * (1 - t));
  const noise = std > 0 ? randomNumbers("normal", from.length, seed) : [];
  return from.map((x, i) => (1 - t) * x + t * (to[i] as number) + (std > 0 ? std * (noise[i] as number) : 0));
}

export interface Ways {
  /** Mean length of the ways, as polygons. */
  readonly length: number;
  /** Mean distance between their ends. */
  readonly distance: number;
  /** Mean of the integral of |v|^2 over time: at least the squared 2-Wasserstein distance of the ends. */
  readonly energy: number;
}

/** What ways at ascending times are: row-major [times, count, dimension]. */
export function measureWays(trajectory: ArrayLike<number>, times: readonly number[], dimension: number): Ways {
  const size = trajectory.length / times.length;
  const count = size / dimension;
  let [length, distance, energy] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    const gap = (a: number, b: number) => {
      let sum = 0;
      for (let k = row * dimension; k < (row + 1) * dimension; k++) {
        sum += ((trajectory[b * size + k] as number) - (trajectory[a * size + k] as number)) ** 2;
      }
      return sum;
    };
    for (let i = 1; i < times.length; i++) {
      const square = gap(i - 1, i);
      length += Math.sqrt(square) / count;
      energy += square / ((times[i] as number) - (times[i - 1] as number)) / count;
    }
    distance += Math.sqrt(gap(0, times.length - 1)) / count;
  }
  return { length, distance, energy };
}
