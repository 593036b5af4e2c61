/** Logarithms of determinants, a matrix for each row: Gauss's elimination with pivots, as a graph. */
import { type Node, sizeOf } from "../graph/node.ts";
import { abs, add, divide, equal, floor, less, log, multiply, select, sign, subtract } from "../ops/arithmetic.ts";
import { max, sum } from "../ops/reduce.ts";
import { reshape, slice } from "../ops/shape.ts";
import { constant, table } from "../ops/sources.ts";

export interface LogDeterminant {
  /** ln |det| [B, 1]; -infinity or NaN where the matrix is singular. */
  readonly logarithm: Node;
  /** 1 or -1 [B, 1]; 0 or NaN where the matrix is singular. */
  readonly sign: Node;
}

/**
 * Of matrices [B, D, D]. Each round takes the first of the rows that are left, its largest element as pivot, and takes that
 * column out of the others: D rounds of nodes.
 */
export function logDeterminant(matrices: Node): LogDeterminant {
  const [rows = 1, dimension = 1] = matrices.shape;
  const fromEnd = table(
    Array.from({ length: dimension }, (_, i) => dimension - i),
    [1, 1, dimension],
  );
  let rest = matrices;
  /** 1 for columns that are still in. */
  let free: Node = constant(1, [rows, 1, dimension]);
  let logarithm: Node = constant(0, [rows, 1, 1]);
  let signs: Node = constant(1, [rows, 1, 1]);
  for (let round = 0; round < dimension; round++) {
    const row = slice(rest, 1, 0, 1);
    const sizes = select(free, abs(row), -1); // a row of zeros must not choose a column that is out
    const candidates = multiply(equal(sizes, max(sizes, [2])), fromEnd);
    const chosen = max(candidates, [2]); // of equal ones the first
    const isPivot = equal(fromEnd, chosen);
    const pivot = sum(multiply(row, isPivot), [2]);
    logarithm = add(logarithm, log(abs(pivot)));
    // A permutation is odd where an odd number of its pairs are out of order: columns before this one that come later.
    const before = sum(multiply(free, less(chosen, fromEnd)), [2]);
    const odd = subtract(before, multiply(floor(multiply(before, 0.5)), 2));
    signs = multiply(multiply(signs, sign(pivot)), subtract(1, multiply(odd, 2)));
    if (round === dimension - 1) break;
    const others = slice(rest, 1, 1, dimension - round);
    const along = sum(multiply(others, isPivot), [2]);
    free = subtract(free, isPivot);
    rest = subtract(others, multiply(divide(along, pivot), row));
  }
  const column = (node: Node) => reshape(node, [sizeOf(node.shape), 1]);
  return { logarithm: column(logarithm), sign: column(signs) };
}
