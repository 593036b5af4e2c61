// The Dirichlet path's factor: in f64 against quadrature of its definition, and its tables against f64.
import { expect, test } from "vitest";
import { outputOf } from "../../../src/engine/cases/case.ts";
import { LARGEST_CONCENTRATION } from "../../../src/flow/simplex/concentrations.ts";
import { dirichletFactor } from "../../../src/flow/simplex/dirichlet-factor.ts";
import { factorNodes, slopeNodes } from "../../../src/flow/simplex/factor-nodes.ts";
import { factorTable } from "../../../src/flow/simplex/factor-table.ts";
import { state } from "../../../src/ops/sources.ts";
import { runGraph } from "../evaluate.ts";

/** psi by its asymptotic series, moved up until that holds. */
function digamma(x: number): number {
  if (x < 12) return digamma(x + 1) - 1 / x;
  const i = 1 / (x * x);
  return Math.log(x) - 0.5 / x - i * (1 / 12 - i * (1 / 120 - i * (1 / 252 - i * (1 / 240 - i / 132))));
}

/** The integral of f(from the left end, from the right end) over [from, to] by tanh and sinh: ends may be singular. */
function integral(f: (s: number) => number, from: number, to: number): number {
  const half = (to - from) / 2;
  let sum = 0;
  for (let k = -400; k <= 400; k++) {
    const t = k / 64;
    const u = (Math.PI / 2) * Math.sinh(t);
    const nearer = Math.exp(-Math.abs(u)) / Math.cosh(u); // 1 - |tanh u|
    const s = u < 0 ? from + half * nearer : to - half * nearer;
    const weight = ((Math.PI / 2) * Math.cosh(t)) / Math.cosh(u) ** 2;
    if (weight > 0 && s > from && s < to) sum += weight * f(s);
  }
  return (sum * half) / 64;
}

function byQuadrature(x: number, a: number, letters: number): number {
  const b = letters - 1;
  const shift = digamma(a) - digamma(a + b);
  // Divided by the integrand's size at x, so that nothing underflows.
  const f = (s: number) =>
    Math.exp((a - 1) * Math.log(s / x) + (b - 1) * Math.log((1 - s) / (1 - x))) * (Math.log(s) - shift);
  const integrated = x < a / (a + b) ? integral(f, 0, x) : -integral(f, x, 1);
  return -integrated / (1 - x);
}

const letterCounts = [2, 3, 4, 5, 20, 40, 80, 256];
const concentrations = [1, 1.0001, 1.5, 2, 3.7, 8, 10, LARGEST_CONCENTRATION];
const points = [1e-6, 1e-5, 3e-4, 0.002, 0.0124, 0.0126, 0.03, 0.1, 0.24, 0.26, 0.4, 0.5, 0.6, 0.8, 0.95, 0.999];

test.each(letterCounts)("C is the quadrature of its definition, %i letters", (letters) => {
  for (const a of concentrations) {
    for (const x of points) {
      const { factor, ratio } = dirichletFactor(x, a, letters);
      // 1 - s is rounded near the right end: quadrature is the one that is off.
      expect(Math.abs(factor / byQuadrature(x, a, letters) - 1), `x ${x}, a ${a}`).toBeLessThan(2e-10);
      expect(ratio * x).toBeCloseTo(factor, 14);
    }
  }
});

test.each(letterCounts)("dC/dx is its derivative, %i letters", (letters) => {
  for (const a of concentrations) {
    for (const x of points) {
      const h = 2e-4 * Math.min(x, 1 - x, 1 / letters);
      const at = (i: number) => dirichletFactor(x + i * h, a, letters).factor;
      const difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
      const { factor, slope } = dirichletFactor(x, a, letters);
      // Truncation is h^4, rounding 1e-15 C / h.
      const bound = 1e-8 * slope + (1e-14 * factor) / h;
      expect(Math.abs(difference - slope), `x ${x}, a ${a}`).toBeLessThan(bound);
    }
  }
});

test("the limits are exact: 0 at x = 0, (psi(a+K-1) - psi(a))/(K-1) at x = 1", () => {
  for (const letters of letterCounts) {
    for (const a of concentrations) {
      expect(dirichletFactor(0, a, letters).factor).toBe(0);
      const { factor, slope } = dirichletFactor(1, a, letters);
      const b = letters - 1;
      const limit = (digamma(a + b) - digamma(a)) / b;
      expect(factor / limit).toBeCloseTo(1, 12);
      // From the series of C in powers of 1 - x, put into its differential equation.
      expect(slope / ((1 - (a - 1) * limit) / (b + 1))).toBeCloseTo(1, 10);
    }
  }
});

// In f64 what is left is what the tables cut off; in f32 the roundings of some thirty operations, none of which cancels.
test.each(letterCounts.flatMap((letters) => [[letters, "f64", 5e-9] as const, [letters, "f32", 1e-6] as const]))(
  "tables of %i letters give C, C/x and dC/dx in %s, each value within %f of itself",
  (letters, precision, tolerance) => {
    const xs = [...points, 1e-12, 1e-9, 1 - 2 ** -20, 1, 1 / letters, 0.999 / letters, 1.001 / letters].map(
      Math.fround,
    );
    const times = concentrations.map(Math.fround);
    const shape = [times.length, xs.length] as const;
    const x = state({ name: "x", shape, dtype: "f32" });
    const a = state({ name: "a", shape: [times.length, 1], dtype: "f32" });
    const tables = factorTable(letters);
    const nodes = { ...factorNodes(tables, x, a), slope: slopeNodes(tables, x, a) };
    const values = new Map<string, ArrayLike<number>>([
      ["x", times.flatMap(() => xs)],
      ["a", times],
    ]);
    const updates = Object.entries(nodes).map(([name, node]) => outputOf(name, node));
    runGraph({ name: "factor", updates }, values, precision);
    for (const name of ["factor", "ratio", "slope"] as const) {
      times.forEach((time, i) => {
        xs.forEach((point, j) => {
          const value = values.get(name)?.[i * xs.length + j] as number;
          const error = Math.abs(value / dirichletFactor(point, time, letters)[name] - 1);
          expect(error, `${name} at x ${point}, a ${time}`).toBeLessThan(tolerance);
        });
      });
    }
  },
);

test.each([
  [Number.NaN, 2, 4, /^x of dirichletFactor/],
  [2, 2, 4, /^x of dirichletFactor/],
  [0.5, 0, 4, /^a of dirichletFactor/],
  [0.5, 2, 1, /^letters of dirichletFactor/],
  [0.5, 2, 4.5, /^letters of dirichletFactor/],
])("refuses x %d, a %d, %d letters", (x, a, letters, message) => {
  expect(() => dirichletFactor(x, a, letters)).toThrow(message);
});
