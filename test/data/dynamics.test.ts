// Trajectories as data: that they obey their equations, by another method; that they are where the system stays; seeds.
import { describe, expect, test } from "vitest";
import { Solution } from "../../src/data/dynamics/integrate.ts";
import { type SystemName, systems } from "../../src/data/dynamics/systems.ts";
import * as dynamics from "../../src/dynamics.ts";
import { ConfigError, DataError, NumericError } from "../../src/errors.ts";
import { defineGuidance } from "../../src/flow/guidance/define-guidance.ts";

const sets = {
  lorenz: dynamics.lorenz,
  "fitzhugh-nagumo": dynamics.fitzHughNagumo,
  "harmonic-oscillator": dynamics.harmonicOscillator,
  "double-pendulum": dynamics.doublePendulum,
} as const satisfies Record<SystemName, unknown>;
const names = Object.keys(sets) as SystemName[];

/** Runge and Kutta's method with steps so short that its error is near rounding. */
function byRungeKutta(name: SystemName, from: readonly number[], time: number): number[] {
  const { rate, timeStep } = systems[name]();
  const steps = Math.ceil((4000 * time) / timeStep);
  const h = time / steps;
  let state = [...from];
  const slope = (at: readonly number[]) => {
    const into = new Float64Array(at.length);
    rate(Float64Array.from(at), into);
    return into;
  };
  const along = (k: Float64Array, part: number) => state.map((value, i) => value + part * h * k[i]);
  for (let step = 0; step < steps; step++) {
    const k1 = slope(state);
    const k2 = slope(along(k1, 0.5));
    const k3 = slope(along(k2, 0.5));
    const k4 = slope(along(k3, 1));
    state = state.map((value, i) => value + (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
  }
  return state;
}

describe.each(names)("%s", (name) => {
  const system = systems[name]();
  const { dimension, length } = system;

  test("a sample leads to the next one by its equations, to 1e-6 or better", async () => {
    const { values, shape } = await sets[name]({ count: 3, seed: 5, length: 4 });
    expect(shape ?? []).toEqual([4, dimension]);
    const sampleAt = (i: number) => [...values.subarray(i * dimension, (i + 1) * dimension)];
    for (const row of [0, 1, 2]) {
      for (const i of [4 * row, 4 * row + 2]) {
        const expected = system.toSample(byRungeKutta(name, system.fromSample(sampleAt(i)), system.timeStep));
        const scale = Math.max(...expected.map(Math.abs));
        for (const [c, value] of expected.entries()) {
          expect(Math.abs(sampleAt(i + 1)[c] - value)).toBeLessThan(1e-7 * scale);
          expect(dynamics.advance(name, sampleAt(i))[c]).toBeCloseTo(sampleAt(i + 1)[c], 6);
        }
      }
    }
  });

  test("the first trajectories of more are the same, those of other seeds are not", async () => {
    const few = (await sets[name]({ count: 2, seed: 1, length: 3 })).values;
    const more = (await sets[name]({ count: 4, seed: 1, length: 3 })).values;
    expect([...more.subarray(0, few.length)]).toEqual([...few]);
    const other = (await sets[name]({ count: 2, seed: 2, length: 3 })).values;
    expect([...other].some((value, i) => value === few[i])).toBe(false);
  });

  test("has the shape that is said, and names wrong options", async () => {
    expect((await sets[name]({ count: 1 })).shape).toEqual([length, dimension]);
    await expect(sets[name]({ counts: 1 } as never)).rejects.toThrow(/counts.*count/s);
    await expect(sets[name]({ length: 0 })).rejects.toThrow(ConfigError);
    await expect(sets[name]({ standardize: "no" } as never)).rejects.toThrow(ConfigError);
  });
});

test("a long Lorenz trajectory has the attractor's averages", async () => {
  const { values } = await dynamics.lorenz({ count: 1, seed: 3, length: 20_000 });
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i += 3) {
    const [x, y, z] = values.subarray(i, i + 3);
    [x, y, z, x * y].forEach((value, c) => {
      sums[c] += (3 / values.length) * value;
    });
  }
  // z is 23.55 (known from long runs); x and y change their signs together; z' = x y - 8 z / 3 is 0 on average.
  expect(Math.abs(20 * sums[2] - 23.55)).toBeLessThan(0.15);
  expect(Math.abs(sums[0])).toBeLessThan(0.1);
  expect(Math.abs(sums[1])).toBeLessThan(0.1);
  expect(Math.abs((400 * sums[3]) / ((8 / 3) * 20 * sums[2]) - 1)).toBeLessThan(0.01);
});

test("energies of oscillators and pendulums do not change", async () => {
  for (const name of ["harmonic-oscillator", "double-pendulum"] as const) {
    const system = systems[name]();
    const { values } = await sets[name]({ count: 20, seed: 9 });
    for (let row = 0; row < 20; row++) {
      const at = (i: number) => {
        const from = (row * system.length + i) * system.dimension;
        return system.energy(system.fromSample(values.subarray(from, from + system.dimension)));
      };
      expect(Math.abs(at(system.length - 1) - at(0))).toBeLessThan(1e-7);
    }
  }
});

test("pendulums start as they are said to: momenta 0.2 and 0.3 of N(0, 1)", async () => {
  const count = 4000;
  const system = systems["double-pendulum"]();
  const { values } = await dynamics.doublePendulum({ count, length: 1 });
  const squares = [0, 0, 0, 0];
  for (let row = 0; row < count; row++) {
    system.fromSample(values.subarray(4 * row, 4 * row + 4)).forEach((value, i) => {
      squares[i] += value ** 2 / count;
    });
  }
  [1, 1, 0.04, 0.09].forEach((variance, i) => {
    expect(Math.abs(squares[i] / variance - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
  });
});

test("both events happen, and more often do not", async () => {
  const share = async (name: "lorenz" | "fitzhugh-nagumo", event: (row: number[]) => number) => {
    const { values, shape = [] } = await sets[name]({ count: 400, seed: 4 });
    const width = shape[0] * shape[1];
    const hits = Array.from({ length: 400 }, (_, i) => event([...values.subarray(i * width, (i + 1) * width)]) > 0);
    return hits.filter(Boolean).length / 400;
  };
  const calm = await share("lorenz", (row) => {
    let sum = 0;
    for (let k = 1; k <= 30; k++) {
      let [re, im] = [0, 0];
      for (let l = 0; l < 60; l++) {
        re += row[3 * l] * Math.cos((2 * Math.PI * k * l) / 60);
        im += row[3 * l] * Math.sin((2 * Math.PI * k * l) / 60);
      }
      sum += Math.hypot(re, im);
    }
    return 0.6 - sum / 30;
  });
  expect(calm).toBeGreaterThan(0);
  expect(calm).toBeLessThan(0.5);
  const spiking = await share("fitzhugh-nagumo", (row) =>
    Math.max(...Array.from({ length: 60 }, (_, l) => (row[4 * l] + row[4 * l + 1]) / 2 - 2.5)),
  );
  expect(spiking).toBeGreaterThan(0);
  expect(spiking).toBeLessThan(0.5);
});

test("points of mixtures' trajectories are independent and of both signs", async () => {
  const { values, shape } = await dynamics.mixtureTrajectories({ count: 2000, seed: 6 });
  expect(shape).toEqual([60, 1]);
  const count = values.length;
  const mean = (of: (value: number, i: number) => number) =>
    [...values].reduce((sum, value, i) => sum + of(value, i), 0) / count;
  expect(Math.abs(mean((value) => value))).toBeLessThan(4 * Math.sqrt(4.25 / count));
  expect(Math.abs(mean((value) => value ** 2) - 4.25)).toBeLessThan(4 * Math.sqrt(4.125 / count)); // of (2 + z / 2)^2
  expect(Math.abs(mean((value, i) => value * values[(i + 1) % count]))).toBeLessThan((4 * 4.25) / Math.sqrt(count));
});

test("events guide samples of their system's shape, and say so of others", () => {
  const calm = defineGuidance({ name: "calm", build: dynamics.lorenzEvent });
  expect(calm.forSamples([60, 3]).name).toBe("graph");
  expect(() => calm.forSamples([3])).toThrow(/trajectories \[B, L, C\]/);
  const spikes = defineGuidance({ name: "spikes", build: dynamics.fitzHughNagumoEvent });
  expect(spikes.forSamples([60, 4]).name).toBe("graph");
  expect(() => spikes.forSamples([60, 1])).toThrow(ConfigError);
});

test("an abort ends the work", async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")), 60);
  await expect(dynamics.lorenz({ count: 1_000_000, signal: controller.signal })).rejects.toThrow("enough");
});

describe("the integrator", () => {
  test("keeps to its tolerance", () => {
    for (const tolerance of [1e-6, 1e-9, 1e-12]) {
      const solution = new Solution(systems["harmonic-oscillator"]().rate, [1, 0], tolerance, 10);
      solution.advance(50);
      expect(Math.hypot(solution.state[0] - Math.cos(50), solution.state[1] + Math.sin(50))).toBeLessThan(
        50 * tolerance,
      );
    }
  });

  test("says where a solution ends", () => {
    const blowUp = new Solution(
      ([x], into) => {
        into[0] = x * x;
      },
      [1],
      1e-9,
      0.1,
    );
    expect(() => blowUp.advance(2)).toThrow(NumericError);
  });
});

test.each<[string, number[], number | undefined, new (facts: never) => Error, RegExp]>([
  ["a time before", [0.1, 0.2, 1], -1, ConfigError, /^time of advance: got -1/],
  ["no time", [0.1, 0.2, 1], Number.NaN, ConfigError, /^time of advance: got NaN/],
  ["two states", [0.1, 0.2, 1, 0.1, 0.2, 1], undefined, DataError, /^sample of advance: got "6 numbers".*expected 3/],
  ["part of a state", [0.1, 0.2], undefined, DataError, /^sample of advance: got "2 numbers"/],
  ["no number", [0.1, Number.NaN, 1], undefined, DataError, /^sample of advance: got "\[0.1, NaN, 1\]"/],
])("advance refuses %s", (_, sample, time, error, message) => {
  const asked = () => dynamics.advance("lorenz", sample, time);
  expect(asked).toThrow(error);
  expect(asked).toThrow(message);
});

test("a solution that takes too many steps says so", () => {
  const solution = new Solution(systems["harmonic-oscillator"]().rate, [1, 0], 1e-9, 1e-3);
  expect(() => solution.advance(1e12)).toThrow(/a time of 1000000000000.*1000000 steps reach/);
});

test("standardize names its choices", async () => {
  await expect(dynamics.lorenz({ count: 1, standardize: "x" as never })).rejects.toThrow(/one of true, false, channel/);
});
