/** Loops over rows of costs in which an assignment is searched for, without vectors: wasm/transport/assignment.ts has the same with them. */

/** Who is matched to whom, and what a search for a path writes in. */
export interface PathBuffers {
  /** [n], -1 where there is none. */
  readonly columnOf: Int32Array;
  /** All that follows is [width]. */
  readonly rowOf: Int32Array;
  readonly v: Float64Array;
  /** From the free row; infinite for columns that are reached. */
  readonly distance: Float64Array;
  /** v; -infinite for columns that are reached, so that the loop passes them by. */
  readonly price: Float64Array;
  /** The row that a column is reached from. */
  readonly before: Int32Array;
  readonly reached: Int32Array;
  readonly reachedAt: Float64Array;
}

export function twoLeastPlainly(
  cost: Float64Array,
  at: number,
  width: number,
  v: Float64Array,
  out: Float64Array,
): void {
  const row = at * width;
  let [first, second] = [0, -1];
  let best = cost[row] - v[0];
  let next = Number.POSITIVE_INFINITY;
  for (let j = 1; j < width; j++) {
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
  out[0] = best;
  out[1] = next;
  out[2] = first;
  out[3] = second;
}

export function augmentPlainly(cost: Float64Array, width: number, start: number, path: PathBuffers): void {
  const { columnOf, rowOf, v, distance, price, before, reached, reachedAt } = path;
  price.set(v);
  before.fill(start);
  let least = Number.POSITIVE_INFINITY;
  let column = 0;
  for (let j = 0; j < width; j++) {
    const reduced = cost[start * width + j] - v[j];
    distance[j] = reduced;
    if (reduced < least) {
      least = reduced;
      column = j;
    }
  }
  let count = 0;
  for (let i = rowOf[column]; i >= 0; i = rowOf[column]) {
    const row = i * width;
    const offset = cost[row + column] - v[column] - least;
    reached[count] = column;
    reachedAt[count++] = least;
    distance[column] = Number.POSITIVE_INFINITY;
    price[column] = Number.NEGATIVE_INFINITY;
    least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < width; j++) {
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
