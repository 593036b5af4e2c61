/**
 * Windows: how a product reads images or sequences [B, places, channels] as its left operand, a matrix of a row for each
 * output place and `taps` times `channels` columns, with no copy of them in that order.
 */
import type { HostTensor } from "../graph/op.ts";

/**
 * One axis. Tap k of output place l is input place (l stride + k dilation + start) / fraction, where that is one of
 * 0 .. input - 1; else it is zero.
 */
export interface WindowAxis {
  /** Places of the input and of the output. */
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly fraction: number;
  /** May be negative, and so may `start`. */
  readonly dilation: number;
  readonly start: number;
}

/** Places and taps count row by row: down from 0, and in each across from 0. A sequence is one row. */
export interface Window {
  readonly down: WindowAxis;
  readonly across: WindowAxis;
}

const fields = ["input", "output", "taps", "stride", "fraction", "dilation", "start"] as const;

/** The axis as a list of its numbers, in the order above: what attributes hold of it. */
const numbersOf = (axis: WindowAxis): number[] => fields.map((field) => axis[field]);

/** Both axes as such lists. */
export const windowNumbers = ({ down, across }: Window) => ({ down: numbersOf(down), across: numbersOf(across) });

/** The window of two such lists; undefined where they are none, such as lists of a file may be. */
export function windowOf(down: readonly number[], across: readonly number[]): Window | undefined {
  const isAxis = (numbers: readonly number[]) =>
    numbers.length === fields.length && numbers.every((n, i) => Number.isSafeInteger(n) && (i > 4 || n > 0));
  if (!isAxis(down) || !isAxis(across)) return undefined;
  const axisOf = (numbers: readonly number[]) =>
    Object.fromEntries(fields.map((field, i) => [field, numbers[i]])) as unknown as WindowAxis;
  return { down: axisOf(down), across: axisOf(across) };
}

/** What the kernel `convolve` has among its parameters beside those of `linear`. */
export function windowParameters({ down, across }: Window, channels: number): Record<string, number> {
  const named = (name: string, axis: WindowAxis) =>
    fields.map((field) => [`${name}${field[0]?.toUpperCase()}${field.slice(1)}`, axis[field]] as const);
  return Object.fromEntries([["channels", channels], ...named("down", down), ...named("across", across)]);
}

/** One place, one tap: the axis that a sequence does not have. */
export const onePlace: WindowAxis = { input: 1, output: 1, taps: 1, stride: 1, fraction: 1, dilation: 1, start: 0 };

export const tapsOf = ({ down, across }: Window) => down.taps * across.taps;
export const inputPlaces = ({ down, across }: Window) => down.input * across.input;
export const outputPlaces = ({ down, across }: Window) => down.output * across.output;

/**
 * The window that sees output place l as tap k of input place i wherever the given one sees i as tap k of l: the equation
 * l stride + k dilation + start = i fraction solved for l. Twice is the window itself.
 */
export function transposed({ down, across }: Window): Window {
  return { down: transposedAxis(down), across: transposedAxis(across) };
}

function transposedAxis({ input, output, taps, stride, fraction, dilation, start }: WindowAxis): WindowAxis {
  // 0 - x, since -x of 0 is another number to whoever compares attributes.
  const negated = { dilation: 0 - dilation, start: 0 - start };
  return { input: output, output: input, taps, stride: fraction, fraction: stride, ...negated };
}

/** The input place of tap k of output place l; undefined where there is none. */
function placeOf({ input, stride, fraction, dilation, start }: WindowAxis, l: number, k: number): number | undefined {
  const place = (l * stride + k * dilation + start) / fraction;
  return Number.isInteger(place) && place >= 0 && place < input ? place : undefined;
}

/** The matrix [B output places, taps channels] that a window sees of x [B, input places, channels]. */
export function windowed({ data: from, shape }: HostTensor, window: Window): HostTensor {
  const [batch, places, channels] = shape as [number, number, number];
  const { down, across } = window;
  const depth = tapsOf(window) * channels;
  const rows = batch * outputPlaces(window);
  const data = new Float64Array(rows * depth);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const image = Math.floor(row / outputPlaces(window)) * places;
    const y = Math.floor(row / across.output) % down.output;
    for (let i = 0; i < down.taps; i++) {
      for (let j = 0; j < across.taps; j++, to += channels) {
        const [above, beside] = [placeOf(down, y, i), placeOf(across, row % across.output, j)];
        if (above === undefined || beside === undefined) continue;
        const first = (image + above * across.input + beside) * channels;
        data.set(from.subarray(first, first + channels), to);
      }
    }
  }
  return { shape: [rows, depth], data };
}

/** Of a weight [taps rows, columns] each tap's matrix transposed: [taps columns, rows]. */
export function tapsTransposed({ data: from, shape }: HostTensor, taps: number): HostTensor {
  const [all, columns] = shape as [number, number];
  const rows = all / taps;
  const data = new Float64Array(from.length);
  for (let element = 0; element < from.length; element++) {
    const row = Math.floor(element / columns);
    const [tap, inTap] = [Math.floor(row / rows), row % rows];
    data[(tap * columns + (element % columns)) * rows + inTap] = from[element] as number;
  }
  return { shape: [taps * columns, rows], data };
}
