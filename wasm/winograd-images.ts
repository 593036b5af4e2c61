/**
 * The transforms of images' tiles, F(2 x 2, 3 x 3), on vectors of four channels or columns (winograd.ts says what they are for):
 *
 *        1  0 -1  0             1   0   0
 *   B' = 0  1  1  0    G = 1/2  1   1   1     A' = 1  1  1  0
 *        0 -1  1  0        1/2  1  -1   1          0  1 -1  1
 *        0 -1  0  1             0   0   1
 *
 * B' d B of a tile's input, G w G' of the weights, A' m A of the products; A c A' of a tile's cotangents and G' m G of what they
 * sum up to. All entries are exact, so that only sums of up to four round.
 */
import { splat, VECTOR } from "./simd";
import { Window } from "./window";

/** Tiles side by side that are transformed together. */
export const RUN: u32 = 8;
/** Lines of scratch: four, for B' d, and one of zeros. */
export const LINES: u32 = 5;

/** Bytes of a line of places that a run of tiles sees. */
// @ts-ignore: decorator
@inline
export function lineBytes(channels: u32): usize {
  return (<usize>(2 * RUN + 2) * channels) << 2;
}

/** The tap of a window that has its taps in order: transposed windows have the last one first. */
// @ts-ignore: decorator
@inline
export function flippedTap(w: Window, tap: u32): u32 {
  const width = w.acrossTaps;
  const down = tap / width, across = tap % width;
  return (w.downDilation < 0 ? w.downTaps - 1 - down : down) * width + (w.acrossDilation < 0 ? width - 1 - across : across);
}

/**
 * B' d B of `run` tiles side by side, from tile (y, x) on, of an image: `width` of its channels, from the address on.
 *   lines: scratch; zeros: a line of them.
 *   out: of a point, tiles `tileStep` bytes apart, vectors of four channels `vectorStep`; points lie `pointStep` apart.
 */
export function transformInputs(
  w: Window, image: usize, y: u32, x: u32, run: u32, width: u32, lines: usize, zeros: usize,
  out: usize, tileStep: usize, vectorStep: usize, pointStep: usize,
): void {
  const placeBytes: usize = <usize>w.channels << 2, bytes: usize = <usize>width << 2;
  const lineStep = lineBytes(width);
  const top = 2 * <i32>y + w.downStart - (w.downDilation < 0 ? 2 : 0);
  const begin = 2 * <i32>x + w.acrossStart - (w.acrossDilation < 0 ? 2 : 0);
  const end = begin + 2 * <i32>run + 2;
  const first = min(max(begin, 0), end), last = max(min(end, w.acrossInput), first);
  const before = <usize>(first - begin) * bytes, inside = <usize>(last - first) * bytes, after = <usize>(end - last) * bytes;
  for (let line: u32 = 0; line < 4; line++) {
    if (before) memory.fill(lines + line * lineStep, 0, before);
    if (after) memory.fill(lines + line * lineStep + before + inside, 0, after);
  }
  const rowBytes: usize = <usize>w.acrossInput * placeBytes;
  const corner = image + <usize>first * placeBytes;
  const d0 = lineOf(w, corner, top, rowBytes, zeros), d1 = lineOf(w, corner, top + 1, rowBytes, zeros);
  const d2 = lineOf(w, corner, top + 2, rowBytes, zeros), d3 = lineOf(w, corner, top + 3, rowBytes, zeros);
  const areAll = width == w.channels; // then all places are one piece
  const piece = areAll ? inside : bytes;
  const next = lines + before;
  for (let place: usize = 0, done: usize = 0; done < inside; place += placeBytes, done += piece) {
    mixLines(d0, d1, d2, d3, place, piece, next + done, lineStep);
  }
  for (let tile: u32 = 0; tile < run; tile++) {
    for (let line: u32 = 0; line < 4; line++) {
      const from = lines + line * lineStep + 2 * tile * bytes;
      mixPlaces(from, bytes, out + tile * tileStep + 4 * line * pointStep, vectorStep, pointStep);
    }
  }
}

/** An input line from the corner's place on; zeros where there is none. */
// @ts-ignore: decorator
@inline
function lineOf(w: Window, corner: usize, line: i32, rowBytes: usize, zeros: usize): usize {
  return line >= 0 && line < w.downInput ? corner + <usize>line * rowBytes : zeros;
}

