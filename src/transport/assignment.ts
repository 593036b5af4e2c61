/**
 * The linear assignment problem, solved exactly: the permutation p that makes the sum of cost[i, p(i)] least.
 *
 * The algorithm of Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
 * problems", Computing 38 (1987): columns are reduced and matched to the rows where they are least; two rounds of
 * auction-like row reductions match most of the others; each row that is left takes a shortest augmenting path (Dijkstra on
 * reduced costs). Duals u, v stay feasible all the way (u_i + v_j <= cost[i, j], with equality where i is matched to j), which
 * proves the result: for any permutation the sum of costs is at least the sum of all duals. 512 x 512 takes 10 to 25 ms.
 */
import { ConfigError } from "../errors.ts";
import { atOnce } from "../turns.ts";
import { type Cost, costOf, type Sample } from "./cost.ts";

/** What {@link assignment} gives. */
export interface Assignment {
  /** permutation[i] is the column, or point of the second sample, that row i is paired with. */
  readonly permutation: Uint32Array;
  /** Sum of the costs of the pairs; divided by the number of pairs it is a squared 2-Wasserstein distance. */
  readonly cost: number;
  /** u [n] of the rows and v [n] of the columns: u_i + v_j <= cost[i, j], with equality for pairs, up to rounding. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
}

/** Row reductions may move so many times n rows: without a bound, rows that fight for a column would take forever. */
const REDUCTIONS = 3;

/** Rows that are reduced between two turns: a millisecond of them, where rows are some thousand numbers long. */
const TOGETHER = 64;

/** Matrices smaller than this are not worth a start from half of their rows. */
const SMALLEST_TO_HALVE = 32;

/**
 * The pairing of least total cost between equally many points, or rows and columns. Exact, in f64; O(n^3) at worst.
 *
 * 512 points take 10 to 25 ms, 4,096 some seconds, on the calling thread. Of several pairings that cost the same, one.
 *
 * @param first - points of one sample; or, alone, the costs: a matrix [n, n] of finite numbers, of any sign.
 * @param second - as many points of the other sample; the cost is their squared distance.
 * @throws {@link ConfigError} when the counts differ, or a cost is not finite.
 * @throws {@link DataError} when points are none, their dimensions differ, or a value is not finite.
 * @see Jonker and Volgenant, Computing 38 (1987), 325-340.
 * @example
 * const { permutation, cost } = assignment(noise, data); // noise[i] goes to data[permutation[i]]
 */
export function assignment(first: Sample, second?: Sample): Assignment {
  const cost = costOf("assignment", first, second);
  if (cost.rows !== cost.columns) {
    throw new ConfigError({
      subject: second === undefined ? "cost of assignment" : "points of assignment",
      given: `${cost.rows} rows and ${cost.columns} columns`,
      expected: "as many of the one as of the other",
      remedy: "Take equally many points; for unequal counts use sinkhorn, or the sliced distance.",
    });
  }
  return assignmentOf(cost);
}

/** The same of a square cost that has been looked at. */
export const assignmentOf = (cost: Cost): Assignment => atOnce(assigning(cost));

/** Work in parts: of each a row or some are looked for. */
type Parts<Result> = Generator<undefined, Result, undefined>;

/** The same for {@link inTurns}: what it gives does not depend on the turns. */
export function* assigning({ values, rows: n }: Cost): Parts<Assignment> {
  const { permutation, v } = yield* solve(values, n);
  const u = new Float64Array(n);
  let cost = 0;
  for (let i = 0; i < n; i++) {
    const paired = values[i * n + permutation[i]];
    u[i] = paired - v[permutation[i]];
    cost += paired;
  }
  return { permutation: Uint32Array.from(permutation), cost, rowPotentials: u, columnPotentials: v };
}

/** Who is matched to whom, -1 for nobody, and the columns' duals. */
interface Matching {
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
  readonly v: Float64Array;
}

function* solve(cost: Float64Array, n: number): Parts<{ permutation: Int32Array; v: Float64Array }> {
  const columnOf = new Int32Array(n).fill(-1);
  const rowOf = new Int32Array(n).fill(-1);
  const { u, v, leastIn } = yield* reducedColumns(cost, n);
  yield;

  const timesLeast = new Int32Array(n);
  for (const i of leastIn) timesLeast[i]++;
  for (let j = n - 1; j >= 0; j--) {
    const i = leastIn[j];
    if (columnOf[i] >= 0) continue;
    columnOf[i] = j;
    rowOf[j] = i;
  }
  const matching = { columnOf, rowOf, v };
  const free: number[] = [];
  for (let i = 0; i < n; i++) {
    if (timesLeast[i] === 0) free.push(i);
    // A row that has but its own column could pay more for it: that makes the column dearer for others.
    else if (timesLeast[i] === 1) v[columnOf[i]] -= leastBut(cost, n, i, matching) - u[i];
  }
  yield* augment(cost, n, matching, yield* reduceRows(cost, n, matching, free));
  return { permutation: columnOf, v };
}

/**
 * v_j = the least of cost[i, j] - u_i over the rows, which are where it is least. u = 0, unless that makes nearly all columns
 * want the same few rows (two clouds far from each other, say): then u is what every second row and column say, solved
 * likewise. The search for paths is up to six times shorter from there; from u = 0 it is shorter otherwise.
 */
function* reducedColumns(
  cost: Float64Array,
  n: number,
): Parts<{ u: Float64Array; v: Float64Array; leastIn: Int32Array }> {
  const u = new Float64Array(n);
  const start = columnMinima(cost, n, u);
  yield;
  if (n < SMALLEST_TO_HALVE || new Set(start.leastIn).size >= n / 4) return { u, ...start };
  const half = n >> 1;
  const part = new Float64Array(half * half);
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < half; j++) part[i * half + j] = cost[2 * i * n + 2 * j];
  }
  const { v } = yield* solve(part, half);
  for (let i = 0; i < n; i++) {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < half; j++) least = Math.min(least, cost[i * n + 2 * j] - v[j]);
    u[i] = least;
  }
  return { u, ...columnMinima(cost, n, u) };
}

