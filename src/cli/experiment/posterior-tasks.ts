/**
 * Four tasks of the benchmark of simulation-based inference, with what is known of their posteriors. No entry has them: tests, the
 * bench and experiments do.
 *
 * @see Lueckmann et al., "Benchmarking simulation-based inference" (AISTATS 2021), appendix T.
 */
import { normal, type Prior, type Random, uniform } from "../../posterior.ts";

export interface PosteriorTask {
  readonly name: string;
  readonly prior: Prior<Float64Array>;
  readonly simulate: (parameters: ArrayLike<number>, context: { readonly random: Random }) => number[];
  /** log p(x | parameters) in nats, normalised. */
  logLikelihood(parameters: ArrayLike<number>, x: ArrayLike<number>): number;
  /** A draw of the posterior, exact; left out where none is known. */
  readonly drawPosterior?: (x: ArrayLike<number>, random: Random) => Float64Array;
}

const LOG_2PI = Math.log(2 * Math.PI);

/** log N(x; mean, variance I). */
function isotropic(x: ArrayLike<number>, mean: ArrayLike<number>, variance: number): number {
  let squares = 0;
  for (let k = 0; k < x.length; k++) squares += ((x[k] as number) - (mean[k] as number)) ** 2;
  return -0.5 * (squares / variance + x.length * (LOG_2PI + Math.log(variance)));
}

const spread = (mean: ArrayLike<number>, deviation: number, random: Random) =>
  Array.from(mean, (each) => each + deviation * random.normal());

/**
 * Parameters N(0, 0.1 I), data N(parameters, 0.1 I), in so many dimensions: the posterior is N(x / 2, 0.05 I).
 *
 * @param dimension - 10 in the benchmark.
 */
export function gaussianLinear(dimension = 10): PosteriorTask {
  const deviation = Math.sqrt(0.1);
  return {
    name: "gaussian_linear",
    prior: normal({
      mean: new Array<number>(dimension).fill(0),
      deviation: new Array<number>(dimension).fill(deviation),
    }),
    simulate: (parameters, { random }) => spread(parameters, deviation, random),
    logLikelihood: (parameters, x) => isotropic(x, parameters, 0.1),
    drawPosterior: (x, random) => Float64Array.from(x, (each) => each / 2 + Math.sqrt(0.05) * random.normal()),
  };
}

/**
 * Parameters uniform on [-10, 10]^2, data N(parameters, I) or N(parameters, 0.01 I), each as often: the posterior is the mixture around
 * x, cut off at the prior's bounds.
 */
export function gaussianMixtureTask(): PosteriorTask {
  const draw = (mean: ArrayLike<number>, random: Random) => spread(mean, random.uniform() < 0.5 ? 1 : 0.1, random);
  return {
    name: "gaussian_mixture",
    prior: uniform({ low: [-10, -10], high: [10, 10] }),
    simulate: (parameters, { random }) => draw(parameters, random),
    logLikelihood(parameters, x) {
      const [wide, narrow] = [isotropic(x, parameters, 1), isotropic(x, parameters, 0.01)];
      const most = Math.max(wide, narrow);
      return most + Math.log(0.5 * Math.exp(wide - most) + 0.5 * Math.exp(narrow - most));
    },
    drawPosterior: (x, random) => within(-10, 10, () => draw(x, random)),
  };
}

/**
 * Parameters uniform on [-1, 1]^2, data a point of a crescent, moved by (-|q1 + q2|, q2 - q1) / sqrt 2: the posterior is two crescents.
 */
export function twoMoons(): PosteriorTask {
  const crescent = (random: Random): [number, number] => {
    const angle = Math.PI * (random.uniform() - 0.5);
    const radius = 0.1 + 0.01 * random.normal();
    return [radius * Math.cos(angle) + 0.25, radius * Math.sin(angle)];
  };
  const moved = ([first, second]: ArrayLike<number> & Iterable<number>) =>
    [-Math.abs(first + second) / Math.SQRT2, (second - first) / Math.SQRT2] as const;
  return {
    name: "two_moons",
    prior: uniform({ low: [-1, -1], high: [1, 1] }),
    simulate(parameters, { random }) {
      const [x, y] = crescent(random);
      const [dx, dy] = moved(Array.from(parameters));
      return [x + dx, y + dy];
    },
    logLikelihood(parameters, x) {
      const [dx, dy] = moved(Array.from(parameters));
      const [px, py] = [(x[0] as number) - dx - 0.25, (x[1] as number) - dy];
      const radius = Math.hypot(px, py);
      // The radius' normal below 0 has no mass worth telling: ten deviations.
      const density = -0.5 * (((radius - 0.1) / 0.01) ** 2 + LOG_2PI) - Math.log(0.01);
      return px > 0 ? density - Math.log(Math.PI) - Math.log(radius) : Number.NEGATIVE_INFINITY;
    },
    drawPosterior: (x, random) =>
      within(-1, 1, () => {
        // The map from parameters to the shift keeps areas, and is two to one: each as likely.
        const [px, py] = crescent(random);
        const [along, across] = [px - (x[0] as number), (x[1] as number) - py];
        if (along < 0) return undefined;
        const signed = random.uniform() < 0.5 ? along : -along;
        return [(signed - across) / Math.SQRT2, (signed + across) / Math.SQRT2];
      }),
  };
}

/**
 * A simple likelihood with a complex posterior: parameters uniform on [-3, 3]^5; data four draws of a Gaussian in the plane with mean
 * (q1, q2), standard deviations q3^2 and q4^2 and correlation tanh q5. Signs of q3 and q4 cannot be told.
 */
export function slcp(): PosteriorTask {
  const parts = (q: ArrayLike<number>) => {
    const [m1, m2, s1, s2, r] = [q[0] ?? 0, q[1] ?? 0, (q[2] ?? 0) ** 2, (q[3] ?? 0) ** 2, Math.tanh(q[4] ?? 0)];
    return { m1, m2, s1, s2, r, rest: Math.sqrt(1 - r * r) };
  };
  return {
    name: "slcp",
    prior: uniform({ low: new Array<number>(5).fill(-3), high: new Array<number>(5).fill(3) }),
    simulate(parameters, { random }) {
      const { m1, m2, s1, s2, r, rest } = parts(parameters);
      return Array.from({ length: 4 }, () => {
        const [a, b] = [random.normal(), random.normal()];
        return [m1 + s1 * a, m2 + s2 * (r * a + rest * b)];
      }).flat();
    },
    logLikelihood(parameters, x) {
      const { m1, m2, s1, s2, r, rest } = parts(parameters);
      let sum = 0;
      for (let k = 0; k < 8; k += 2) {
        const a = ((x[k] as number) - m1) / s1;
        const b = (((x[k + 1] as number) - m2) / s2 - r * a) / rest;
        sum -= 0.5 * (a * a + b * b) + LOG_2PI + Math.log(s1 * s2 * rest);
      }
      return sum;
    },
  };
}

/** By the benchmark's names. */
export const posteriorTasks = {
  two_moons: twoMoons,
  slcp,
  gaussian_linear: gaussianLinear,
  gaussian_mixture: gaussianMixtureTask,
} as const;

/** The first of what is drawn that lies in the box. */
function within(low: number, high: number, draw: () => ArrayLike<number> | undefined): Float64Array {
  for (let tries = 0; tries < 100_000; tries++) {
    const drawn = draw();
    if (drawn && Array.from(drawn).every((value) => value >= low && value <= high)) return Float64Array.from(drawn);
  }
  throw new Error("the posterior lies outside the prior's bounds: no such data are simulated");
}
