/** The Dirichlet path's factor as nodes: f32 on devices, from the tables of factor-table.ts. */
import type { Node, Shape } from "../../graph/node.ts";
import { add, divide, less, log, maximum, minimum, multiply, select, sqrt, subtract } from "../../ops/arithmetic.ts";
import { sum } from "../../ops/reduce.ts";
import { reshape, slice } from "../../ops/shape.ts";
import { table } from "../../ops/sources.ts";
import { concentrationVariable, type FactorTable, type Polynomial } from "./factor-table.ts";

/** Of the shape of x. */
export interface FactorNodes {
  /** C(x, a): 0 at x = 0. */
  readonly factor: Node;
  /** C / x, of an x of at least {@link LEAST}. */
  readonly ratio: Node;
}

/** Smaller coordinates have the logarithm of this one: f32 is normal from 1.2e-38 up. */
export const LEAST = 1e-37;

/**
 * C(x, a) and C / x, to 1e-6 of their values for a in [1, 10] and x from 1e-6 to 1 (2e-6 for a up to 36).
 *
 * @param x - [B, ...], in [0, 1].
 * @param a - [B, 1], from 1 to {@link LARGEST_CONCENTRATION}.
 */
export function factorNodes(tables: FactorTable, x: Node, a: Node): FactorNodes {
  const at = placesOf(tables, x);
  const [first, rest] = tables.low.ratio;
  const [p, r, high] = evaluated(
    [
      [first, at.low],
      [rest, at.low],
      [tables.high.ratio, at.high],
    ],
    a,
  ) as [Node, Node, Node];
  const [perA, perRoot] = scales(a, x.shape);
  const low = multiply(add(multiply(at.w, p), r), perA);
  const root = sqrt(at.positive);
  const scaled = multiply(high, perRoot);
  return {
    factor: select(at.isLow, multiply(x, low), multiply(scaled, root)),
    ratio: select(at.isLow, low, divide(scaled, root)),
  };
}

/** dC/dx, as {@link factorNodes} gives C. */
export function slopeNodes(tables: FactorTable, x: Node, a: Node): Node {
  const at = placesOf(tables, x);
  const [first, rest] = tables.low.slope;
  const [p, r, high] = evaluated(
    [
      [first, at.low],
      [rest, at.low],
      [tables.high.slope, at.high],
    ],
    a,
  ) as [Node, Node, Node];
  const [perA, perRoot] = scales(a, x.shape);
  return select(
    at.isLow,
    multiply(add(multiply(at.w, p), r), perA),
    divide(multiply(high, perRoot), sqrt(at.positive)),
  );
}

/** psi(a + K - 1) - psi(a) of a [B, 1]: all terms of one sign. */
export function digammaNodes(letters: number, a: Node): Node {
  return sum(divide(1, add(a, below(letters))), [1]);
}

/** ln Gamma(a + K - 1) - ln Gamma(a) of a [B, 1]. */
export function logGammaNodes(letters: number, a: Node): Node {
  return sum(log(add(a, below(letters))), [1]);
}

/** 0 to K - 2, [1, K - 1]. */
function below(letters: number): Node {
  return table(
    Array.from({ length: letters - 1 }, (_, i) => i),
    [1, letters - 1],
  );
}

/** x where it is looked up; each variable stays in [-1, 1] also where the other piece counts. */
function placesOf({ letters }: FactorTable, x: Node) {
  const positive = maximum(x, LEAST);
  const w = multiply(log(multiply(positive, letters)), -1);
  return {
    positive,
    w,
    isLow: less(0, w),
    low: subtract(multiply(minimum(x, 1 / letters), 2 * letters), 1),
    high: subtract(multiply(minimum(w, 0), -2 / Math.log(letters)), 1),
  };
}

/** 1/a and 1/sqrt a, beside values of this shape. */
function scales(a: Node, shape: Shape): [Node, Node] {
  return [perRow(divide(1, a), shape), perRow(divide(1, sqrt(a)), shape)];
}

/** [B, 1] beside [B, ...]. */
export function perRow(node: Node, shape: Shape): Node {
  return reshape(node, [shape[0] as number, ...shape.slice(1).map(() => 1)]);
}

/** Polynomials at variables of the shape of x, each z in [-1, 1]. */
function evaluated(polynomials: readonly (readonly [Polynomial, Node])[], a: Node): Node[] {
  const { scale, shift } = concentrationVariable;
  const y = add(multiply(log(a), scale), shift);
  // One column for each coefficient of z, all by one Horner's rule.
  const columns = polynomials.flatMap(([polynomial]) => polynomial);
  const degree = Math.max(...columns.map((powers) => powers.length)) - 1;
  const rows = Array.from({ length: degree + 1 }, (_, i) =>
    table(
      columns.map((powers) => powers[i] ?? 0),
      [1, columns.length],
    ),
  );
  const coefficients = horner(rows, y);
  let first = 0;
  return polynomials.map(([polynomial, z]) => {
    const own = polynomial.map((_, j) => perRow(slice(coefficients, 1, first + j, first + j + 1), z.shape));
    first += polynomial.length;
    return horner(own, z);
  });
}

function horner(coefficients: readonly Node[], z: Node): Node {
  return coefficients.reduceRight((sum, coefficient) => add(multiply(sum, z), coefficient));
}
