/**
 * Rows of the assignment problem: src/transport/assignment.ts says what is looked for, loops.ts has the same without vectors. Values
 * are compared alone, in pairs; where the least of them is, a second look tells, which ends at the first place that has it.
 */

/** Bytes of a vector. */
const V: usize = 16;

/** The first place in a row of cost - v that has this value, from `at` on: bytes. */
function placeOf(row: usize, v: usize, value: f64, at: usize): usize {
  const wanted = f64x2.splat(value);
  let from = at & ~15, mask = 0;
  for (;; from += V) {
    mask = i64x2.bitmask(f64x2.eq(f64x2.sub(v128.load(row + from), v128.load(v + from)), wanted));
    if (from < at) mask &= 2;
    if (mask) break;
  }
  return from + (mask & 1 ? 0 : 8);
}

/**
 * The two least of cost - v in a row, the second one as large as the first where that comes twice: [least, next, column,
 * column of the next] from `out` on, f64; of equal ones the first comes first.
 */
export function twoLeast(cost: usize, index: u32, width: u32, v: usize, out: usize): void {
  const bytes: usize = <usize>width << 3;
  const row = cost + <usize>index * bytes;
  let best = f64x2.splat(Infinity), next = best, best1 = best, next1 = best;
  for (let j: usize = 0; j < bytes; j += 2 * V) {
    const x = f64x2.sub(v128.load(row + j), v128.load(v + j));
    const y = f64x2.sub(v128.load(row + j, V), v128.load(v + j, V));
    next = f64x2.pmin(next, f64x2.pmax(best, x));
    next1 = f64x2.pmin(next1, f64x2.pmax(best1, y));
    best = f64x2.pmin(best, x);
    best1 = f64x2.pmin(best1, y);
  }
  next = f64x2.pmin(f64x2.pmin(next, next1), f64x2.pmax(best, best1));
  best = f64x2.pmin(best, best1);
  const other = v128.shuffle<i64>(best, best, 1, 0);
  next = f64x2.pmin(f64x2.pmin(next, v128.shuffle<i64>(next, next, 1, 0)), f64x2.pmax(best, other));
  const least = f64x2.extract_lane(f64x2.pmin(best, other), 0), second = f64x2.extract_lane(next, 0);
  store<f64>(out, least);
  store<f64>(out, second, 8);
  const place = placeOf(row, v, least, 0);
  let where = placeOf(row, v, second, 0);
  if (where == place) where = placeOf(row, v, second, place + 8);
  store<f64>(out, <f64>(place >> 3), 16);
  store<f64>(out, <f64>(where >> 3), 24);
}

/** Matches row `start` by a shortest augmenting path. `distance`, `price` and `before` are written anew. */
export function augment(
  cost: usize, width: u32, start: u32, columnOf: usize, rowOf: usize, v: usize,
  distance: usize, price: usize, before: usize, reached: usize, reachedAt: usize,
): void {
  const bytes: usize = <usize>width << 3;
  memory.copy(price, v, bytes);
  const from = i32x4.splat(start);
  for (let j: usize = 0; j < bytes; j += V) v128.store(before + (j >> 1), from);
  let row = cost + <usize>start * bytes;
  let least = f64x2.splat(Infinity), least1 = least;
  for (let j: usize = 0; j < bytes; j += 2 * V) {
    const x = f64x2.sub(v128.load(row + j), v128.load(v + j));
    const y = f64x2.sub(v128.load(row + j, V), v128.load(v + j, V));
    v128.store(distance + j, x);
    v128.store(distance + j, y, V);
    least = f64x2.pmin(least, x);
    least1 = f64x2.pmin(least1, y);
  }
  let nearest = lesser(f64x2.pmin(least, least1));
  let column = firstAt(distance, nearest);
  let count: usize = 0;
  for (let i = load<i32>(rowOf + (column << 2)); i >= 0; i = load<i32>(rowOf + (column << 2))) {
    row = cost + <usize>i * bytes;
    const own = column << 3;
    const offset = f64x2.splat(load<f64>(row + own) - load<f64>(v + own) - nearest);
    store<u32>(reached + (count << 2), <u32>column);
    store<f64>(reachedAt + (count << 3), nearest);
    count++;
    store<f64>(distance + own, Infinity);
    store<f64>(price + own, -Infinity);
    const line = i32x4.splat(i);
    least = f64x2.splat(Infinity), least1 = least;
    for (let j: usize = 0; j < bytes; j += 2 * V) {
      const x = f64x2.sub(f64x2.sub(v128.load(row + j), v128.load(price + j)), offset);
      const y = f64x2.sub(f64x2.sub(v128.load(row + j, V), v128.load(price + j, V)), offset);
      const knownX = v128.load(distance + j), knownY = v128.load(distance + j, V);
      const shorter = v128.shuffle<i32>(f64x2.lt(x, knownX), f64x2.lt(y, knownY), 0, 2, 4, 6);
      if (v128.any_true(shorter)) {
        const nowX = f64x2.pmin(knownX, x), nowY = f64x2.pmin(knownY, y);
        v128.store(distance + j, nowX);
        v128.store(distance + j, nowY, V);
        v128.store(before + (j >> 1), v128.bitselect(line, v128.load(before + (j >> 1)), shorter));
        least = f64x2.pmin(least, nowX);
        least1 = f64x2.pmin(least1, nowY);
      } else {
        least = f64x2.pmin(least, knownX);
        least1 = f64x2.pmin(least1, knownY);
      }
    }
    nearest = lesser(f64x2.pmin(least, least1));
    column = firstAt(distance, nearest);
  }
  for (let k: usize = 0; k < count; k++) {
    const at = v + (<usize>load<u32>(reached + (k << 2)) << 3);
    store<f64>(at, load<f64>(at) + (load<f64>(reachedAt + (k << 3)) - nearest));
  }
  for (let i: u32 = -1; i != start; ) {
    i = load<u32>(before + (column << 2));
    store<u32>(rowOf + (column << 2), i);
    const at = columnOf + (<usize>i << 2);
    const was = load<u32>(at);
    store<u32>(at, <u32>column);
    column = was;
  }
}

// @ts-ignore: decorator
@inline
function lesser(x: v128): f64 {
  return f64x2.extract_lane(f64x2.pmin(x, v128.shuffle<i64>(x, x, 1, 0)), 0);
}

/** The first place that has this value: an element's number. */
function firstAt(values: usize, value: f64): usize {
  const wanted = f64x2.splat(value);
  let at = values, mask = 0;
  for (; ; at += 2 * V) {
    mask = i32x4.bitmask(
      v128.shuffle<i32>(f64x2.eq(v128.load(at), wanted), f64x2.eq(v128.load(at, V), wanted), 0, 2, 4, 6),
    );
    if (mask) break;
  }
  return ((at - values) >> 3) + ctz(mask);
}
