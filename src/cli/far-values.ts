/**
 * A value so far beyond its column's others that it is likely a mistake, or stands for what is missing. The readers'
 * own notes do not say it: who imports a reader for a page need not download it.
 */
import { printable } from "../errors.ts";
import type { Points } from "../index.ts";

/** How many times this share of a column's sizes, 0 left out, one has to be to be remarked on; of so many at least. */
const [FAR, NEAR, FEWEST] = [1000, 0.99, 10];

/** Columns that are named, and characters of a name. */
const [MOST_SHOWN, LONGEST_NAME] = [8, 60];

/** The largest size in a column, if it lies so far out; else 0. What is mostly 0, as of one of many kinds, counts by the rest. */
function farOut({ values, count, dimension }: Points, column: number): number {
  const sizes = new Float64Array(count)
    .map((_, row) => Math.abs(values[row * dimension + column] as number))
    .filter(Boolean)
    .sort();
  if (sizes.length < FEWEST) return 0;
  const last = sizes.length - 1;
  const usual = sizes[Math.min(Math.floor(NEAR * last), last - 1)] as number;
  const largest = sizes[last] as number;
  return largest > FAR * usual ? largest : 0;
}

/** What is said of values far out, in a sentence for all columns that have one. */
export function farNotes(points: Points): string[] {
  const far = Array.from({ length: points.dimension }, (_, column) => ({
    column,
    size: farOut(points, column),
  })).filter(({ size }) => size > 0);
  if (far.length === 0) return [];
  const [subject, verb] = far.length > 1 ? ["Columns", "reach"] : ["Column", "reaches"];
  const shown = far.slice(0, MOST_SHOWN);
  const names = shown.map(({ column }) => {
    const name = points.columns?.[column];
    return name ? JSON.stringify(printable(name, LONGEST_NAME)) : column + 1;
  });
  const more = far.length > MOST_SHOWN ? `, ... (${far.length})` : "";
  return [
    `${subject} ${names.join(", ")}${more} ${verb} ${shown.map(({ size }) => size.toPrecision(4)).join(", ")}${more && ", ..."}, ` +
      "over 1,000 times the size of 99 in 100 values there: correct the rows or leave them out, if that is a mistake or " +
      "means that nothing is known.",
  ];
}
