/** Pairs of points drawn from a transport plan. */
import { ConfigError } from "../errors.ts";
import { booleanOption, integerOption, isRecord, optionsObject } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { RandomSequence } from "./random-sequence.ts";
import type { TransportPlan } from "./sinkhorn.ts";

export interface DrawPairsOptions {
  /** An integer from 0 to 2^53 - 1; equal seeds give equal pairs. Default 0. */
  readonly seed?: number;
  /** How many pairs. Default: as many as the plan has rows. */
  readonly count?: number;
  /**
   * With it (the default) each pair is drawn by itself, so that points come several times or never. Without it each row and
   * each column come once at most, where the plan is square and its marginals are equal.
   */
  readonly replacement?: boolean;
}

/** rows[k] is paired with columns[k]. */
export interface Pairs {
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/** Without replacement shares of rows are multiples of 2^-30. */
const BITS = 30;

/** Marginals of a plan without replacement may differ by this share of a row's: by a plan's tolerance. */
const UNEQUAL = 0.5;

/**
 * Pairs of a plan: pair (i, j) is drawn with probability plan_ij, with replacement or without.
 *
 * Without replacement a pairing of all rows with all columns is drawn that holds (i, j) with probability n plan_ij exactly, but
 * for the plan's own error and 1e-6: to draw one row's column after the other, each time from what is left, would be biased.
 * 512 x 512 takes 20 to 50 ms, to 300 where all
 * entries count; with replacement 1 to 2.
 *
 * @throws {@link ConfigError} when the plan is none, an option is unknown or outside its range, or pairs are to be drawn without
 * replacement from a plan whose rows and columns are not as many, or not of one weight.
 * @example
 * const { rows, columns } = drawPairs(sinkhorn(noise, data), { seed: 1, replacement: false });
 */
export function drawPairs(plan: TransportPlan, options: DrawPairsOptions = {}): Pairs {
  optionsObject("options of drawPairs", options, ["seed", "count", "replacement"]);
  const { rows, columns, until } = expectPlan(plan);
  const seed = integerOption("seed of drawPairs", options.seed ?? 0, 0);
  const withReplacement = booleanOption("replacement of drawPairs", options.replacement ?? true);
  const most = withReplacement ? undefined : rows;
  const count = integerOption("count of drawPairs", options.count ?? rows, 1, most);
  const random = new RandomSequence(seed, streamOf("pairs"));
  if (withReplacement) return independentPairs(plan.plan, until, count, random);
  const columnOf = pairing(unitsOf(plan.plan, rows, columns), rows, random);
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  const chosen = count === rows ? all : random.shuffle(all).slice(0, count);
  return { rows: chosen, columns: chosen.map((row) => columnOf[row]) };
}

/** @param until - sums of all entries to the end of each row. */
function independentPairs(plan: Float64Array, until: Float64Array, count: number, random: RandomSequence): Pairs {
  const columns = plan.length / until.length;
  const sum = until[until.length - 1];
  const pairs = { rows: new Uint32Array(count), columns: new Uint32Array(count) };
  for (let k = 0; k < count; k++) {
    const share = random.uniform() * sum;
    let [low, high] = [0, until.length - 1]; // the first row whose sum is above the share, then the first place in it
    while (low < high) {
      const middle = (low + high) >> 1;
      if (until[middle] > share) high = middle;
      else low = middle + 1;
    }
    let place = low * columns;
    for (let known = (until[low - 1] ?? 0) + plan[place]; known <= share; known += plan[place]) place++;
    pairs.rows[k] = low;
    pairs.columns[k] = place - low * columns;
  }
  return pairs;
}

/** Entries that are not 0, by row: where they are, and what they are in units. */
interface Units {
  readonly row: Uint32Array;
  readonly column: Uint32Array;
  readonly units: Int32Array;
}

/** The plan in units of 2^-BITS of a row, whose rows and columns all sum to 2^BITS. */
function unitsOf(plan: Float64Array, n: number, columns: number): Units {
  const whole = 2 ** BITS;
  const rowSums = new Float64Array(n);
  const columnSums = new Float64Array(columns);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < columns; j++, at++) rowSums[i] += plan[at];
  const total = rowSums.reduce((sum, value) => sum + value, 0);
  const rowScales = rowSums.map((sum) => Math.min(1, total / n / sum)); // no row is to have more than its share
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < columns; j++, at++) columnSums[j] += plan[at] * rowScales[i];
  }
  const columnScales = columnSums.map((sum) => Math.min(1, total / n / sum));
  if (n !== columns || [...rowSums, ...columnSums].some((sum) => Math.abs((sum * n) / total - 1) > UNEQUAL)) {
    throw new ConfigError({
      subject: "plan of drawPairs, without replacement",
      given: n === columns ? "rows or columns of unequal weights" : `${n} rows and ${columns} columns`,
      expected: "as many rows as columns, of one weight",
      remedy: "Draw with replacement.",
    });
  }
  const units = new Int32Array(plan.length);
  const [rowsLack, columnsLack] = [new Float64Array(n).fill(whole), new Float64Array(n).fill(whole)];
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < n; j++, at++) {
      units[at] = Math.floor((plan[at] / total) * n * whole * rowScales[i] * columnScales[j] * (1 - 2 ** -50));
      rowsLack[i] -= units[at];
      columnsLack[j] -= units[at];
    }
  }
  // What rows and columns lack is what rounding took and by how much they were off: it goes where there is need of it.
  for (let i = 0, j = 0; i < n && j < n; rowsLack[i] > 0 ? j++ : i++) {
    const both = Math.min(rowsLack[i], columnsLack[j]);
    units[i * n + j] += both;
    rowsLack[i] -= both;
    columnsLack[j] -= both;
  }
  const places = whereSet(units, -1);
  return {
    row: places.map((at) => Math.floor(at / n)),
    column: places.map((at) => at % n),
    units: new Int32Array(places.length).map((_, k) => units[places[k]]),
  };
}

