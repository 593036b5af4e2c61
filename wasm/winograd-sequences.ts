/**
 * The transforms of sequences' tiles (winograd-tiles.ts), on vectors of four channels or columns.
 *
 * Three taps, three places: F(3, 3), of the points 0, 1, -1, 1/2 and infinity.
 *
 *        1  -2    -1   2    0             1    0    0
 *        0  -1/2  1/2  1    0             1    1    1           1  1   1  1    0
 *   B' = 0  1/2  -3/2  1    0    G = -1/3 1/3 -1/3       A' =   0  1  -1  1/2  0
 *        0  -1    0    1    0       -8/3 -4/3 -2/3              0  1   1  1/4  1
 *        0  1/2  -1  -1/2   1             0    0    1
 *
 * Nine taps, six places: with place 3 a + b and tap 3 i + j these are 3 x 3 taps over places (a, b), where b goes on beyond 2
 * as x[3 a + b] does. F(2, 3) along a (winograd-images.ts), F(3, 3) along b: 20 multiplications for 54. Fewer taps have zeros
 * after them.
 *
 * Seven taps between four places and four: y = M x with M[l][i] = w[i - l + 3], two by two of such matrices of half the size.
 * Each of both takes three multiplications for four, 9 in all for 28:
 *   y0 = w0 (x0 + x1) + (w1 - w0) x1, y1 = w0 (x0 + x1) + (w-1 - w0) x0.
 */
import { multiplyAdd, splat, subtractProduct, VECTOR } from "./simd";
import { dilationOf, originOf, Tiling, tileInputs, tileOutputs } from "./winograd-tiles";
import { Window } from "./window";

/**
 * The address of `count` places, from `first` on, a dilation apart, of a sequence of `places` at `from`: where they lie, if all
 * are places of it; else `spare`, with `bytes` of each side by side, zeros for what is none.
 */
// @ts-ignore: decorator
@inline
export function gathered(
  from: usize, first: i32, dilation: u32, count: u32, places: u32, placeBytes: usize, bytes: usize, spare: usize,
): usize {
  if (first >= 0 && <u32>first + (count - 1) * dilation < places) return from + first * placeBytes;
  let to = spare;
  for (let place = first, i: u32 = 0; i < count; i++, place += dilation, to += bytes) {
    if (place >= 0 && <u32>place < places) memory.copy(to, from + place * placeBytes, bytes);
    else memory.fill(to, 0, bytes);
  }
  return spare;
}

/**
 * Of the tile whose first output place this is: vectors of `bytes` of channels, from the sequence's address on, to points
 * `pointStep` apart. `spare`: for input places over the edge.
 */
export function transformPlaces(
  w: Window, tiling: Tiling, sequence: usize, first: u32, bytes: usize, spare: usize,
  out: usize, vectorStep: usize, pointStep: usize,
): void {
  const placeBytes: usize = <usize>w.channels << 2, dilation = dilationOf(w);
  const begin = <i32>first + (tiling == Tiling.four ? 0 : originOf(w));
  let from = gathered(sequence, begin, dilation, tileInputs(tiling), w.acrossInput, placeBytes, bytes, spare);
  const step = from == spare ? bytes : dilation * placeBytes;
  const p1 = 3 * step, p2 = 2 * p1, p3 = p1 + p2;
  for (const end = from + bytes; from < end; from += VECTOR, out += vectorStep) {
    if (tiling == Tiling.three) {
      const x0 = v128.load(from), x1 = v128.load(from + step), x2 = v128.load(from + 2 * step);
      fivePoints(x0, x1, x2, v128.load(from + p1), v128.load(from + p1 + step), out, pointStep);
    } else if (tiling == Tiling.nine) {
      mixed(from, from + p2, -1, step, out, pointStep);
      mixed(from + p1, from + p2, 1, step, out + 5 * pointStep, pointStep);
      mixed(from + p2, from + p1, -1, step, out + 10 * pointStep, pointStep);
      mixed(from + p3, from + p1, -1, step, out + 15 * pointStep, pointStep);
    } else {
      const x0 = v128.load(from), x1 = v128.load(from + step), x2 = v128.load(from + 2 * step), x3 = v128.load(from + p1);
      threePoints(f32x4.add(x0, x2), f32x4.add(x1, x3), true, out, pointStep);
      threePoints(x2, x3, true, out + 3 * pointStep, pointStep);
      threePoints(x0, x1, true, out + 6 * pointStep, pointStep);
    }
  }
}

/** x B of F(3, 3), of five places. */
// @ts-ignore: decorator
@inline
function fivePoints(x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, out: usize, step: usize): void {
  const far = f32x4.sub(x3, x1), near = f32x4.sub(x2, x1);
  v128.store(out, multiplyAdd(splat(2), far, f32x4.sub(x0, x2)));
  v128.store(out + step, multiplyAdd(splat(0.5), near, x3));
  v128.store(out + 2 * step, subtractProduct(f32x4.sub(x3, x2), splat(0.5), near));
  v128.store(out + 3 * step, far);
  v128.store(out + 4 * step, subtractProduct(f32x4.sub(x4, x2), splat(0.5), far));
}

