/** Which rows of a data set are held out: drawn by seed, never trained on. */
import { ConfigError } from "../errors.ts";
import { integerOption } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom } from "../ops/threefry.ts";

/** Row numbers from 0, ascending; every row is in one of them. */
export interface RowSplit {
  readonly training: Uint32Array;
  readonly heldOut: Uint32Array;
}

/**
 * Which of `count` rows are trained on and which are held out. Equal arguments give equal rows, on every platform.
 *
 * @param count - rows in all, at least 2.
 * @param validation - what is held out: a share of the rows in (0, 1), rounded to at least one row; how many, an integer
 * from 1; or the numbers of the rows themselves, from 0.
 * @param seed - an integer from 0 to 2^53 - 1; default 0. A trainer holds out what this gives for its own seed.
 * @throws {@link ConfigError} when nothing would be left to train on, or a row number is out of range or there twice.
 */
export function splitRows(count: number, validation: number | ArrayLike<number>, seed = 0): RowSplit {
  integerOption("count of splitRows", count, 2, 2 ** 32 - 1);
  integerOption("seed of splitRows", seed, 0);
  const isHeldOut = new Uint8Array(count);
  if (typeof validation === "number") {
    for (const row of someRows(count, heldOutCount(count, validation), seed, 0)) isHeldOut[row] = 1;
  } else {
    for (const row of rowNumbers(count, validation)) isHeldOut[row] = 1;
  }
  const rows = (held: number) => {
    const chosen: number[] = [];
    for (let row = 0; row < count; row++) if (isHeldOut[row] === held) chosen.push(row);
    return Uint32Array.from(chosen);
  };
  return { training: rows(0), heldOut: rows(1) };
}

/**
 * `wanted` different numbers below `count`, each as likely as the others, ascending: the first places of a shuffle.
 *
 * @param draw - number of the draw, from 0: different ones are independent.
 */
export function someRows(count: number, wanted: number, seed: number, draw: number): Uint32Array {
  const rows = Uint32Array.from({ length: count }, (_, row) => row);
  const random = new HostRandom(seed).uniform(2 * wanted, streamOf("split", draw));
  for (let place = 0; place < wanted; place++) {
    // Two numbers of 24 bits: one would reach only every so many-th of more than 2^24 rows.
    const share = (random[2 * place] as number) + (random[2 * place + 1] as number) * 2 ** -24;
    const other = place + Math.floor(share * (count - place));
    [rows[place], rows[other]] = [rows[other] as number, rows[place] as number];
  }
  return rows.slice(0, wanted).sort();
}

function heldOutCount(count: number, validation: number): number {
  const wanted = validation > 0 && validation < 1 ? Math.max(1, Math.round(validation * count)) : validation;
  if (Number.isInteger(wanted) && wanted >= 1 && wanted < count) return wanted;
  throw new ConfigError({
    subject: "validation",
    given: validation,
    expected: `a share of the ${count} rows in (0, 1), or how many of them, from 1 to ${count - 1}`,
    remedy: "Hold out a part, such as 0.1, and leave at least one row to train on.",
  });
}

function rowNumbers(count: number, validation: ArrayLike<number>): number[] {
  const rows = Array.isArray(validation) || ArrayBuffer.isView(validation) ? Array.from(validation) : undefined;
  const seen = new Set<number>();
  const isNew = (row: number) => seen.size < seen.add(row).size;
  const wrong = rows?.findIndex((row) => !(Number.isInteger(row) && row >= 0 && row < count && isNew(row))) ?? -1;
  if (rows && wrong < 0 && rows.length > 0 && rows.length < count) return rows;
  throw new ConfigError({
    subject: "validation",
    given: wrong >= 0 ? `row number ${rows?.[wrong]}` : rows ? `${rows.length} of ${count} rows` : validation,
    expected: `a share of the rows, how many, or different row numbers from 0 to ${count - 1}, not all of them`,
    remedy: "Give each row that is to be held out once, and leave at least one to train on.",
  });
}
