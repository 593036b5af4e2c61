/** Pairs of starts and data that are given, row by row. */
import { fingerprint } from "../data/fingerprint.ts";
import { type Numbers, shapedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { type Coupling, PAIRED_WITH } from "../flow/couplings/coupling.ts";

/**
 * Pairs that are known: row i of the data, an `arrayData`, starts from row i of these points. Steps draw a number and take the pair
 * of that number; what is told of a row of the data rides with it, and rows held out leave with their starts. What the model
 * starts from is said beside it: `start`, whose points these are then, or noise. Checkpoints hold a fingerprint of the starts: on
 * resume the coupling is given again.
 *
 * @param starts - in data units, row-major [count, D] with a shape, or rows of D. Copied.
 * @throws {@link DataError} when something is no finite number, or rows differ in length.
 * @throws {@link ConfigError} from a trainer, where the data are no `arrayData` of as many rows.
 * @example
 * const trainer = await createTrainer(runtime, {
 *   network, path: condOT(), loss: cfm(), start: arrayData(before), data: arrayData(after), coupling: pairedWith(before),
 * });
 */
export function pairedWith(starts: Numbers, shape?: readonly number[]): Coupling {
  const subject = "starts of pairedWith";
  const numbers = shapedNumbers(subject, starts, shape);
  const { count, dimension } = checkPoints(numbers.values, numbers.shape, subject);
  return {
    name: PAIRED_WITH,
    options: { count, dimension, fingerprint: fingerprint(numbers.values) },
    seesConditions: true,
    starts: numbers.values,
  };
}
