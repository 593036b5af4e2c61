// Grids of fixed steps: solvers keep their order on smooth ones, end where grid and stops say, and refuse what is no grid.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { velocityOnly } from "../../src/flow/likelihood.ts";
import type { VelocityField } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { flowMapSteps } from "../../src/flow/solvers/flow-map.ts";
import { heun } from "../../src/flow/solvers/heun.ts";
import { solverOfMore } from "../../src/flow/solvers/more.ts";
import { onGrid } from "../../src/flow/solvers/on-grid.ts";
import { solverFrom } from "../../src/flow/solvers/registry.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import { eulerMaruyama, stochasticHeun } from "../../src/flow/solvers/sde.ts";
import type { Solver } from "../../src/flow/solvers/solver.ts";
import { cosineTimes, karrasTimes, midpointTimes } from "../../src/flow/solvers/times.ts";
import type { Runtime } from "../../src/index.ts";
import { add, cos, multiply, square } from "../../src/ops/arithmetic.ts";
import { smallOptions, withRuntime } from "../engine/small.ts";
import { remoteEngine } from "../engine/worker.ts";
import { numbers, solve, valuesOf } from "./evaluate.ts";

/** dx/dt = cos(3 t)(1 + x^2), so x(t) = tan(atan x(0) + sin(3 t) / 3). */
const tangent: VelocityField = (x, t) => multiply(cos(multiply(t, 3)), add(square(x), 1));
const solution = (x: number, from: number, to: number) =>
  Math.tan(Math.atan(x) + (Math.sin(3 * to) - Math.sin(3 * from)) / 3);
const starts = [-0.6, 0.1, 0.45];

function planOf(name: string, grid: ArrayLike<number>, stops: readonly number[]) {
  const solver = onGrid(solverFrom({ name, options: {} }), grid);
  return solver.plan({ field: velocityOnly(tangent), rows: 3, dimension: 1, estimates: 0, stops });
}

const orders = { euler: 1, midpoint: 2, heun: 2, rk4: 4 } as const;
const grids: Record<string, (steps: number) => number[]> = {
  cosine: cosineTimes,
  midpoints: (steps) => midpointTimes(steps + 1),
  karras: (steps) => karrasTimes(steps, ve({ sigmaMin: 0.05, sigmaMax: 20 })),
  squares: (steps) => Array.from({ length: steps + 1 }, (_, k) => (k / steps) ** 2),
};

describe.each(Object.entries(grids))("%s", (_, gridOf) => {
  test.each(Object.entries(orders))("%s keeps its order, forwards and backwards", (name, order) => {
    const steps = { 1: 400, 2: 100, 4: 96 }[order];
    for (const backwards of [false, true]) {
      const errors = [steps, 2 * steps].map((count) => {
        const grid = gridOf(count);
        const ends = [grid[0], grid[count]] as const;
        const [from, to] = backwards ? [ends[1], ends[0]] : ends;
        const { stops } = solve(planOf(name, grid, backwards ? [1, 0] : [0, 1]), starts);
        return Math.max(...starts.map((start, i) => Math.abs(stops[0][i] - solution(start, from, to))));
      });
      expect(Math.abs(Math.log2(errors[0] / errors[1]) - order)).toBeLessThan(0.25);
    }
  });

  test("times rise within [0, 1]", () => {
    const times = gridOf(17);
    expect(times.length).toBe(18);
    expect(times.every((time, i) => time >= 0 && time <= 1 && (i === 0 || time > times[i - 1]))).toBe(true);
  });
});

test("the equal grid gives the bits of as many steps", () => {
  const grid = Array.from({ length: 11 }, (_, k) => k / 10);
  const plain = solverFrom({ name: "heun", options: { steps: 10 } });
  const plan = plain.plan({ field: velocityOnly(tangent), rows: 3, dimension: 1, estimates: 0, stops: [0, 1] });
  expect(solve(planOf("heun", grid, [0, 1]), starts).stops).toEqual(solve(plan, starts).stops);
});

test("cosine and Karras grids begin at 0 and end at 1, midpoints half a part within", () => {
  expect([cosineTimes(7)[0], cosineTimes(7)[7]]).toEqual([0, 1]);
  expect(cosineTimes(4)[2]).toBeCloseTo(0.5, 15);
  expect(midpointTimes(4)).toEqual([0.125, 0.375, 0.625, 0.875]);
  for (const path of [condOT(), vp(), ve(), cosine()]) {
    for (const steps of [1, 2, 18]) {
      const times = karrasTimes(steps, path);
      expect([times[0], times[steps], times.length]).toEqual([0, 1, steps + 1]);
      expect(times.every((time, i) => i === 0 || time > times[i - 1])).toBe(true);
    }
  }
});

