/**
 * Sums that keep what rounding takes from them: a total in f32 and, beside it, what it lacks. A million steps added to a
 * total of their size lose digits one by one, always to the same side where the step is the same. For solvers with fixed
 * steps: an adaptive one takes some hundreds, each off by its tolerance, and on WebGPU the state more would cost it a call.
 */
import type { StateDeclaration } from "../../graph/graph.ts";
import { type Node, sizeOf } from "../../graph/node.ts";
import { add, finite, select, subtract } from "../../ops/arithmetic.ts";

export interface CompensatedSum {
  readonly total: Node;
  /** Add it to the total for the exact sum so far. */
  readonly lost: Node;
}

/**
 * The sum with `value` added (Knuth's TwoSum, which asks for no order of sizes).
 *
 * In real numbers `lost` is 0, and a shader compiler that computes with those would make it so. The total goes through a
 * choice by its own bits, which no such rule sees through; a total that is not finite has lost nothing.
 */
export function addCompensated({ total, lost }: CompensatedSum, value: Node): CompensatedSum {
  const term = add(value, lost);
  const sum = add(total, term);
  const holds = finite(sum);
  const rounded = select(holds, sum, 0);
  const arrived = subtract(rounded, total);
  const missing = add(subtract(total, subtract(rounded, arrived)), subtract(term, arrived));
  // The total by a step of its own: what reads the old one can then run before the new one takes its place.
  return { total: select(holds, rounded, sum), lost: select(holds, missing, 0) };
}

/** State "<name>.lost": what the state of this name lacks; 0 at the start of a solve. */
export function lostState({ name, shape, dtype }: StateDeclaration): StateDeclaration {
  return { name: `${name}.lost`, shape, dtype };
}

/** A state's zeros, as a plan's `initial` has them. */
export function zerosOf({ name, shape }: StateDeclaration): [name: string, values: Float32Array] {
  return [name, new Float32Array(sizeOf(shape))];
}
