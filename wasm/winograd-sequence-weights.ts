/**
 * The transforms of the gradient by a sequence's taps (winograd-sequences.ts has the matrices): A c of a tile's cotangents, G' m
 * of what they sum up to; along both axes where there are two.
 */
import { multiplyAdd, splat, VECTOR } from "./simd";
import { sumLines } from "./winograd-images";
import { gathered, threePoints } from "./winograd-sequences";
import { dilationOf, Tiling, tileOutputs } from "./winograd-tiles";
import { Window } from "./window";

/**
 * Of the tile whose first output place this is: `bytes` of columns, from the sequence's address on, rows `rowBytes` apart, to
 * panels of 8 columns: `panelStep` from panel to panel, points `pointStep` apart. `spare`: for places over the edge.
 */
export function transformPlaceCotangents(
  w: Window, tiling: Tiling, sequence: usize, first: u32, rowBytes: usize, bytes: usize, spare: usize,
  out: usize, panelStep: usize, pointStep: usize,
): void {
  const dilation = dilationOf(w);
  let from = gathered(sequence, first, dilation, tileOutputs(tiling), w.acrossOutput, rowBytes, bytes, spare);
  const step = from == spare ? bytes : dilation * rowBytes;
  const p1 = 3 * step;
  for (let i: usize = 0; i < bytes; i += VECTOR, from += VECTOR) {
    const to = out + (i >> 5) * panelStep + (i & VECTOR);
    const x0 = v128.load(from), x1 = v128.load(from + step), x2 = v128.load(from + 2 * step);
    if (tiling == Tiling.four) {
      const x3 = v128.load(from + p1);
      threePoints(f32x4.add(x0, x2), f32x4.add(x1, x3), false, to, pointStep);
      threePoints(x0, x1, false, to + 3 * pointStep, pointStep);
      threePoints(x2, x3, false, to + 6 * pointStep, pointStep);
      continue;
    }
    fiveCotangents(x0, x1, x2, to, pointStep);
    if (tiling == Tiling.three) continue;
    const z0 = v128.load(from + p1), z1 = v128.load(from + p1 + step), z2 = v128.load(from + p1 + 2 * step);
    fiveCotangents(f32x4.add(x0, z0), f32x4.add(x1, z1), f32x4.add(x2, z2), to + 5 * pointStep, pointStep);
    fiveCotangents(f32x4.sub(x0, z0), f32x4.sub(x1, z1), f32x4.sub(x2, z2), to + 10 * pointStep, pointStep);
    fiveCotangents(z0, z1, z2, to + 15 * pointStep, pointStep);
  }
}

/** c A' of F(3, 3), of three places. */
function fiveCotangents(x0: v128, x1: v128, x2: v128, out: usize, step: usize): void {
  const ends = f32x4.add(x0, x2);
  v128.store(out, x0);
  v128.store(out + step, f32x4.add(ends, x1));
  v128.store(out + 2 * step, f32x4.sub(ends, x1));
  v128.store(out + 3 * step, multiplyAdd(splat(0.25), x2, multiplyAdd(splat(0.5), x1, x0)));
  v128.store(out + 4 * step, x2);
}

/** Of a vector of each point's sums, side by side at `from`: those of the taps, in order, to the same place. */
export function transformTapSums(tiling: Tiling, from: usize): void {
  if (tiling == Tiling.four) {
    sevenTaps(from);
    return;
  }
  threeTaps(from, from);
  if (tiling == Tiling.three) return;
  threeTaps(from + 5 * VECTOR, from + 3 * VECTOR);
  threeTaps(from + 10 * VECTOR, from + 6 * VECTOR);
  threeTaps(from + 15 * VECTOR, from + 9 * VECTOR);
  sumLines(from);
}

/** m G of F(3, 3), of five sums. */
function threeTaps(from: usize, to: usize): void {
  const x0 = v128.load(from), x1 = v128.load(from, VECTOR), x4 = v128.load(from, 4 * VECTOR);
  const x2 = f32x4.mul(splat(<f32>(-1.0 / 3.0)), v128.load(from, 2 * VECTOR));
  const x3 = f32x4.mul(splat(<f32>(-8.0 / 3.0)), v128.load(from, 3 * VECTOR));
  const ends = f32x4.add(x1, x2);
  v128.store(to, f32x4.add(f32x4.add(x0, x3), ends));
  v128.store(to, multiplyAdd(splat(0.5), x3, f32x4.sub(x1, x2)), VECTOR);
  v128.store(to, f32x4.add(multiplyAdd(splat(0.25), x3, ends), x4), 2 * VECTOR);
}

/** Of the sums of 3 x 3 points, which matrices are of two by two: what they have of the same tap is added up. */
function sevenTaps(from: usize): void {
  for (let line: usize = 0; line < 3; line++) tapsOfTwo(from + line * 3 * VECTOR, VECTOR);
  for (let tap: usize = 0; tap < 3; tap++) tapsOfTwo(from + tap * VECTOR, 3 * VECTOR);
  const x2 = f32x4.add(v128.load(from, 2 * VECTOR), v128.load(from, 3 * VECTOR)), x3 = v128.load(from, 4 * VECTOR);
  const x4 = f32x4.add(v128.load(from, 5 * VECTOR), v128.load(from, 6 * VECTOR));
  v128.store(from, x2, 2 * VECTOR);
  v128.store(from, x3, 3 * VECTOR);
  v128.store(from, x4, 4 * VECTOR);
  v128.store(from, v128.load(from, 7 * VECTOR), 5 * VECTOR);
  v128.store(from, v128.load(from, 8 * VECTOR), 6 * VECTOR);
}

/** Three sums `step` apart, to those of the first, the middle and the last tap. */
function tapsOfTwo(from: usize, step: usize): void {
  const x0 = v128.load(from), last = v128.load(from + step), first = v128.load(from + 2 * step);
  v128.store(from, first);
  v128.store(from + step, f32x4.sub(f32x4.sub(x0, last), first));
  v128.store(from + 2 * step, last);
}
