/** Values that are missing, filled by what a density says of them given the others; and how well that does. */
import { meanWithError } from "../../statistics.ts";
import { uniformSequence } from "../random-numbers.ts";
import type { Rows, TableCodec } from "./codec.ts";
import type { TableDensity } from "./densities.ts";

/** How often a value is hidden. */
const HIDDEN = 0.3;

/** Which columns of each row are hidden: at least one of a row, and not all. */
export function hiddenColumns(rows: number, columns: number, seed: number): readonly (readonly number[])[] {
  const uniform = uniformSequence(seed);
  return Array.from({ length: rows }, () => {
    const keys = Array.from({ length: columns }, () => uniform());
    const order = Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number));
    const wanted = keys.filter((key) => key < HIDDEN).length;
    return order.slice(0, Math.min(columns - 1, Math.max(1, wanted)));
  });
}

/** 1 for each coordinate of a column that is not hidden [count, D]. */
export function maskOf(hidden: readonly (readonly number[])[], { places, dimension }: TableCodec): Uint8Array {
  const mask = new Uint8Array(hidden.length * dimension).fill(1);
  for (const [row, columns] of hidden.entries()) {
    for (const column of columns) {
      const { from, width } = places[column] as (typeof places)[number];
      mask.fill(0, row * dimension + from, row * dimension + from + width);
    }
  }
  return mask;
}

/** One value for each column of each row: of numbers the mean of its draws, as points; of categories the commonest. */
export interface Filled {
  /** Coordinates of numbers, means of draws [count, D]. */
  readonly means: Float64Array;
  /** Fields of each column. */
  readonly fields: readonly (readonly string[])[];
}

/**
 * @param points - [count, D]; what the mask hides may be anything finite.
 */
export async function fillWith(
  density: TableDensity,
  codec: TableCodec,
  { points, mask, draws, seed }: { points: Float64Array; mask: Uint8Array; draws: number; seed: number },
): Promise<Filled | undefined> {
  if (!density.fill) return undefined;
  const { dimension, places } = codec;
  const drawn = await density.fill(points, mask, draws, seed);
  const count = points.length / dimension;
  const means = new Float64Array(count * dimension);
  for (let at = 0; at < drawn.length; at++) {
    const [row, k] = [Math.floor(at / (draws * dimension)), at % dimension];
    means[row * dimension + k] = (means[row * dimension + k] as number) + (drawn[at] as number) / draws;
  }
  const [each, ofMeans] = [codec.decode(drawn), codec.decode(means)];
  const fields = Array.from({ length: count }, (_, row) =>
    places.map(({ column }, i) => {
      if (column.kind === "number") return ofMeans[row]?.[i] as string;
      const own = each.slice(row * draws, (row + 1) * draws).map((one) => one[i] as string);
      return [...own].sort(
        (a, b) => own.filter((one) => one === b).length - own.filter((one) => one === a).length,
      )[0] as string;
    }),
  );
  return { means, fields };
}

/**
 * Errors of what was filled: of numbers the root of the mean square in standardised units, of categories the share that is wrong.
 *
 * @param truth - the middle of each value [count, D].
 */
export function fillErrors(
  { means, fields }: Filled,
  {
    codec,
    truth,
    rows,
    hidden,
  }: { codec: TableCodec; truth: Float64Array; rows: Rows; hidden: readonly (readonly number[])[] },
) {
  const { places, dimension } = codec;
  const squares: number[] = [];
  const wrong: number[] = [];
  for (const [row, columns] of hidden.entries()) {
    for (const i of columns) {
      const { column, from } = places[i] as (typeof places)[number];
      const at = row * dimension + from;
      if (column.kind === "number") squares.push(((means[at] as number) - (truth[at] as number)) ** 2);
      else wrong.push(fields[row]?.[i] === rows[row]?.[column.index] ? 0 : 100);
    }
  }
  const mean = meanWithError(squares);
  const root = Math.sqrt(mean.value);
  return {
    numbers: { value: root, error: mean.error / (2 * root) }, // NaN where no number was hidden
    kinds: meanWithError(wrong),
  };
}
