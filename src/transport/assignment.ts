/**
 * The linear assignment problem, solved exactly: the permutation p that makes the sum of cost[i, p(i)] least.
 *
 * The algorithm of Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
 * problems", Computing 38 (1987): columns are reduced and matched to the rows where they are least; two rounds of
 * auction-like row reductions match most of the others; each row that is left takes a shortest augmenting path (Dijkstra on
 * reduced costs). Duals u, v stay feasible all the way (u_i + v_j <= cost[i, j], with equality where i is matched to j), which
 * proves the result: for any permutation the sum of costs is at least the sum of all duals. 512 x 512 takes 5 to 30 ms.
 */
import { ConfigError } from "../errors.ts";
import { atOnce } from "../turns.ts";
import type { PathBuffers } from "./assignment-loops.ts";
import { type Cost, costOf, type Sample } from "./cost.ts";
import { BEHIND, type Loops } from "./loops.ts";
import { bytesOf, type Workspace, widened, widthOf, workspaceOf } from "./workspace.ts";

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
 * 512 points take 5 to 30 ms, 4,096 some seconds, on the calling thread. Of several pairings that cost the same, one.
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
  const width = widthOf(n);
  const workspace = workspaceOf(MATRICES * bytesOf(8 * n * width) + VECTORS * bytesOf(8 * width));
  const costs = { values: widened(values, n, n, workspace.f64(n * width, true)), n, width };
  const { columnOf, v } = yield* solve(costs, workspace);
  const u = new Float64Array(n);
  let cost = 0;
  for (let i = 0; i < n; i++) {
    const paired = values[i * n + columnOf[i]];
    u[i] = paired - v[columnOf[i]];
    cost += paired;
  }
  const found = { permutation: Uint32Array.from(columnOf), columnPotentials: v.slice(0, n) };
  workspace.release();
  return { ...found, cost, rowPotentials: u };
}

/** A start from half of the rows is one from half of these in turn: so much is taken of memory, in sizes of the first. */
const [MATRICES, VECTORS] = [1.5, 24];

/** Costs whose rows are `width` apart, as {@link Loops} has them. */
interface Costs {
  readonly values: Float64Array;
  readonly n: number;
  readonly width: number;
}

/** Who is matched to whom, -1 for nobody, the columns' duals, and what searches for paths write in. */
interface Matching extends PathBuffers {
  readonly costs: Costs;
  readonly loops: Loops;
  /** Of the two least in a row. */
  readonly least: Float64Array;
}

function* solve(costs: Costs, workspace: Workspace): Parts<Matching> {
  const { n, width } = costs;
  const matching: Matching = {
    costs,
    loops: workspace.loops,
    columnOf: workspace.i32(n).fill(-1),
    rowOf: workspace.i32(width).fill(-1),
    v: workspace.f64(width),
    distance: workspace.f64(width),
    price: workspace.f64(width),
    before: workspace.i32(width),
    reached: workspace.i32(width),
    reachedAt: workspace.f64(width),
    least: workspace.f64(4),
  };
  const { columnOf, rowOf, v } = matching;
  const { u, minima, leastIn } = yield* reducedColumns(costs, workspace);
  v.set(minima);
  yield;

  const timesLeast = new Int32Array(n);
  for (const i of leastIn) timesLeast[i]++;
  for (let j = n - 1; j >= 0; j--) {
    const i = leastIn[j];
    if (columnOf[i] >= 0) continue;
    columnOf[i] = j;
    rowOf[j] = i;
  }
  const free: number[] = [];
  for (let i = 0; i < n; i++) {
    if (timesLeast[i] === 0) free.push(i);
    // A row that has but its own column could pay more for it: that makes the column dearer for others.
    else if (timesLeast[i] === 1) v[columnOf[i]] -= leastBut(i, matching) - u[i];
  }
  for (const start of yield* reduceRows(matching, free)) {
    yield;
    matching.loops.augment(costs.values, width, start, matching);
  }
  return matching;
}

/**
 * v_j = the least of cost[i, j] - u_i over the rows, which are where it is least. u = 0, unless that makes nearly all columns
 * want the same few rows (two clouds far from each other, say): then u is what every second row and column say, solved
 * likewise. The search for paths is up to six times shorter from there; from u = 0 it is shorter otherwise.
 */
function* reducedColumns(
  costs: Costs,
  workspace: Workspace,
): Parts<{ u: Float64Array; minima: Float64Array; leastIn: Int32Array }> {
  const { values, n, width } = costs;
  const u = new Float64Array(n);
  const start = columnMinima(costs, u);
  yield;
  if (n < SMALLEST_TO_HALVE || new Set(start.leastIn).size >= n / 4) return { u, ...start };
  const half = n >> 1;
  const halfWidth = widthOf(half);
  const part = workspace.f64(half * halfWidth, true).fill(BEHIND);
  for (let i = 0; i < half; i++) {
    for (let j = 0; j < half; j++) part[i * halfWidth + j] = values[2 * i * width + 2 * j];
  }
  const { v } = yield* solve({ values: part, n: half, width: halfWidth }, workspace);
  for (let i = 0; i < n; i++) {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < half; j++) least = Math.min(least, values[i * width + 2 * j] - v[j]);
    u[i] = least;
  }
  return { u, ...columnMinima(costs, u) };
}

function columnMinima({ values, n, width }: Costs, u: Float64Array) {
  const minima = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  const leastIn = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = i * width;
    const own = u[i];
    for (let j = 0; j < n; j++) {
      const reduced = values[row + j] - own;
      if (reduced < minima[j]) {
        minima[j] = reduced;
        leastIn[j] = i;
      }
    }
  }
  return { minima, leastIn };
}

/** The least reduced cost of a row but for its own column; that column's where it is the only one. */
function leastBut(i: number, { costs, columnOf, v }: Matching): number {
  const { values, n, width } = costs;
  const own = columnOf[i];
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < n; j++) {
    const reduced = values[i * width + j] - v[j];
    if (reduced < least && j !== own) least = reduced;
  }
  return n === 1 ? values[i * width + own] - v[own] : least;
}

/**
 * Augmenting row reduction: a free row takes its best column and pays as much as the second best allows; whom it drives out
 * goes on at once where the price has risen, else in the next round. Returns the rows that are free after two rounds.
 */
function* reduceRows(matching: Matching, free: number[]): Parts<number[]> {
  let left = REDUCTIONS * matching.costs.n;
  let waiting = free;
  for (let round = 0; round < 2; round++) {
    const queue = waiting.reverse(); // the first is the last in the array
    waiting = [];
    for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
      left--;
      if (left % TOGETHER === 0) yield;
      const { driven, rises } = reduceRow(i, matching);
      if (driven < 0) continue;
      if (rises && left > 0) queue.push(driven);
      else waiting.push(driven);
    }
  }
  return waiting;
}

/** Gives row i, of two at least, its best column. Returns whom it drove out, -1 for nobody, and whether the column has become dearer. */
function reduceRow(i: number, { costs, loops, columnOf, rowOf, v, least }: Matching) {
  loops.twoLeast(costs.values, i, costs.width, v, least);
  const [best, next, column, second] = least;
  const price = v[column] - (next - best);
  const rises = price < v[column]; // not for a tie, nor for a difference that rounding swallows
  if (rises) v[column] = price;
  const first = !rises && rowOf[column] >= 0 ? second : column;
  const driven = rowOf[first];
  columnOf[i] = first;
  rowOf[first] = i;
  if (driven >= 0) columnOf[driven] = -1;
  return { driven, rises };
}
