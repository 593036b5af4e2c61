/** An observation: its numbers, its shape, and whether simulations were like it. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import { DataError } from "../errors.ts";
import { sizeOf } from "../graph/node.ts";
import type { ObservationFacts } from "./file.ts";

/** @throws {@link DataError} when an observation is no finite numbers. */
export function observedNumbers(given: number | Numbers): Float64Array {
  const values = typeof given === "number" ? Float64Array.of(given) : copiedNumbers("observation", given);
  const wrong = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (wrong < 0) return Float64Array.from(values);
  throw new DataError({
    subject: `observation, number ${wrong} (from 0)`,
    given: values[wrong],
    expected: "a finite number",
    remedy: "Fill gaps, and let the simulator give its data with the same gaps filled the same way.",
  });
}

/** @throws {@link DataError} when it is not of the simulations' shape. */
export function expectShape(values: Float64Array, shape: readonly number[]): void {
  if (values.length === sizeOf(shape)) return;
  throw new DataError({
    subject: "observation",
    given: `${values.length} numbers`,
    expected: `${sizeOf(shape)}, as each simulation gave`,
    remedy: "Give one observation, as the simulator would give it.",
  });
}

/** A model that is asked for what it has seen nothing like makes something up: nothing in its answer tells. */
export function unlikeSimulations(values: Float64Array, { least, greatest, count }: ObservationFacts): string[] {
  const beyond = [...values.keys()].filter((k) => !(values[k] >= least[k] && values[k] <= greatest[k]));
  if (beyond.length === 0) return [];
  const [k] = beyond;
  const others = beyond.length > 1 ? `, and ${beyond.length - 1} other numbers lie beyond theirs` : "";
  return [
    `observation[${k}] is ${values[k]}, while all ${count} simulations lie between ${least[k]} and ${greatest[k]}${others}: ` +
      "the posterior is extrapolated. Does the simulator, with this prior, make such data?",
  ];
}