/** The same of five places plus or, by a factor of -1, minus five others. */
function mixed(a: usize, b: usize, factor: f32, step: usize, out: usize, pointStep: usize): void {
  const f = splat(factor);
  const second = step, third = 2 * step, fourth = 3 * step, fifth = 4 * step;
  fivePoints(
    multiplyAdd(f, v128.load(b), v128.load(a)), multiplyAdd(f, v128.load(b + second), v128.load(a + second)),
    multiplyAdd(f, v128.load(b + third), v128.load(a + third)), multiplyAdd(f, v128.load(b + fourth), v128.load(a + fourth)),
    multiplyAdd(f, v128.load(b + fifth), v128.load(a + fifth)), out, pointStep,
  );
}

/** a + b and both, the second one first if so. */
export function threePoints(a: v128, b: v128, isTurned: bool, out: usize, step: usize): void {
  v128.store(out, f32x4.add(a, b));
  v128.store(out + step, isTurned ? b : a);
  v128.store(out + 2 * step, isTurned ? a : b);
}

/** Of panels of taps, in order, `bytes` each and side by side, to points `step` apart. */
export function transformTaps(tiling: Tiling, taps: usize, bytes: usize, out: usize, step: usize): void {
  const p1 = 3 * bytes, p2 = 2 * p1;
  const h = splat(0.5);
  for (const end = taps + bytes; taps < end; taps += VECTOR, out += VECTOR) {
    if (tiling == Tiling.four) {
      const w2 = v128.load(taps + 2 * bytes), w3 = v128.load(taps + p1), w4 = v128.load(taps + p1 + bytes);
      differences(w2, w3, w4, out, step);
      const w0 = v128.load(taps), w1 = v128.load(taps + bytes), w5 = v128.load(taps + p2 - bytes), w6 = v128.load(taps + p2);
      differences(f32x4.sub(w4, w2), f32x4.sub(w5, w3), f32x4.sub(w6, w4), out + 3 * step, step);
      differences(f32x4.sub(w0, w2), f32x4.sub(w1, w3), f32x4.sub(w2, w4), out + 6 * step, step);
      continue;
    }
    const a0 = v128.load(taps), a1 = v128.load(taps + bytes), a2 = v128.load(taps + 2 * bytes);
    fiveWeights(a0, a1, a2, out, step);
    if (tiling == Tiling.three) continue;
    const c0 = v128.load(taps + p2), c1 = v128.load(taps + p2 + bytes), c2 = v128.load(taps + p2 + 2 * bytes);
    fiveWeights(c0, c1, c2, out + 15 * step, step);
    const b0 = f32x4.mul(h, v128.load(taps + p1));
    const b1 = f32x4.mul(h, v128.load(taps + p1 + bytes));
    const b2 = f32x4.mul(h, v128.load(taps + p1 + 2 * bytes));
    const s0 = f32x4.mul(h, f32x4.add(a0, c0)), s1 = f32x4.mul(h, f32x4.add(a1, c1)), s2 = f32x4.mul(h, f32x4.add(a2, c2));
    fiveWeights(f32x4.add(s0, b0), f32x4.add(s1, b1), f32x4.add(s2, b2), out + 5 * step, step);
    fiveWeights(f32x4.sub(s0, b0), f32x4.sub(s1, b1), f32x4.sub(s2, b2), out + 10 * step, step);
  }
}

/** x G' of F(3, 3), of three taps. */
function fiveWeights(x0: v128, x1: v128, x2: v128, out: usize, step: usize): void {
  const ends = f32x4.add(x0, x2);
  v128.store(out, x0);
  v128.store(out + step, f32x4.add(ends, x1));
  v128.store(out + 2 * step, f32x4.mul(splat(<f32>(-1.0 / 3.0)), f32x4.sub(ends, x1)));
  const at = multiplyAdd(splat(0.25), x2, multiplyAdd(splat(0.5), x1, x0)); // of 1/2
  v128.store(out + 3 * step, f32x4.mul(splat(<f32>(-8.0 / 3.0)), at));
  v128.store(out + 4 * step, x2);
}

/** Of what two places have of each other: the middle, and by how much the last and the first differ from it. */
function differences(first: v128, middle: v128, last: v128, out: usize, step: usize): void {
  v128.store(out, middle);
  v128.store(out + step, f32x4.sub(last, middle));
  v128.store(out + 2 * step, f32x4.sub(first, middle));
}

/**
 * The output places of the tile whose first one this is, plus bias: of `bytes` of columns at points `step` apart, from the
 * address `place` on. `spare`: for places over the edge.
 */
