/** Directional derivatives by differences of f64 values, and how far two results are apart. */
import { evaluate } from "../src/graph/evaluate.ts";
import type { StateDeclaration } from "../src/graph/graph.ts";
import type { Node } from "../src/graph/node.ts";
import type { HostTensor } from "../src/graph/op.ts";

/** Values of state by name. */
export type Values = ReadonlyMap<string, HostTensor>;

/**
 * Steps h, h/2, h/4 of central differences, extrapolated twice (Richardson): the error is h^6/64 times a 7th derivative
 * over 7!, near 1e-16 of it, and rounding over h/4, near 1e-13.
 */
const STEP = 4e-3;

/** d/de of `outputs` at `values` moved by e along `direction` (by name; a state not in it stays). */
export function differences(outputs: readonly Node[], values: Values, direction: Values): Float64Array[] {
  const central = (h: number) => {
    const ahead = evaluate(outputs, moved(values, direction, h));
    const behind = evaluate(outputs, moved(values, direction, -h));
    return ahead.map(({ data }, i) => data.map((value, k) => (value - behind[i].data[k]) / (2 * h)));
  };
  const extrapolated = (fine: Float64Array[], coarse: Float64Array[], power: number) =>
    fine.map((data, i) => data.map((value, k) => value + (value - coarse[i][k]) / (power - 1)));
  const [coarse, middle, fine] = [central(STEP), central(STEP / 2), central(STEP / 4)];
  return extrapolated(extrapolated(fine, middle, 4), extrapolated(middle, coarse, 4), 16);
}

function moved(values: Values, direction: Values, h: number): Map<string, HostTensor> {
  return new Map(
    [...values].map(([name, { shape, data }]): [string, HostTensor] => {
      const along = direction.get(name);
      return [name, { shape, data: along ? data.map((value, k) => value + h * along.data[k]) : data }];
    }),
  );
}

/** Largest difference relative to the largest magnitude expected; absolute where all that is expected is 0. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let scale = 0;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    error = Math.max(error, Math.abs(actual[i] - expected[i])); // NaN stays NaN
  }
  return error / (scale || 1);
}

/** The inner product, and the norm product that its rounding is relative to. */
export function inner(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  let total = 0;
  a.forEach((left, i) => {
    for (let k = 0; k < left.length; k++) total += left[k] * b[i][k];
  });
  return total;
}

export function norm(a: readonly ArrayLike<number>[]): number {
  return Math.sqrt(inner(a, a));
}

export function nameOf(node: Node): string {
  return (node.attributes as StateDeclaration).name;
}