/** B' d: of `bytes` of four lines, at `place`, to four lines. */
function mixLines(
  d0: usize, d1: usize, d2: usize, d3: usize, place: usize, bytes: usize,
  out: usize, step: usize,
): void {
  const out1 = out + step, out2 = out1 + step, out3 = out2 + step;
  d0 += place, d1 += place, d2 += place, d3 += place;
  for (let i: usize = 0; i < bytes; i += VECTOR) {
    const x0 = v128.load(d0 + i), x1 = v128.load(d1 + i), x2 = v128.load(d2 + i), x3 = v128.load(d3 + i);
    v128.store(out + i, f32x4.sub(x0, x2));
    v128.store(out1 + i, f32x4.add(x1, x2));
    v128.store(out2 + i, f32x4.sub(x2, x1));
    v128.store(out3 + i, f32x4.sub(x3, x1));
  }
}

/** x B: of four places side by side, `bytes` of channels each, to four points. */
function mixPlaces(from: usize, bytes: usize, out: usize, vectorStep: usize, pointStep: usize): void {
  const second = from + bytes, third = second + bytes, fourth = third + bytes;
  const out1 = out + pointStep, out2 = out1 + pointStep, out3 = out2 + pointStep;
  for (let i: usize = 0, o: usize = 0; i < bytes; i += VECTOR, o += vectorStep) {
    const x0 = v128.load(from + i), x1 = v128.load(second + i), x2 = v128.load(third + i), x3 = v128.load(fourth + i);
    v128.store(out + o, f32x4.sub(x0, x2));
    v128.store(out1 + o, f32x4.add(x1, x2));
    v128.store(out2 + o, f32x4.sub(x2, x1));
    v128.store(out3 + o, f32x4.sub(x3, x1));
  }
}

/** G w G' of nine panels, taps in order, `bytes` each and side by side, to 16 points `step` apart. */
export function transformWeights(taps: usize, bytes: usize, out: usize, step: usize): void {
  const h = splat(0.5);
  const second = taps + 3 * bytes, third = second + 3 * bytes;
  for (let i: usize = 0; i < bytes; i += VECTOR, out += VECTOR) {
    const a0 = v128.load(taps + i), a1 = v128.load(taps + i + bytes), a2 = v128.load(taps + i + 2 * bytes);
    const c0 = v128.load(third + i), c1 = v128.load(third + i + bytes), c2 = v128.load(third + i + 2 * bytes);
    const b0 = f32x4.mul(h, v128.load(second + i));
    const b1 = f32x4.mul(h, v128.load(second + i + bytes));
    const b2 = f32x4.mul(h, v128.load(second + i + 2 * bytes));
    weightLine(a0, a1, a2, out, step);
    weightLine(c0, c1, c2, out + 12 * step, step);
    const s0 = f32x4.mul(h, f32x4.add(a0, c0));
    const s1 = f32x4.mul(h, f32x4.add(a1, c1));
    const s2 = f32x4.mul(h, f32x4.add(a2, c2));
    weightLine(f32x4.add(s0, b0), f32x4.add(s1, b1), f32x4.add(s2, b2), out + 4 * step, step);
    weightLine(f32x4.sub(s0, b0), f32x4.sub(s1, b1), f32x4.sub(s2, b2), out + 8 * step, step);
  }
}

/** x G' of three. */
function weightLine(x0: v128, x1: v128, x2: v128, out: usize, step: usize): void {
  const sum = f32x4.mul(splat(0.5), f32x4.add(x0, x2)), middle = f32x4.mul(splat(0.5), x1);
  v128.store(out, x0);
  v128.store(out + step, f32x4.add(sum, middle));
  v128.store(out + 2 * step, f32x4.sub(sum, middle));
  v128.store(out + 3 * step, x2);
}