export function transformProducts(
  w: Window, tiling: Tiling, from: usize, step: usize, bytes: usize, bias: usize, place: usize, first: u32, spare: usize,
): void {
  const dilation = dilationOf(w), count = tileOutputs(tiling);
  const rowBytes = dilation * bytes;
  if (first + (count - 1) * dilation < w.acrossOutput) {
    multiplied(tiling, from, step, bytes, bias, place, rowBytes);
    return;
  }
  multiplied(tiling, from, step, bytes, bias, spare, bytes);
  for (; first < w.acrossOutput; first += dilation, place += rowBytes, spare += bytes) memory.copy(place, spare, bytes);
}

/** A' m: to places `placeStep` apart. */
function multiplied(
  tiling: Tiling, from: usize, step: usize, bytes: usize, bias: usize, out: usize, placeStep: usize,
): void {
  for (const end = from + bytes; from < end; from += VECTOR, bias += VECTOR, out += VECTOR) {
    const b = v128.load(bias);
    let m0 = v128.load(from), m1 = v128.load(from + step), m2 = v128.load(from + 2 * step);
    let at = from + 3 * step;
    if (tiling == Tiling.four) {
      const x0 = f32x4.add(b, f32x4.add(m0, m1)), x1 = f32x4.add(b, f32x4.add(m0, m2));
      m0 = v128.load(at), m1 = v128.load(at + step), m2 = v128.load(at + 2 * step);
      v128.store(out, f32x4.add(x0, f32x4.add(m0, m1)));
      v128.store(out + placeStep, f32x4.add(x1, f32x4.add(m0, m2)));
      at += 3 * step;
      m0 = v128.load(at), m1 = v128.load(at + step), m2 = v128.load(at + 2 * step);
      v128.store(out + 2 * placeStep, f32x4.add(x0, f32x4.add(m0, m1)));
      v128.store(out + 3 * placeStep, f32x4.add(x1, f32x4.add(m0, m2)));
      continue;
    }
    let m3 = v128.load(at), m4 = v128.load(at + step);
    let sum = f32x4.add(m1, m2);
    let y0 = firstOf(m0, sum, m3), y1 = secondOf(m1, m2, m3), y2 = thirdOf(sum, m3, m4);
    if (tiling == Tiling.three) {
      v128.store(out, f32x4.add(b, y0));
      v128.store(out + placeStep, f32x4.add(b, y1));
      v128.store(out + 2 * placeStep, f32x4.add(b, y2));
      continue;
    }
    at += 2 * step;
    m0 = v128.load(at), m1 = v128.load(at + step), m2 = v128.load(at + 2 * step);
    m3 = v128.load(at + 3 * step), m4 = v128.load(at + 4 * step);
    sum = f32x4.add(m1, m2);
    let z0 = firstOf(m0, sum, m3), z1 = secondOf(m1, m2, m3), z2 = thirdOf(sum, m3, m4);
    y0 = f32x4.add(y0, z0), y1 = f32x4.add(y1, z1), y2 = f32x4.add(y2, z2);
    at += 5 * step;
    m0 = v128.load(at), m1 = v128.load(at + step), m2 = v128.load(at + 2 * step);
    m3 = v128.load(at + 3 * step), m4 = v128.load(at + 4 * step);
    sum = f32x4.add(m1, m2);
    const d0 = firstOf(m0, sum, m3), d1 = secondOf(m1, m2, m3), d2 = thirdOf(sum, m3, m4);
    v128.store(out, f32x4.add(b, f32x4.add(y0, d0)));
    v128.store(out + placeStep, f32x4.add(b, f32x4.add(y1, d1)));
    v128.store(out + 2 * placeStep, f32x4.add(b, f32x4.add(y2, d2)));
    z0 = f32x4.sub(z0, d0), z1 = f32x4.sub(z1, d1), z2 = f32x4.sub(z2, d2);
    at += 5 * step;
    m0 = v128.load(at), m1 = v128.load(at + step), m2 = v128.load(at + 2 * step);
    m3 = v128.load(at + 3 * step), m4 = v128.load(at + 4 * step);
    sum = f32x4.add(m1, m2);
    v128.store(out + 3 * placeStep, f32x4.add(b, f32x4.add(z0, firstOf(m0, sum, m3))));
    v128.store(out + 4 * placeStep, f32x4.add(b, f32x4.add(z1, secondOf(m1, m2, m3))));
    v128.store(out + 5 * placeStep, f32x4.add(b, f32x4.add(z2, thirdOf(sum, m3, m4))));
  }
}

/** A' m of F(3, 3), place by place; `sum` is m1 + m2. */
// @ts-ignore: decorator
@inline
function firstOf(m0: v128, sum: v128, m3: v128): v128 {
  return f32x4.add(f32x4.add(m0, m3), sum);
}

// @ts-ignore: decorator
@inline
function secondOf(m1: v128, m2: v128, m3: v128): v128 {
  return multiplyAdd(splat(0.5), m3, f32x4.sub(m1, m2));
}

// @ts-ignore: decorator
@inline
function thirdOf(sum: v128, m3: v128, m4: v128): v128 {
  return f32x4.add(multiplyAdd(splat(0.25), m3, sum), m4);
}
