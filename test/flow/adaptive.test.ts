// Solvers that choose their steps: conditions on their tableaus, by rooted trees; solutions against closed forms; points
// read within steps.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { velocityOnly } from "../../src/flow/likelihood.ts";
import type { VelocityField } from "../../src/flow/losses/loss.ts";
import type { AdaptiveOptions, EmbeddedMethod } from "../../src/flow/solvers/adaptive.ts";
import { adaptiveHeun, heunEuler } from "../../src/flow/solvers/adaptive-heun.ts";
import { dormandPrinceMethod } from "../../src/flow/solvers/dopri5.ts";
import type { Solver } from "../../src/flow/solvers/solver.ts";
import { denseWeights, tsit5, tsitouras } from "../../src/flow/solvers/tsit5.ts";
import { add, cos, multiply, square } from "../../src/ops/arithmetic.ts";
import { solve } from "./evaluate.ts";

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** Of each rooted tree with at most `order` vertices: its vertices, elementary weights by stage, and its density. */
function trees({ a, c }: EmbeddedMethod["tableau"], order: number) {
  const A = (x: readonly number[]) => a.map((row) => dot(row, x));
  const by = (...factors: readonly number[][]) =>
    c.map((_, i) => factors.reduce((product, factor) => product * factor[i], 1));
  const all: [vertices: number, weights: number[], density: number][] = [
    [1, c.map(() => 1), 1],
    [2, [...c], 2],
    [3, by([...c], [...c]), 3],
    [3, A(c), 6],
    [4, c.map((x) => x ** 3), 4],
    [4, by([...c], A(c)), 8],
    [4, A(c.map((x) => x * x)), 12],
    [4, A(A(c)), 24],
    [5, c.map((x) => x ** 4), 5],
    [5, by([...c], [...c], A(c)), 10],
    [5, by(A(c), A(c)), 20],
    [5, by([...c], A(c.map((x) => x * x))), 15],
    [5, by([...c], A(A(c))), 30],
    [5, A(c.map((x) => x ** 3)), 20],
    [5, A(by([...c], A(c))), 40],
    [5, A(A(c.map((x) => x * x))), 60],
    [5, A(A(A(c))), 120],
  ];
  return all.filter(([vertices]) => vertices <= order);
}

const methods: Record<string, [EmbeddedMethod, order: number, embedded: number]> = {
  dopri5: [dormandPrinceMethod, 5, 4],
  tsit5: [tsitouras, 5, 4],
  "adaptive-heun": [heunEuler, 2, 1],
};

describe.each(Object.entries(methods))("%s's tableau", (_, [{ tableau, errorWeights }, order, embedded]) => {
  const { a, b, c } = tableau;

  test("is of its order, and the method beside it of its own", () => {
    a.forEach((row, i) => {
      expect(
        dot(
          row,
          row.map(() => 1),
        ),
      ).toBeCloseTo(c[i], 13);
    });
    for (const [, weights, density] of trees(tableau, order)) expect(dot(b, weights)).toBeCloseTo(1 / density, 13);
    const beside = b.map((weight, i) => weight - errorWeights[i]);
    for (const [, weights, density] of trees(tableau, embedded)) {
      expect(dot(beside, weights)).toBeCloseTo(1 / density, 13);
    }
    // Of no higher order: else the estimate would be none.
    const next = trees(tableau, embedded + 1).filter(([vertices]) => vertices > embedded);
    const most = Math.max(...next.map(([, weights, density]) => Math.abs(dot(beside, weights) - 1 / density)));
    expect(most).toBeGreaterThan(1e-4);
  });

  test("ends with the first stage of the next step", () => {
    expect(a[a.length - 1]).toEqual(b.slice(0, -1));
    expect([b.at(-1), c.at(-1)]).toEqual([0, 1]);
  });
});

test("tsit5 is of order 4 within a step, and ends at its end", () => {
  for (const theta of [0, 0.2, 0.5, 0.9, 1]) {
    const b = denseWeights.map((row) => dot(row, [theta, theta ** 2, theta ** 3, theta ** 4]));
    for (const [vertices, weights, density] of trees(tsitouras.tableau, 4)) {
      expect(dot(b, weights)).toBeCloseTo(theta ** vertices / density, 12);
    }
    if (theta < 1) continue;
    for (const [i, weight] of tsitouras.tableau.b.entries()) expect(b[i]).toBeCloseTo(weight, 13);
  }
});

