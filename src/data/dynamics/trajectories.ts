/** Trajectories as data: of the systems here, and of a mixture that is drawn anew at each time. */

import { DataError } from "../../errors.ts";
import { choiceOption, integerOption, numberOption, optionsObject, signalOption } from "../../graph/options.ts";
import { streamOf } from "../../ops/streams.ts";
import { HostRandom } from "../../ops/threefry.ts";
import { inTurns } from "../../turns.ts";
import { type ArrayData, arrayData } from "../array.ts";
import { expectHeld } from "../held.ts";
import { Solution } from "./integrate.ts";
import { type DynamicalSystem, type SystemName, systems } from "./systems.ts";

export interface TrajectoryOptions {
  /** How many trajectories; default 4,000. The first of more are the same. */
  readonly count?: number;
  /** Of the states they start from; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Samples of each, L; default as each set says. */
  readonly length?: number;
  /** As of `arrayData`; default false: the sets have scales of their own. */
  readonly standardize?: boolean | "channel";
  readonly signal?: AbortSignal;
}

/** Error of a step, relative. Chaotic systems make more of it with time, but no tolerance keeps them from that. */
const TOLERANCE = 1e-9;

/**
 * Trajectories of the Lorenz system, [count, 60, 3]: states / 20, 0.1 apart, on the attractor.
 *
 * Solved on the host in f64, within 1e-9 a step; some 2,000 a second. Lets other tasks have their turn each 25 ms.
 *
 * @throws {@link ConfigError} when an option is unknown or wrong.
 * @throws the signal's reason, when it is aborted.
 * @example
 * const data = await lorenz({ count: 4000, seed: 1 });
 * const trainer = await createTrainer(runtime, { data, network: unet1d({ sample: [60, 3] }), path: condOT(), loss: fdm() });
 */
export function lorenz(options: TrajectoryOptions = {}): Promise<ArrayData> {
  return trajectoriesOf("lorenz", systems.lorenz(), options);
}

/**
 * Trajectories of two coupled cells of FitzHugh and Nagumo, [count, 60, 4] in the order x1, x2, y1, y2: 5 times the states,
 * 6 apart, the first 250 left out. As {@link lorenz} otherwise.
 */
export function fitzHughNagumo(options: TrajectoryOptions = {}): Promise<ArrayData> {
  return trajectoriesOf("fitzHughNagumo", systems["fitzhugh-nagumo"](), options);
}

/** Trajectories of q' = p, p' = -q, [count, 60, 2], 0.1 apart, from N(0, I). As {@link lorenz} otherwise. */
export function harmonicOscillator(options: TrajectoryOptions = {}): Promise<ArrayData> {
  return trajectoriesOf("harmonicOscillator", systems["harmonic-oscillator"](), options);
}

/**
 * Trajectories of a double pendulum, [count, 300, 4]: both angles, then both angular velocities, 0.1 apart; angles start from
 * N(0, I). As {@link lorenz} otherwise.
 */
export function doublePendulum(options: TrajectoryOptions = {}): Promise<ArrayData> {
  return trajectoriesOf("doublePendulum", systems["double-pendulum"](), options);
}

/**
 * Trajectories [count, 60, 1] whose points are independent, each of N(-2, 0.5^2) or N(2, 0.5^2) with equal probability: what
 * is known exactly in so many dimensions. As {@link lorenz} otherwise.
 */
export async function mixtureTrajectories(options: TrajectoryOptions = {}): Promise<ArrayData> {
  const { count, length, random, standardize } = checked("mixtureTrajectories", options, 60, 1);
  const values = new Float64Array(count * length);
  for (let row = 0; row < count; row++) {
    const signs = random.draw("rademacher", length, streamOf("points"), row);
    const normal = random.normal(length, streamOf("points", 1), row);
    for (let i = 0; i < length; i++) values[row * length + i] = 2 * signs[i] + 0.5 * normal[i];
  }
  return arrayData(values, [count, length, 1], { standardize });
}

const sets = {
  lorenz,
  "fitzhugh-nagumo": fitzHughNagumo,
  "harmonic-oscillator": harmonicOscillator,
  "double-pendulum": doublePendulum,
  "mixture-trajectories": mixtureTrajectories,
} as const;

