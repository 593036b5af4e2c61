// Solvers on fields with closed-form solutions: orders, tolerances, stops, failures. The orders of the fixed-step ones
// are checked in test/conformance/flow-checks.ts, which checks.test.ts runs.
import { describe, expect, test } from "vitest";
import { ConfigError, NumericError, StiffnessError } from "../../src/errors.ts";
import { velocityOnly } from "../../src/flow/likelihood.ts";
import type { VelocityField } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { type Dopri5Options, dopri5, dormandPrince } from "../../src/flow/solvers/dopri5.ts";
import { euler } from "../../src/flow/solvers/euler.ts";
import { throwOnFailure } from "../../src/flow/solvers/failure.ts";
import { heun } from "../../src/flow/solvers/heun.ts";
import { names as namesOfMore, solverOfMore } from "../../src/flow/solvers/more.ts";
import { moreSolverNames, solverFrom, solverNames } from "../../src/flow/solvers/registry.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import type { SolvePlan, Solver } from "../../src/flow/solvers/solver.ts";
import { tsit5 } from "../../src/flow/solvers/tsit5.ts";
import type { NamedOptions } from "../../src/graph/options.ts";
import type { AverageVelocity, Network } from "../../src/nn/network.ts";
import { add, cos, divide, multiply, negate, sqrt, square, subtract } from "../../src/ops/arithmetic.ts";
import { solve } from "./evaluate.ts";

/** dx/dt = cos(3 t)(1 + x^2), so x(t) = tan(atan x(0) + sin(3 t) / 3). */
const tangent: VelocityField = (x, t) => multiply(cos(multiply(t, 3)), add(square(x), 1));
const tangentSolution = (x: number, from: number, to: number) =>
  Math.tan(Math.atan(x) + (Math.sin(3 * to) - Math.sin(3 * from)) / 3);

const starts = [-0.6, 0.1, 0.45, 0.3, -0.2, 0.55];

function planOf(solver: Solver, stops: readonly number[], field: VelocityField = tangent, rows = 3) {
  const path = condOT();
  // For what goes by flow maps: one whose averages are the velocities at the start, so that it is Euler's method.
  const average: AverageVelocity = {
    ...{ divergence: false, reverse: true, at: (_, x, s) => ({ velocity: field(x, s) }) },
  };
  const made = { network: { average } as unknown as Network, parameters: new Map() };
  const given = Object.assign(velocityOnly(field), { made });
  return solver.plan({ field: given, rows, dimension: starts.length / rows, estimates: 0, stops, path });
}

function errorAt(x: ArrayLike<number>, from: number, to: number): number {
  return Math.max(...starts.map((start, i) => Math.abs(x[i] - tangentSolution(start, from, to))));
}

test("dopri5's tableau: rows sum to their times, weights to 1, and the conditions of order 5 hold that are sums over b", () => {
  const { a, b, c } = dormandPrince;
  a.forEach((row, i) => {
    expect(row.reduce((x, y) => x + y, 0)).toBeCloseTo(c[i], 14);
  });
  for (let power = 0; power < 5; power++) {
    const moment = b.reduce((total, weight, i) => total + weight * c[i] ** power, 0);
    expect(moment).toBeCloseTo(1 / (power + 1), 14);
  }
  expect(a[a.length - 1]).toEqual(b.slice(0, -1));
});