/** A' m A of a tile, plus bias: of `bytes` of columns at 16 points, `step` apart, to the rows of its four places. */
export function transformOutput(
  from: usize, step: usize, bytes: usize, bias: usize, place: usize, beside: usize, below: usize, diagonal: usize,
): void {
  const line = 4 * step;
  for (let i: usize = 0; i < bytes; i += VECTOR, from += VECTOR) {
    let at = from;
    let x1 = v128.load(at + line), x2 = v128.load(at + 2 * line);
    const upper0 = f32x4.add(v128.load(at), f32x4.add(x1, x2));
    const lower0 = f32x4.add(v128.load(at + 3 * line), f32x4.sub(x1, x2));
    at += step, x1 = v128.load(at + line), x2 = v128.load(at + 2 * line);
    const upper1 = f32x4.add(v128.load(at), f32x4.add(x1, x2));
    const lower1 = f32x4.add(v128.load(at + 3 * line), f32x4.sub(x1, x2));
    at += step, x1 = v128.load(at + line), x2 = v128.load(at + 2 * line);
    const upper2 = f32x4.add(v128.load(at), f32x4.add(x1, x2));
    const lower2 = f32x4.add(v128.load(at + 3 * line), f32x4.sub(x1, x2));
    at += step, x1 = v128.load(at + line), x2 = v128.load(at + 2 * line);
    const upper3 = f32x4.add(v128.load(at), f32x4.add(x1, x2));
    const lower3 = f32x4.add(v128.load(at + 3 * line), f32x4.sub(x1, x2));
    const b = v128.load(bias + i);
    v128.store(place + i, f32x4.add(f32x4.add(upper0, f32x4.add(upper1, upper2)), b));
    v128.store(beside + i, f32x4.add(f32x4.add(upper3, f32x4.sub(upper1, upper2)), b));
    v128.store(below + i, f32x4.add(f32x4.add(lower0, f32x4.add(lower1, lower2)), b));
    v128.store(diagonal + i, f32x4.add(f32x4.add(lower3, f32x4.sub(lower1, lower2)), b));
  }
}

/**
 * A c A' of a tile's cotangents, the rows of its four places, `bytes` of columns, to panels of 8 columns: `panelStep` from panel
 * to panel, points `pointStep` apart.
 */
export function transformCotangents(
  place: usize, beside: usize, below: usize, diagonal: usize, bytes: usize, out: usize, panelStep: usize, pointStep: usize,
): void {
  for (let i: usize = 0; i < bytes; i += 2 * VECTOR, out += panelStep) {
    for (let j: usize = 0; j < 2 * VECTOR; j += VECTOR) {
      const x0 = v128.load(place + i + j), x1 = v128.load(beside + i + j);
      const z0 = v128.load(below + i + j), z1 = v128.load(diagonal + i + j);
      cotangentLine(x0, x1, out + j, pointStep);
      cotangentLine(f32x4.add(x0, z0), f32x4.add(x1, z1), out + j + 4 * pointStep, pointStep);
      cotangentLine(f32x4.sub(x0, z0), f32x4.sub(x1, z1), out + j + 8 * pointStep, pointStep);
      cotangentLine(z0, z1, out + j + 12 * pointStep, pointStep);
    }
  }
}

/** c A' of two. */
// @ts-ignore: decorator
@inline
function cotangentLine(x0: v128, x1: v128, out: usize, step: usize): void {
  v128.store(out, x0);
  v128.store(out + step, f32x4.add(x0, x1));
  v128.store(out + 2 * step, f32x4.sub(x0, x1));
  v128.store(out + 3 * step, x1);
}

/** G' m G of a vector of each point's sums, side by side at `from`: those of the taps, in order, to the same place. */
export function transformSums(from: usize): void {
  const h = splat(0.5);
  for (let line: usize = 0; line < 4; line++) {
    const at = from + line * 4 * VECTOR, to = from + line * 3 * VECTOR;
    const x0 = v128.load(at), x3 = v128.load(at, 3 * VECTOR);
    const x1 = f32x4.mul(h, v128.load(at, VECTOR)), x2 = f32x4.mul(h, v128.load(at, 2 * VECTOR));
    const sum = f32x4.add(x1, x2);
    v128.store(to, f32x4.add(x0, sum));
    v128.store(to, f32x4.sub(x1, x2), VECTOR);
    v128.store(to, f32x4.add(sum, x3), 2 * VECTOR);
  }
  sumLines(from);
}

/** G' m: of four lines of three vectors, to three. */
export function sumLines(from: usize): void {
  const h = splat(0.5);
  for (const end = from + 3 * VECTOR; from < end; from += VECTOR) {
    const x1 = f32x4.mul(h, v128.load(from, 3 * VECTOR)), x2 = f32x4.mul(h, v128.load(from, 6 * VECTOR));
    const sum = f32x4.add(x1, x2);
    const x3 = v128.load(from, 9 * VECTOR);
    v128.store(from, f32x4.add(v128.load(from), sum));
    v128.store(from, f32x4.sub(x1, x2), 3 * VECTOR);
    v128.store(from, f32x4.add(sum, x3), 6 * VECTOR);
  }
}