function columnMinima(cost: Float64Array, n: number, u: Float64Array) {
  const v = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const leastIn = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    const own = u[i];
    for (let j = 0; j < n; j++) {
      const reduced = cost[row + j] - own;
      if (reduced < v[j]) {
        v[j] = reduced;
        leastIn[j] = i;
      }
    }
  }
  return { v, leastIn };
}

/** The least reduced cost of a row but for its own column; that column's where it is the only one. */
function leastBut(cost: Float64Array, n: number, i: number, { columnOf, v }: Matching): number {
  const own = columnOf[i];
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < n; j++) {
    const reduced = cost[i * n + j] - v[j];
    if (reduced < least && j !== own) least = reduced;
  }
  return n === 1 ? cost[i * n + own] - v[own] : least;
}

/**
 * Augmenting row reduction: a free row takes its best column and pays as much as the second best allows; whom it drives out
 * goes on at once where the price has risen, else in the next round. Returns the rows that are free after two rounds.
 */
function* reduceRows(cost: Float64Array, n: number, matching: Matching, free: number[]): Parts<number[]> {
  let left = REDUCTIONS * n;
  let waiting = free;
  for (let round = 0; round < 2; round++) {
    const queue = waiting.reverse(); // the first is the last in the array
    waiting = [];
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      left--;
      if (left % TOGETHER === 0) yield;
      const { driven, rises } = reduceRow(cost, n, i, matching);
      if (driven < 0) continue;
      if (rises && left > 0) queue.push(driven);
      else waiting.push(driven);
    }
  }
  return waiting;
}

/** Gives row i its best column. Returns whom it drove out, -1 for nobody, and whether the column has become dearer. */
function reduceRow(cost: Float64Array, n: number, i: number, { columnOf, rowOf, v }: Matching) {
  const row = i * n;
  let first = 0;
  let second = -1;
  let best = cost[row] - v[0];
  let next = Number.POSITIVE_INFINITY;
  for (let j = 1; j < n; j++) {
    const reduced = cost[row + j] - v[j];
    if (reduced >= next) continue;
    if (reduced < best) {
      next = best;
      second = first;
      best = reduced;
      first = j;
    } else {
      next = reduced;
      second = j;
    }
  }
  const price = v[first] - (next - best);
  const rises = price < v[first]; // not for a tie, nor for a difference that rounding swallows
  if (rises && second >= 0) v[first] = price;
  else if (rowOf[first] >= 0 && second >= 0) first = second;
  const driven = rowOf[first];
  columnOf[i] = first;
  rowOf[first] = i;
  if (driven >= 0) columnOf[driven] = -1;
  return { driven, rises };
}

/** Matches each free row by a shortest augmenting path, and moves the duals so that paths after it find them feasible. */
function* augment(cost: Float64Array, n: number, matching: Matching, free: readonly number[]): Parts<void> {
  const path: Path = {
    distance: new Float64Array(n),
    price: new Float64Array(n),
    before: new Int32Array(n),
    reached: new Int32Array(n),
    reachedAt: new Float64Array(n),
  };
  for (const start of free) {
    yield;
    augmentRow(cost, n, start, matching, path);
  }
}

/** What a search for a path writes in. */
interface Path {
  /** From the free row; infinite for columns that are reached. */
  readonly distance: Float64Array;
  /** v; -infinite for columns that are reached, so that the loop passes them by. */
  readonly price: Float64Array;
  /** The row that a column is reached from. */
  readonly before: Int32Array;
  readonly reached: Int32Array;
  readonly reachedAt: Float64Array;
}

function augmentRow(cost: Float64Array, n: number, start: number, { columnOf, rowOf, v }: Matching, path: Path): void {
  const { distance, price, before, reached, reachedAt } = path;
  price.set(v);
  before.fill(start);
  let least = Number.POSITIVE_INFINITY;
  let column = 0;
  for (let j = 0; j < n; j++) {
    const reduced = cost[start * n + j] - v[j];
    distance[j] = reduced;
    if (reduced < least) {
      least = reduced;
      column = j;
    }
  }
  let count = 0;
  for (let i = rowOf[column]; i >= 0; i = rowOf[column]) {
    const row = i * n;
    const offset = cost[row + column] - v[column] - least;
    reached[count] = column;
    reachedAt[count++] = least;
    distance[column] = Number.POSITIVE_INFINITY;
    price[column] = Number.NEGATIVE_INFINITY;
    least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < n; j++) {
      const through = cost[row + j] - price[j] - offset;
      let known = distance[j];
      if (through < known) {
        known = through;
        distance[j] = known;
        before[j] = i;
      }
      if (known < least) {
        least = known;
        column = j;
      }
    }
  }
  for (let k = 0; k < count; k++) v[reached[k]] += reachedAt[k] - least;
  for (let i = -1; i !== start; ) {
    i = before[column];
    rowOf[column] = i;
    [columnOf[i], column] = [column, columnOf[i]];
  }
}