describe("dopri5", () => {
  test.each([
    [0, 1],
    [1, 0],
    [0.2, 3],
  ])("from %f to %f the error is in proportion to the tolerance", (from, to) => {
    const errors = [1e-4, 1e-6, 1e-8, 1e-10].map((tolerance) => {
      const solver = dopri5({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
      const { stops, progress } = solve(planOf(solver, [from, to]), starts);
      expect(progress?.status).toBe(1);
      expect(progress?.time).toBe(to);
      return errorAt(stops[0], from, to) / tolerance;
    });
    // The tolerance is of a step; some ten steps and the field's stretching make a few of it. Steps are accepted
    // below it, so less too: within a factor 100 over 6 decades is proportional.
    for (const error of errors) {
      expect(error).toBeLessThan(20);
      expect(error).toBeGreaterThan(0.02);
    }
  });

  test("takes large steps where nothing happens, and small ones where it must", () => {
    // A pulse of width 0.01 at t = 0.5, of area pi: x(1) = x(0) + 2 atan(50).
    const pulse: VelocityField = (x, t) => add(multiply(x, 0), divide(0.01, add(square(subtract(t, 0.5)), 1e-4)));
    const { stops, progress } = solve(planOf(dopri5(), [0, 1], pulse), starts);
    starts.forEach((start, i) => {
      expect(stops[0][i]).toBeCloseTo(start + 2 * Math.atan(50), 3);
    });
    expect(progress?.accepted).toBeLessThan(120); // with equal steps it takes 400 and more
  });

  test("the step size is decided by the worst point, however many good ones there are", () => {
    const still: VelocityField = (x, t) => multiply(multiply(x, cos(multiply(t, 20))), 5);
    const alone = solve(planOf(dopri5(), [0, 1], still, 1), [1, 1, 1, 1, 1, 1]);
    const x = new Float64Array(6 * 200);
    x.fill(1, 0, 6);
    const many = solve(
      dopri5().plan({ field: velocityOnly(still), rows: 200, dimension: 6, estimates: 0, stops: [0, 1] }),
      x,
    );
    expect(many.stops[0].slice(0, 6)).toEqual(alone.stops[0]);
  });

  test("x can be read at chosen times, and stops cost no step size", () => {
    const times = [0, 0.1, 0.15, 0.5, 0.50001, 1];
    const solver = dopri5({ relativeTolerance: 1e-7, absoluteTolerance: 1e-7 });
    const { stops, progress } = solve(planOf(solver, times), starts);
    times.slice(1).forEach((time, i) => {
      expect(errorAt(stops[i], 0, time)).toBeLessThan(1e-6);
    });
    const straight = solve(planOf(solver, [0, 1]), starts).progress;
    expect(progress!.accepted).toBeLessThanOrEqual(straight!.accepted + 2 * times.length);
  });

  test("in f32 it ends too, with default tolerances and with ones below the rounding", () => {
    const { stops, progress } = solve(planOf(dopri5(), [0, 1]), starts, 1, "f32");
    expect(progress?.status).toBe(1);
    expect(errorAt(stops[0], 0, 1)).toBeLessThan(1e-4);
    const tight = dopri5({ relativeTolerance: 1e-7, absoluteTolerance: 1e-7, maximumSteps: 3000 });
    const result = solve(planOf(tight, [1, 0]), starts, 1, "f32");
    if (result.progress?.status === 1) expect(errorAt(result.stops[0], 1, 0)).toBeLessThan(1e-4);
    else expect([2, 3]).toContain(result.progress?.status);
  });

  describe("fails", () => {
    const failure = (field: VelocityField, options: Dopri5Options) => {
      const { progress } = solve(planOf(dopri5(options), [0, 1], field), starts);
      return () => throwOnFailure(progress!);
    };
    // dx/dt = 1e7 (cos t - x): the stable step of an explicit method is 3e-7, below minimumStep.
    const stiff: VelocityField = (x, t) => multiply(subtract(cos(t), x), 1e7);
    // dx/dt = x^2 from x > 2 has a pole before t = 0.5.
    const blowUp: VelocityField = (x) => square(add(x, 3));

    test("with a StiffnessError where it needs smaller steps than minimumStep", () => {
      expect(failure(stiff, { minimumStep: 1e-5 })).toThrow(StiffnessError);
      expect(failure(stiff, { minimumStep: 1e-5 })).toThrow(/minimumStep/);
    });

    test("with a StiffnessError after maximumSteps attempts", () => {
      expect(failure(tangent, { maximumSteps: 3 })).toThrow(StiffnessError);
      expect(failure(tangent, { maximumSteps: 3 })).toThrow(/3 steps accepted, 0 rejected|rejected/);
      const { progress } = solve(planOf(dopri5({ maximumSteps: 3 }), [0, 1]), starts);
      expect(progress!.accepted + progress!.rejected).toBe(3);
    });

    test("at a pole, naming the time", () => {
      expect(failure(blowUp, {})).toThrow(/solve at t = 0\.\d+/);
    });

    test("with a NumericError where the field is not finite", () => {
      const nan: VelocityField = (x, t) => divide(x, subtract(t, t));
      expect(failure(nan, {})).toThrow(NumericError);
      const later: VelocityField = (x, t) => multiply(x, sqrt(subtract(0.5, t)));
      expect(failure(later, {})).toThrow(NumericError);
      expect(failure(later, {})).toThrow(/t = 0\.(5|49)/);
    });

    test("and stays as it was: x at the last accepted step, whatever runs follow", () => {
      const plan = planOf(dopri5({ maximumSteps: 3 }), [0, 1]);
      const { stops, progress } = solve(plan, starts);
      expect(errorAt(stops[0], 0, progress!.time)).toBeLessThan(1e-4);
      expect(progress!.time).toBeGreaterThan(0);
    });

    test("no error for a solve that went well or goes on", () => {
      for (const status of [0, 1] as const) {
        expect(() => throwOnFailure({ status, time: 0, stepSize: 1, accepted: 1, rejected: 0 })).not.toThrow();
      }
    });
  });
});

describe("every solve ends", () => {
  /** With a limit: a test that hangs says nothing. */
  const ended = (solver: Solver, stops: readonly number[], field = tangent) => {
    const plan = planOf(solver, stops, field);
    return solve({ ...plan, progress: plan.progress && limited(plan.progress) }, starts, 1, "f32");
  };
  const limited = (progress: NonNullable<SolvePlan["progress"]>) => {
    let runs = 0;
    return {
      ...progress,
      read: (values: ArrayLike<number>) => {
        if (++runs > 10 * progress.mostRuns) throw new Error("more runs than any solve takes");
        return progress.read(values);
      },
    };
  };
  const limit = { maximumSteps: 300 };

  test.each([
    ["0 in f32", [0, Number.MIN_VALUE, 1]],
    ["0 in f32, three times", [0, 1e-60, 1e-50, 1e-46, 1]],
    ["equal in f32", [0, 0.5, 0.5 + 1e-12, 0.5 + 2e-12, 1]],
    ["equal in f32 at the end", [0, 1 - 1e-12, 1]],
    ["subnormal", [0, 1e-42, 1]],
    ["equal in f32 and falling", [1, 1 - 1e-12, 1e-50, 0]],
  ])("when a stop is %s", (_, stops) => {
    for (const solver of [dopri5(limit), tsit5(limit), euler({ steps: 40 }), rk4({ steps: 9 })]) {
      const solution = ended(solver, stops);
      expect(solution.stops).toHaveLength(stops.length - 1);
      if (solution.progress) expect(solution.progress).toMatchObject({ status: 1, time: stops.at(-1) });
      // A stop that is where the one before is changes nothing.
      stops.slice(1).forEach((stop, i) => {
        if (i > 0 && Math.fround(stop) === Math.fround(stops[i])) {
          expect(solution.stops[i]).toEqual(solution.stops[i - 1]);
        }
      });
      const [first, last] = [stops[0], stops[stops.length - 1]];
      const error = errorAt(solution.stops[stops.length - 2], first, last);
      expect(error).toBeLessThan(solver.name === "euler" ? 0.05 : 1e-3);
    }
  });

  test("when all stops are one time in f32, at the start", () => {
    const { stops, progress } = ended(dopri5(limit), [0.5, 0.5 + 1e-12]);
    expect(progress?.status).toBe(1);
    expect([...stops[0]]).toEqual(starts.map(Math.fround));
  });

  test("when steps are lost beside the time: it fails, and says why", () => {
    // At t = 1000 an f32 holds 1/16384; the field needs steps below that.
    const fast: VelocityField = (x, t) => multiply(x, multiply(cos(multiply(t, 1e6)), 1e6));
    const { progress } = ended(dopri5({ ...limit, minimumStep: 1e-30 }), [1000, 1001], fast);
    expect([2, 3]).toContain(progress?.status);
    expect(() => throwOnFailure(progress!)).toThrow(StiffnessError);
  });

  test.each([1e-30, 1.2e-38])(
    "a tolerance of %f is met or not; no velocity is called infinite",
    (absoluteTolerance) => {
      const field: VelocityField = (x, t) => multiply(add(x, 1), cos(t));
      const solver = dopri5({ ...limit, absoluteTolerance, relativeTolerance: 1e-30 });
      const plan = planOf(solver, [0, 1], field);
      const { progress } = solve(
        plan,
        starts.map(() => 0),
        1,
        "f32",
      );
      expect([2, 3]).toContain(progress?.status);
      expect(() => throwOnFailure(progress!)).toThrow(StiffnessError);
    },
  );

  test("points at 0 that stay there are solved, however small the tolerances", () => {
    const solver = dopri5({ ...limit, absoluteTolerance: 1.2e-38, relativeTolerance: 1.2e-38 });
    const { stops, progress } = solve(
      planOf(solver, [0, 1], (x) => x),
      starts.map(() => 0),
      1,
      "f32",
    );
    expect(progress?.status).toBe(1);
    expect([...stops[0]]).toEqual(starts.map(() => 0));
  });

  test("a step whose end is infinite is refused, its error being finite or not", () => {
    const grow: VelocityField = (x) => multiply(add(multiply(x, 0), 3e38), 1);
    const { progress } = solve(planOf(dopri5(limit), [0, 10], grow), starts, 1, "f32");
    expect(() => throwOnFailure(progress!)).toThrow(NumericError);
  });
});

describe("solvers with fixed steps", () => {
  test("the steps are spread over the intervals, and x is right at every stop", () => {
    const times = [0, 0.25, 0.3, 1];
    const plan = planOf(rk4({ steps: 40 }), times);
    expect(plan.segments.map(({ steps }) => steps)).toEqual([10, 2, 28]);
    const { stops } = solve(plan, starts);
    times.slice(1).forEach((time, i) => {
      expect(errorAt(stops[i], 0, time)).toBeLessThan(1e-5);
    });
  });

  test("with as many stops as steps, the stops are the grid", () => {
    const times = [1, 0.9, 0.2, 0];
    const plan = planOf(euler({ steps: 3 }), times);
    expect(plan.initial.get("solve.intervals")).toEqual([1, 0.9, 0.9, 0.2, 0.2, 0]);
    let x = starts;
    times.slice(1).forEach((time, i) => {
      const from = times[i];
      x = x.map((value) => value + (time - from) * Math.cos(3 * from) * (1 + value * value));
    });
    const { stops } = solve(plan, starts);
    stops[2].forEach((value, i) => {
      expect(value).toBeCloseTo(x[i], 12);
    });
  });

  test("stages at a step's end are taken at the end itself, also in f32", () => {
    // 1 / (1 + 2^-23 - t): positive up to t = 1, and past it no more.
    const field: VelocityField = (x, t) => add(multiply(x, 0), divide(1, negate(subtract(t, 1 + 2 ** -23))));
    for (const solver of [heun({ steps: 7 }), rk4({ steps: 7 })]) {
      const { stops } = solve(planOf(solver, [0, 1], field), starts, 1, "f32");
      for (const value of stops[0]) expect(value).toBeGreaterThan(0);
    }
  });
});

test("solvers of divflow/flows are those whose names cross to workers", () => {
  expect(namesOfMore).toEqual(moreSolverNames);
});

const made = (named: NamedOptions) => (solverNames.includes(named.name) ? solverFrom(named) : solverOfMore(named));

/** Options of those that have no default. */
const needed: Record<string, NamedOptions["options"]> = {
  "on-grid": { solver: { name: "heun", options: { steps: 9 } }, grid: [0, 0.3, 0.4, 1] },
};

describe.each([...solverNames, ...namesOfMore])("%s", (name) => {
  test("has its name, and is made again of its options", () => {
    const solver = made({ name, options: needed[name] ?? {} });
    expect(solver.name).toBe(name);
    const again = made(JSON.parse(JSON.stringify({ name, options: solver.options })));
    expect(again.options).toEqual(solver.options);
    expect(solve(planOf(again, [0, 1]), starts).stops).toEqual(solve(planOf(solver, [0, 1]), starts).stops);
  });

  test.each([[[0]], [[0, 0]], [[0, 1, 0.5]], [[0, Number.NaN]], [[]]])("refuses stops %j", (stops) => {
    const solver = made({ name, options: needed[name] ?? {} });
    expect(() => planOf(solver, stops)).toThrow(ConfigError);
    expect(() => planOf(solver, stops)).toThrow("stops of a solve: got ");
  });
});

test.each<[string, () => unknown]>([
  ["steps of euler", () => euler({ steps: 0 })],
  ["steps of heun", () => heun({ steps: 2.5 })],
  ["steps of rk4", () => rk4({ steps: 1e7 })],
  ["relativeTolerance of dopri5", () => dopri5({ relativeTolerance: 0 })],
  ["absoluteTolerance of dopri5", () => dopri5({ absoluteTolerance: -1 })],
  ["minimumStep of dopri5", () => dopri5({ minimumStep: 1 })],
  ["relativeTolerance of dopri5", () => dopri5({ relativeTolerance: 1e-50 })],
  ["absoluteTolerance of dopri5", () => dopri5({ absoluteTolerance: 1e-50 })],
  ["absoluteTolerance of dopri5", () => dopri5({ absoluteTolerance: 1e-40 })],
  ["absoluteTolerance of dopri5", () => dopri5({ absoluteTolerance: 1e39 })],
  ["minimumStep of dopri5", () => dopri5({ minimumStep: 1e-60 })],
  ["minimumStep of dopri5", () => dopri5({ minimumStep: 1 - 1e-12 })],
  ["maximumSteps of dopri5", () => dopri5({ maximumSteps: 2 ** 24 })],
  ["solver", () => solverFrom({ name: "rk45", options: {} })],
  ["options of rk4", () => solverFrom({ name: "rk4", options: { step: 4 } })],
])("a wrong %s is refused", (subject, make) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(`${subject}: got `);
});