export type TrajectoriesName = keyof typeof sets;

/** What {@link trajectoriesNamed} makes. */
export const trajectoryNames = Object.keys(sets) as readonly TrajectoriesName[];

/** The trajectories of this name: that of the system, with hyphens. */
export async function trajectoriesNamed(name: TrajectoriesName, options: TrajectoryOptions = {}): Promise<ArrayData> {
  return sets[choiceOption("name of trajectories", name, trajectoryNames)](options);
}

/**
 * Where a system leads in this time from what is a sample of its data set, in the units of that.
 *
 * @param sample - one state, such as [x, y, z] of the Lorenz set.
 * @param time - positive; default: the time between two samples of a trajectory.
 * @throws {@link ConfigError} when the name is unknown, or the time not positive.
 * @throws {@link DataError} when the sample has not the numbers of one state.
 * @throws {@link NumericError} when the solution does not stay finite, or takes more than a million steps.
 */
export function advance(
  name: SystemName,
  sample: readonly number[] | Float64Array | Float32Array,
  time?: number,
): number[] {
  const system = systemNamed(name);
  const { timeStep, dimension } = system;
  const during = numberOption("time of advance", time ?? timeStep, { minimum: 0, open: "minimum" });
  const { length } = Object(sample) as Partial<typeof sample>;
  if (length !== dimension || !Array.from(sample).every(Number.isFinite)) {
    throw new DataError({
      subject: "sample of advance",
      given: length === dimension ? `[${Array.from(sample).join(", ")}]` : `${length ?? "no"} numbers`,
      expected: `${dimension} finite numbers: ${system.coordinates.join(", ")} of "${name}"`,
      remedy: "Give one state, such as values.subarray(0, C) of a trajectory's [length, C].",
    });
  }
  const solution = new Solution(system.rate, system.fromSample(sample), TOLERANCE, timeStep);
  solution.advance(during);
  return system.toSample(solution.state);
}

function systemNamed(name: SystemName): DynamicalSystem {
  return systems[choiceOption("name of a dynamical system", name, Object.keys(systems) as SystemName[])]();
}

function checked(of: string, options: TrajectoryOptions, defaultLength: number, dimension: number) {
  const known = ["count", "seed", "length", "standardize", "signal"] as const;
  const given = optionsObject(`options of ${of}`, options, known);
  const { count = 4000, seed = 0, length = defaultLength, standardize = false } = given;
  choiceOption(`standardize of ${of}`, standardize, [true, false, "channel"] as const);
  integerOption(`count of ${of}`, count);
  integerOption(`seed of ${of}`, seed, 0);
  integerOption(`length of ${of}`, length);
  const signal = signalOption(given.signal);
  signal?.throwIfAborted();
  expectHeld(`trajectories of ${of}`, count, length, dimension);
  return { count, length, standardize, random: new HostRandom(seed), signal };
}

async function trajectoriesOf(of: string, system: DynamicalSystem, options: TrajectoryOptions): Promise<ArrayData> {
  const { dimension } = system;
  const { count, length, standardize, random, signal } = checked(of, options, system.length, dimension);
  const values = new Float64Array(count * length * dimension);
  await inTurns(drawn(system, { count, length, random, values }), () => signal?.throwIfAborted());
  return arrayData(values, [count, length, dimension], { standardize });
}

/** Writes the trajectories, and yields how many there are after each. */
function* drawn(
  system: DynamicalSystem,
  {
    count,
    length,
    random,
    values,
  }: { readonly count: number; readonly length: number; readonly random: HostRandom; readonly values: Float64Array },
): Generator<number, undefined, undefined> {
  const { dimension, burnIn, timeStep, rate } = system;
  for (let row = 0; row < count; row++) {
    const start = system.start(random.normal(dimension, streamOf("points"), row));
    const solution = new Solution(rate, start, TOLERANCE, timeStep);
    if (burnIn > 0) solution.advance(burnIn * timeStep);
    for (let i = 0; i < length; i++) {
      if (i > 0) solution.advance(timeStep);
      values.set(system.toSample(solution.state), (row * length + i) * dimension);
    }
    yield row + 1;
  }
}
