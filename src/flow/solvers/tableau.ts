/** Explicit Runge-Kutta methods as tableaus, and the graph of their stages. */
import type { Node } from "../../graph/node.ts";
import { add, multiply, negate } from "../../ops/arithmetic.ts";
import { timeColumn } from "./problem.ts";
import type { Field, FieldValue } from "./solver.ts";

/** Stage i is the field at x + h sum_j a[i][j] k_j and t + c[i] h; the step is x + h sum_i b[i] k_i. */
export interface Tableau {
  /** Rows 0 ... stages - 1; row i has i numbers. */
  readonly a: readonly (readonly number[])[];
  readonly b: readonly number[];
  readonly c: readonly number[];
}

/** A step under way: points x [S, D] at time t [1], going to time next [1] by h = next - t [1]. */
export interface Step {
  readonly x: Node;
  readonly time: Node;
  readonly next: Node;
  readonly size: Node;
}

/** The field at every stage. `first` is its value at (x, t) where that is known already. */
export function stages({ a, c }: Tableau, field: Field, step: Step, first?: FieldValue): FieldValue[] {
  const { x, time, next, size } = step;
  const rows = x.shape[0] as number;
  const values: FieldValue[] = [];
  a.forEach((row, i) => {
    if (i === 0 && first) {
      values.push(first);
      return;
    }
    const velocity = weightedSum(
      row,
      values.map((value) => value.velocity),
    );
    const offset = c[i] as number;
    // At the step's ends the time is taken as it is: t + (next - t) need not be next in f32.
    const at = offset === 0 ? time : offset === 1 ? next : add(time, multiply(size, offset));
    values.push(field(velocity ? add(x, multiply(velocity, size)) : x, timeColumn(at, rows)));
  });
  return values;
}

/** sum of weights[i] nodes[i], without the terms of weight 0; undefined when there are none. */
export function weightedSum(weights: readonly number[], nodes: readonly Node[]): Node | undefined {
  let total: Node | undefined;
  weights.forEach((weight, i) => {
    if (weight === 0) return;
    const term = multiply(nodes[i] as Node, weight);
    total = total ? add(total, term) : term;
  });
  return total;
}

/** -sum of weights[i] times the divergences of stage i, [S, P]; undefined where the field has none. */
export function logDensityRate(weights: readonly number[], values: readonly FieldValue[]): Node | undefined {
  const divergences = values.flatMap((value) => value.divergences ?? []);
  if (divergences.length < values.length) return undefined;
  const total = weightedSum(weights, divergences);
  return total && negate(total);
}
