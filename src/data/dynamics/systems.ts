/**
 * The dynamical systems whose trajectories are data here: equations, scales, where they start and how they are sampled, as
 * in the experiments of the paper.
 */
import type { Rate } from "./integrate.ts";

type Numbers = readonly number[] | Float64Array | Float32Array;

export interface DynamicalSystem {
  readonly name: string;
  /** Numbers of a state, C. */
  readonly dimension: number;
  /** Names of a sample's coordinates. */
  readonly coordinates: readonly string[];
  /** Reads places, not an iterator: it is called some million times. */
  readonly rate: Rate;
  /** What does not change along a solution, where there is such a thing. */
  readonly energy?: (state: Numbers) => number;
  /** Time between two samples. */
  readonly timeStep: number;
  /** Samples left out at the start, the start among them, while the state is on its way to where the system stays. */
  readonly burnIn: number;
  /** Samples kept, by default. */
  readonly length: number;
  /** What a coordinate is multiplied by in the data. */
  readonly scale: number;
  /** The state that these C standard normal numbers begin at. */
  start(normal: Numbers): number[];
  /** What the data hold of a state, and the state of it. */
  toSample(state: Numbers): number[];
  fromSample(sample: Numbers): number[];
}

/** Samples that are states times a number. */
function scaled(factor: number): Pick<DynamicalSystem, "scale" | "toSample" | "fromSample"> {
  return {
    scale: factor,
    toSample: (state) => Array.from(state, (value) => value * factor),
    fromSample: (sample) => Array.from(sample, (value) => value / factor),
  };
}

export interface LorenzParameters {
  readonly sigma: number;
  readonly rho: number;
  readonly beta: number;
}

/** x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z. Samples are states / 20. */
export function lorenzSystem({ sigma, rho, beta }: LorenzParameters = { sigma: 10, rho: 28, beta: 8 / 3 }) {
  return {
    name: "lorenz",
    dimension: 3,
    coordinates: ["x", "y", "z"],
    rate: (state, into) => {
      const x = state[0];
      const y = state[1];
      const z = state[2];
      into[0] = sigma * (y - x);
      into[1] = x * (rho - z) - y;
      into[2] = x * y - beta * z;
    },
    ...{ timeStep: 0.1, burnIn: 30, length: 60 },
    start: (normal) => Array.from(normal, (value) => 20 * value),
    ...scaled(1 / 20),
  } satisfies DynamicalSystem;
}

/** Of the two cells. */
export interface FitzHughNagumoParameters {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
  readonly c: readonly [number, number];
  /** Of what couples them. */
  readonly k: number;
}

const cells: FitzHughNagumoParameters = {
  a: [-0.025794, -0.025794],
  b: [0.0065, 0.0135],
  c: [0.02, 0.02],
  k: 0.128,
};

/**
 * Two cells of FitzHugh and Nagumo: x_i' = x_i (a_i - x_i)(x_i - 1) - y_i + k (x_j - x_i), y_i' = b_i x_i - c_i y_i; in the
 * order x1, x2, y1, y2. They rest for long and spike now and then. Samples are 5 times the state.
 */
export function fitzHughNagumoSystem({ a, b, c, k }: FitzHughNagumoParameters = cells) {
  return {
    name: "fitzhugh-nagumo",
    dimension: 4,
    coordinates: ["x1", "x2", "y1", "y2"],
    rate: (state, into) => {
      const x1 = state[0];
      const x2 = state[1];
      const y1 = state[2];
      const y2 = state[3];
      into[0] = x1 * (a[0] - x1) * (x1 - 1) - y1 + k * (x2 - x1);
      into[1] = x2 * (a[1] - x2) * (x2 - 1) - y2 + k * (x1 - x2);
      into[2] = b[0] * x1 - c[0] * y1;
      into[3] = b[1] * x2 - c[1] * y2;
    },
    ...{ timeStep: 6, burnIn: 250, length: 60 },
    start: (normal) => Array.from(normal, (value) => (0.2 * value) / 5),
    ...scaled(5),
  } satisfies DynamicalSystem;
}

/** q' = p, p' = -q. */
export function harmonicOscillatorSystem() {
  return {
    name: "harmonic-oscillator",
    dimension: 2,
    coordinates: ["q", "p"],
    rate: (state, into) => {
      into[0] = state[1];
      into[1] = -state[0];
    },
    energy: ([q, p]: Numbers) => (q * q + p * p) / 2,
    ...{ timeStep: 0.1, burnIn: 0, length: 60 },
    start: (normal) => Array.from(normal),
    ...scaled(1),
  } satisfies DynamicalSystem;
}

/** M^-1 p of the double pendulum at angles that differ by this. */
function velocities(difference: number, p1: number, p2: number): [number, number] {
  const c = Math.cos(difference);
  const determinant = 2 - c * c;
  return [(p1 - c * p2) / determinant, (2 * p2 - c * p1) / determinant];
}

/** M = [[2, cos(q1 - q2)], [cos(q1 - q2), 1]], row-major. */
export function massMatrix([q1, q2]: Numbers): number[] {
  const c = Math.cos(q1 - q2);
  return [2, c, c, 1];
}

/**
 * Two links of length and mass 1 under gravity 1: H = p M^-1 p / 2 - 2 cos q1 - cos q2 with {@link massMatrix}. States are
 * (q1, q2, p1, p2), samples have velocities M^-1 p for momenta; angles are not taken modulo 2 pi.
 */
export function doublePendulumSystem() {
  return {
    name: "double-pendulum",
    dimension: 4,
    coordinates: ["q1", "q2", "v1", "v2"],
    rate: (state, into) => {
      const q1 = state[0];
      const q2 = state[1];
      const p1 = state[2];
      const p2 = state[3];
      const [w1, w2] = velocities(q1 - q2, p1, p2);
      const torque = w1 * w2 * Math.sin(q1 - q2);
      into[0] = w1;
      into[1] = w2;
      into[2] = -torque - 2 * Math.sin(q1);
      into[3] = torque - Math.sin(q2);
    },
    energy: ([q1, q2, p1, p2]: Numbers) => {
      const [w1, w2] = velocities(q1 - q2, p1, p2);
      return (p1 * w1 + p2 * w2) / 2 - 2 * Math.cos(q1) - Math.cos(q2);
    },
    ...{ timeStep: 0.1, burnIn: 0, length: 300 },
    scale: 1,
    start: ([q1, q2, p1, p2]) => [q1, q2, 0.2 * p1, 0.2 * 1.5 * p2],
    toSample: ([q1, q2, p1, p2]) => [q1, q2, ...velocities(q1 - q2, p1, p2)],
    fromSample: ([q1, q2, w1, w2]) => {
      const c = Math.cos(q1 - q2);
      return [q1, q2, 2 * w1 + c * w2, c * w1 + w2];
    },
  } satisfies DynamicalSystem;
}

/** By the names that files and the command have for them. */
export const systems = {
  lorenz: lorenzSystem,
  "fitzhugh-nagumo": fitzHughNagumoSystem,
  "harmonic-oscillator": harmonicOscillatorSystem,
  "double-pendulum": doublePendulumSystem,
} as const satisfies Record<string, (parameters?: never) => DynamicalSystem>;

export type SystemName = keyof typeof systems;