/** dx/dt = cos(3 t)(1 + x^2), so x(t) = tan(atan x(0) + sin(3 t) / 3). */
const tangent: VelocityField = (x, t) => multiply(cos(multiply(t, 3)), add(square(x), 1));
const solution = (x: number, from: number, to: number) =>
  Math.tan(Math.atan(x) + (Math.sin(3 * to) - Math.sin(3 * from)) / 3);
const starts = [-0.6, 0.1, 0.45, 0.3, -0.2, 0.55];
const planOf = (solver: Solver, stops: readonly number[]) =>
  solver.plan({ field: velocityOnly(tangent), rows: 3, dimension: 2, estimates: 0, stops });
const errorAt = (x: ArrayLike<number>, from: number, to: number) =>
  Math.max(...starts.map((start, i) => Math.abs(x[i] - solution(start, from, to))));
const within = (make: (options: AdaptiveOptions) => Solver, tolerance: number) =>
  make({ relativeTolerance: tolerance, absoluteTolerance: tolerance });

describe.each([
  ["tsit5", tsit5, [1e-4, 1e-6, 1e-8, 1e-10]],
  ["adaptive-heun", adaptiveHeun, [1e-2, 1e-3, 1e-4, 1e-5]],
] as const)("%s", (_, make, tolerances) => {
  test.each([
    [0, 1],
    [1, 0],
    [0.2, 3],
  ])("from %f to %f the error is in proportion to the tolerance", (from, to) => {
    for (const tolerance of tolerances) {
      const { stops, progress } = solve(planOf(within(make, tolerance), [from, to]), starts);
      expect(progress).toMatchObject({ status: 1, time: to });
      const error = errorAt(stops[0], from, to) / tolerance;
      expect(error).toBeLessThan(30);
      expect(error).toBeGreaterThan(0.02);
    }
  });

  test("in f32 it ends too", () => {
    const { stops, progress } = solve(
      planOf(make({ relativeTolerance: 1e-4, absoluteTolerance: 1e-4 }), [1, 0]),
      starts,
      1,
      "f32",
    );
    expect(progress?.status).toBe(1);
    expect(errorAt(stops[0], 1, 0)).toBeLessThan(3e-3);
  });

  test("has its name, and refuses wrong options under it", () => {
    const solver = make({});
    expect(() => make({ relativeTolerance: 0 })).toThrow(`relativeTolerance of ${solver.name}: got `);
    expect(() => make({ maximumSteps: 2 ** 24 })).toThrow(ConfigError);
  });
});

describe("within steps", () => {
  const times = Array.from({ length: 41 }, (_, i) => (3 * i) / 40);

  test.each([
    ["rising", times],
    ["falling", [...times].reverse()],
    ["close together", [0, 1e-3, 1.0001e-3, 1.0002e-3, 0.5, 0.50001, 3]],
    ["where f32 sees none", [0, 1e-60, 1e-50, 0.5, 0.5 + 1e-13, 3]],
  ])("tsit5 gives points at times that are %s, for no more steps", (_, stops) => {
    const tolerance = 1e-8;
    const solver = within(tsit5, tolerance);
    const read = solve(planOf(solver, stops), starts);
    const straight = solve(planOf(solver, [stops[0], stops[stops.length - 1]]), starts);
    expect(read.progress).toEqual(straight.progress);
    expect(read.stops.at(-1)).toEqual(straight.stops[0]);
    stops.slice(1).forEach((time, i) => {
      // The polynomial is of order 4, the method of 5.
      expect(errorAt(read.stops[i], stops[0], time)).toBeLessThan(1e-6);
    });
  });

  test("it begins anew with each solve", () => {
    const plan = planOf(tsit5(), [0, 1e-60, 1, 2]);
    const first = solve(plan, starts);
    expect([...first.stops[0]]).toEqual(starts);
    expect(solve(plan, starts)).toEqual(first);
  });

  test("in f32 as well", () => {
    const { stops } = solve(planOf(tsit5(), times), starts, 1, "f32");
    times.slice(1).forEach((time, i) => {
      expect(errorAt(stops[i], 0, time)).toBeLessThan(2e-4);
    });
  });
});