/**
 * Rounds the units to 0 or all, bit by bit from the least, keeping all sums and each entry's mean: the entries that are odd
 * multiples of a bit make a graph of rows and columns in which each has an even number of them, so they fall into closed
 * trails; along a trail every other entry gains the bit and those between lose it, or the other way round, by a fair coin.
 * Returns the column of each row.
 */
function pairing({ row, column, units }: Units, n: number, random: RandomSequence): Uint32Array {
  for (let bit = 1; bit < 2 ** BITS; bit *= 2) {
    const odd = whereSet(units, bit);
    const ofRow = new Incidence(odd, row, n);
    const ofColumn = new Incidence(odd, column, n);
    const isUsed = new Uint8Array(units.length);
    for (const first of odd) {
      if (isUsed[first]) continue;
      const change = random.bits() >>> 31 === 1 ? bit : -bit;
      for (let at: number | undefined = first; at !== undefined; ) {
        isUsed[at] = 1;
        units[at] += change;
        at = ofColumn.next(column[at], isUsed) as number; // there is one: each column has an even number
        isUsed[at] = 1;
        units[at] -= change;
        at = ofRow.next(row[at], isUsed); // none where the trail is closed
      }
    }
  }
  const columnOf = new Uint32Array(n);
  for (let at = 0; at < units.length; at++) if (units[at] > 0) columnOf[row[at]] = column[at];
  return columnOf;
}

/** Places of the entries that have one of these bits. */
function whereSet(units: Int32Array, bits: number): Uint32Array {
  const places = new Uint32Array(units.length);
  let count = 0;
  for (let at = 0; at < units.length; at++) if ((units[at] & bits) !== 0) places[count++] = at;
  return places.slice(0, count);
}

/** By row, or by column, the entries in it that are not used up. */
class Incidence {
  readonly #entries: Uint32Array;
  readonly #next: Uint32Array;
  readonly #end: Uint32Array;

  constructor(entries: Uint32Array, lineOf: Uint32Array, lines: number) {
    const begin = new Uint32Array(lines + 1);
    for (const entry of entries) begin[lineOf[entry] + 1]++;
    for (let line = 0; line < lines; line++) begin[line + 1] += begin[line];
    this.#next = begin.slice(0, lines);
    this.#end = begin.slice(1);
    this.#entries = new Uint32Array(entries.length);
    const place = begin.slice(0, lines);
    for (const entry of entries) this.#entries[place[lineOf[entry]]++] = entry;
  }

  next(line: number, isUsed: Uint8Array): number | undefined {
    while (this.#next[line] < this.#end[line]) {
      const entry = this.#entries[this.#next[line]++];
      if (!isUsed[entry]) return entry;
    }
    return undefined;
  }
}

/** A plan's rows and columns, and the sums of its entries to the end of each row. */
function expectPlan(given: TransportPlan) {
  const { plan, shape } = (isRecord(given) ? given : {}) as Partial<TransportPlan>;
  const [rows = 0, columns = 0] = Array.isArray(shape) ? shape : [];
  const isPlan = plan instanceof Float64Array && plan.length > 0 && plan.length === rows * columns;
  const until = isPlan ? sumsOfShares(plan, rows) : undefined;
  if (until) return { rows, columns, until };
  throw new ConfigError({
    subject: "plan of drawPairs",
    given: isPlan ? "entries that are negative, not finite or all 0" : (given ?? String(given)),
    expected: "{ plan, shape }, as sinkhorn gives it: a Float64Array of rows times columns shares",
    remedy: "Give the result of sinkhorn, or Float64Array.from of a plan of your own with its shape.",
  });
}

/** Undefined where one is negative or not finite, or all are 0. */
function sumsOfShares(plan: Float64Array, rows: number): Float64Array | undefined {
  const until = new Float64Array(rows);
  const columns = plan.length / rows;
  let sum = 0;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      if (!(plan[at] >= 0)) return undefined;
      sum += plan[at];
    }
    until[i] = sum;
  }
  return sum > 0 && sum < Number.POSITIVE_INFINITY ? until : undefined;
}
