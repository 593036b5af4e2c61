/** Films of handwritten digits that move straight on and bounce off the frame's edges, as Moving MNIST has them. */
import { DIGIT_SIDE, type Digits } from "../mnist.ts";
import { uniformSequence } from "../random-numbers.ts";

/** What films are made of. */
export interface FilmSettings {
  /** Pixels of a frame's side: a multiple of 16, whose 7 / 16 is a digit's. */
  readonly side: number;
  /** Digits of a film. */
  readonly digits: number;
  readonly frames: number;
}

export interface Films extends Pick<FilmSettings, "side" | "frames"> {
  readonly count: number;
  /** [count, frames, side, side], grey levels from 0 to 255, where digits meet the darker one. */
  readonly levels: Uint8Array;
}

/** How far a digit goes in a frame, of the way that it has between the edges. */
const PACE = 0.1;

/**
 * Where something is that went `way` from 0 and was turned back at 0 and at `span`: a triangle wave, the closed form of bouncing.
 *
 * @param span - above 0.
 */
export function bounced(way: number, span: number): number {
  const within = ((way % (2 * span)) + 2 * span) % (2 * span);
  return Math.min(within, 2 * span - within);
}

/** Pixels of a digit's side in frames of such a side. */
export const digitSide = (side: number): number => (7 * side) / 16;

/**
 * Films of digits of these rows, from anywhere to anywhere: each digit begins at a place and with a direction drawn uniformly.
 *
 * @param rows - numbers of the digits that are drawn from.
 */
export function drawFilms(
  { side, digits, frames }: FilmSettings,
  { levels: pictures }: Digits,
  rows: ArrayLike<number>,
  count: number,
  seed: number,
): Films {
  const own = digitSide(side);
  const span = side - own;
  const uniform = uniformSequence(seed);
  const levels = new Uint8Array(count * frames * side * side);
  for (let film = 0; film < count; film++) {
    for (let digit = 0; digit < digits; digit++) {
      const row = rows[Math.floor(uniform() * rows.length)] as number;
      const picture = reduced(pictures.subarray(row * DIGIT_SIDE ** 2, (row + 1) * DIGIT_SIDE ** 2), own);
      const [x, y, angle] = [uniform() * span, uniform() * span, uniform() * 2 * Math.PI];
      const [across, down] = [PACE * span * Math.cos(angle), PACE * span * Math.sin(angle)];
      for (let frame = 0; frame < frames; frame++) {
        const first = (film * frames + frame) * side * side;
        const place = [bounced(x + frame * across, span), bounced(y + frame * down, span)] as const;
        put(picture, own, place, levels.subarray(first, first + side * side), side);
      }
    }
  }
  return { count, frames, side, levels };
}

/** A digit of fewer pixels, each the mean of those that it covers. */
function reduced(picture: Uint8Array, side: number): Float64Array {
  const each = DIGIT_SIDE / side;
  return Float64Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side) * each, (i % side) * each];
    let sum = 0;
    for (let k = 0; k < each * each; k++)
      sum += picture[(y + Math.floor(k / each)) * DIGIT_SIDE + x + (k % each)] as number;
    return sum / each ** 2;
  });
}

/** Puts a digit between pixels, by linear interpolation; where there is ink already the darker one stays. */
function put(
  picture: Float64Array,
  own: number,
  [x, y]: readonly [number, number],
  frame: Uint8Array,
  side: number,
): void {
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row >= own || column >= own ? 0 : (picture[row * own + column] as number);
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, low] = [x - left, y - top]; // how much of a pixel falls to the next one
  for (let row = 0; row <= own && top + row < side; row++) {
    for (let column = 0; column <= own && left + column < side; column++) {
      const upper = (1 - right) * at(row - 1, column) + right * at(row - 1, column - 1);
      const lower = (1 - right) * at(row, column) + right * at(row, column - 1);
      const i = (top + row) * side + left + column;
      frame[i] = Math.max(frame[i] as number, Math.round((1 - low) * lower + low * upper));
    }
  }
}
