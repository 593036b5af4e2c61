/** Noise upon a user's points while they are trained on, against learning few of them by heart. */
import { ConfigError } from "../errors.ts";
import { f32Option } from "../graph/options.ts";
import { type ArrayData, isArrayData } from "./array.ts";
import type { DataSource } from "./source.ts";
import { fitStandardization } from "./standardize.ts";

/** Beyond it the points are but noise. */
export const LARGEST_JITTER = 10;

/**
 * The standard deviation that the option asks for, in standardised units.
 *
 * @param data - what is trained on, without the rows held out.
 * @throws {@link ConfigError} when it is out of range, or there is noise for data that are drawn afresh anyway.
 */
export function jitterOf(jitter: unknown, data: DataSource): number {
  const wanted = jitter === "auto" ? "auto" : f32Option("jitter", jitter, { minimum: 0, maximum: LARGEST_JITTER });
  if (wanted === 0 || (wanted === "auto" && !isArrayData(data))) return 0;
  if (!isArrayData(data)) {
    throw new ConfigError({
      subject: "jitter",
      given: jitter,
      expected: `none for the data "${data.options["name"] ?? data.name}", whose points are drawn afresh at each step`,
      remedy: "Leave it out; it is for arrayData.",
    });
  }
  return wanted === "auto" ? automaticJitter(data.count, data.dimension) : wanted;
}

/** More cost more than it gave in the trial. Below LEAST it makes no difference. */
const [MOST, LEAST] = [0.3, 0.05];

/** The rule of docs/data.md, which says how it was found: less by 0.14 for each tenfold of the rows, more by dimension. */
export function automaticJitter(rows: number, dimension: number): number {
  const enough = 4.4 - 3 / dimension; // log10 of the rows that need none
  const jitter = Math.min(MOST, 0.14 * (enough - Math.log10(rows)));
  return jitter < LEAST ? 0 : jitter;
}

/** That deviation for each coordinate, in the data's model units. */
export function jitterDeviations(jitter: number, data: ArrayData): number[] {
  const { std } = data.standardization ? { std: new Array<number>(data.dimension).fill(1) } : fitStandardization(data);
  return std.map((deviation) => jitter * deviation);
}