test.each<[string, PathScheduler]>([
  ["cond-ot", condOT()],
  ["vp", vp()],
  ["ve", ve({ sigmaMin: 1e-3, sigmaMax: 100 })],
])("Karras's times on %s have his ratios of noise to data", (_, path) => {
  const [steps, rho] = [10, 7];
  const times = karrasTimes(steps, path, { rho });
  const { alpha, sigma } = path.at(numbers(times, [steps + 1, 1]));
  const [a, s] = valuesOf([alpha, sigma]);
  const most = Math.min(80, s[0] / a[0]);
  for (let k = 1; k < steps; k++) {
    const root = most ** (1 / rho) + (k / (steps - 1)) * (0.002 ** (1 / rho) - most ** (1 / rho));
    expect(s[k] / a[k] / root ** rho).toBeCloseTo(1, 8);
  }
});

test("stops between are met exactly, those outside the grid are its ends, and no step is taken to them", () => {
  const grid = [0.1, 0.2, 0.5, 0.9];
  const plan = planOf("euler", grid, [0, 0.05, 0.1, 0.3, 0.5, 0.95, 1]);
  expect(plan.segments.map(({ steps }) => steps)).toEqual([0, 0, 2, 1, 1, 0]);
  expect(plan.initial.get("solve.intervals")).toEqual([0.1, 0.2, 0.2, 0.3, 0.3, 0.5, 0.5, 0.9]);
  const back = planOf("euler", grid, [1, 0.3, 0]);
  expect(back.segments.map(({ steps }) => steps)).toEqual([2, 2]);
  expect(back.initial.get("solve.intervals")).toEqual([0.9, 0.5, 0.5, 0.3, 0.3, 0.2, 0.2, 0.1]);
});

test("a model's samples, trajectories, log-densities and noise come by a grid, by the kernel of whole networks or not", async () => {
  await withRuntime("wasm", async (runtime) => {
    const { model } = await runtime.createTrainer(smallOptions());
    const grid = Float64Array.from({ length: 9 }, (_, k) => k / 8);
    const [even, same] = [rk4({ steps: 8 }), onGrid(rk4(), grid)];
    const all = async (solver: typeof even) => [
      await model.sample({ count: 3, solver }).then(({ values }) => values),
      (await model.logDensity([0.1, 0.2], { solver })).values,
      (await model.encode([0.1, 0.2], { solver })).values,
    ];
    expect(await all(same)).toEqual(await all(even));
    const noise = [0.3, -0.4];
    const cut = await model.sample({ noise, solver: onGrid(rk4(), [0.25, 0.5, 0.75]), times: [0, 0.1, 0.5, 0.8, 1] });
    const at = (i: number) => [...(cut.trajectory?.values.slice(2 * i, 2 * i + 2) ?? [])];
    expect(at(0)).toEqual(noise.map(Math.fround));
    expect(at(1)).toEqual(at(0));
    expect(at(2)).not.toEqual(at(1));
    expect(at(4)).toEqual(at(3));
    for (const solver of [onGrid(eulerMaruyama(), midpointTimes(6)), onGrid(stochasticHeun(), cosineTimes(5))]) {
      const { values } = await model.sample({ count: 2, solver });
      expect(values.every(Number.isFinite)).toBe(true);
    }
  });
});

test.each([[[0, 0.6, 0.5, 1]], [[0, 0.5, 0.5, 1]], [[0]], [[-0.1, 1]], [[0, 1.5]], [[0, Number.NaN, 1]], [undefined]])(
  "the grid %o is refused",
  (grid) => {
    const make = () => onGrid(heun(), grid as number[]);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow("grid of onGrid: got ");
  },
);

test("solvers that choose their steps, or are none, have no grid", () => {
  for (const solver of [dopri5(), flowMapSteps(), undefined as unknown as Solver]) {
    expect(() => onGrid(solver, [0, 1])).toThrow("solver of onGrid: got ");
  }
});

test("name and options make it again, of solvers of either entry, and a worker's samples are the same", async () => {
  for (const solver of [onGrid(heun(), [0, 0.3, 1]), onGrid(eulerMaruyama({ diffusion: (t) => t }), cosineTimes(5))]) {
    const again = solverOfMore(JSON.parse(JSON.stringify({ name: solver.name, options: solver.options })));
    expect(again.options).toEqual(solver.options);
  }
  const samples = async (runtime: Runtime) => {
    const { model } = await runtime.createTrainer(smallOptions());
    return (await model.sample({ count: 3, solver: onGrid(heun(), midpointTimes(5)), seed: 2 })).values;
  };
  const here = await withRuntime("wasm", samples);
  using engine = await remoteEngine("wasm");
  expect(await samples(engine.runtime)).toEqual(here);
});

test("what is no option of a grid is refused", () => {
  expect(() => karrasTimes(8, condOT(), { rho: 0 })).toThrow("rho of karrasTimes: got 0");
  expect(() => karrasTimes(8, ve(), { sigmaMax: 1e-3 })).toThrow("sigmaMax of karrasTimes: got 0.001");
  expect(() => karrasTimes(8, undefined as unknown as PathScheduler)).toThrow("path of karrasTimes: got ");
  expect(() => midpointTimes(1)).toThrow("count of midpointTimes: got 1");
  expect(() => cosineTimes(0)).toThrow("steps of cosineTimes: got 0");
});

test("a grid that is refused is printed as it is", () => {
  expect(() => onGrid(heun(), [0, Number.NaN, 1])).toThrow(/got "?\[0, NaN, 1\]/);
});
