/**
 * Convolutions in ops that know of no windows: the taps of each side by side, by slices and a concatenation, times the
 * weight. What src/ops/convolve.ts is held against.
 */
import { ConfigError } from "../../src/errors.ts";
import type { Node } from "../../src/graph/node.ts";
import { linear } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { concat, pad, reshape, slice } from "../../src/ops/shape.ts";

export interface ConvolutionOptions {
  /** Input places between neighbouring output places; default 1. */
  readonly stride?: number;
  /** Zeros before and after the input; default 0. */
  readonly padding?: number;
  /** Input places between neighbouring taps; default 1. */
  readonly dilation?: number;
}

/**
 * @param x - [B, L, inputs].
 * @param weight - [taps, inputs, outputs]; PyTorch's [outputs, inputs, taps] with its axes turned round.
 * @param bias - [outputs]; may be left out.
 * @returns [B, L', outputs], L' = floor((L + 2 padding - dilation (taps - 1) - 1) / stride) + 1.
 * @throws {@link ConfigError} when shapes do not fit or the window is longer than the padded input.
 */
export function conv1d(x: Node, weight: Node, bias?: Node, options: ConvolutionOptions = {}): Node {
  const [batch, length, inputs] = x.shape as readonly [number, number, number];
  if (x.shape.length !== 3 || weight.shape.length !== 3 || weight.shape[1] !== inputs) {
    throw mismatch("conv1d", x, weight, "x [B, L, inputs] and weight [taps, inputs, outputs]");
  }
  const [taps, , outputs] = weight.shape as readonly [number, number, number];
  const places = placesOf("conv1d", length, taps, options);
  const windows = concat(tapsAlong(x, 1, taps, places, options), 2);
  const rows = reshape(windows, [batch * places, taps * inputs]);
  return reshape(product(rows, reshape(weight, [taps * inputs, outputs]), bias), [batch, places, outputs]);
}

/**
 * @param x - [B, H, W, inputs].
 * @param weight - [taps down, taps across, inputs, outputs]; PyTorch's is [outputs, inputs, taps down, taps across].
 * @param bias - [outputs]; may be left out.
 * @param options - the same for both axes.
 * @returns [B, H', W', outputs]; sizes as of {@link conv1d}.
 * @throws {@link ConfigError} as {@link conv1d}.
 */
export function conv2d(x: Node, weight: Node, bias?: Node, options: ConvolutionOptions = {}): Node {
  const [batch, height, width, inputs] = x.shape as readonly [number, number, number, number];
  if (x.shape.length !== 4 || weight.shape.length !== 4 || weight.shape[2] !== inputs) {
    throw mismatch("conv2d", x, weight, "x [B, H, W, inputs] and weight [taps down, taps across, inputs, outputs]");
  }
  const [down, across, , outputs] = weight.shape as readonly [number, number, number, number];
  const rowsOut = placesOf("conv2d", height, down, options);
  const columnsOut = placesOf("conv2d", width, across, options);
  const taps = tapsAlong(x, 1, down, rowsOut, options).flatMap((row) => tapsAlong(row, 2, across, columnsOut, options));
  const depth = down * across * inputs;
  const rows = reshape(concat(taps, 3), [batch * rowsOut * columnsOut, depth]);
  return reshape(product(rows, reshape(weight, [depth, outputs]), bias), [batch, rowsOut, columnsOut, outputs]);
}

/** How many places a window of so many taps finds along an axis. */
function placesOf(name: string, size: number, taps: number, options: ConvolutionOptions): number {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const reach = dilation * (taps - 1) + 1;
  const padded = size + 2 * padding;
  if (padded >= reach) return Math.floor((padded - reach) / stride) + 1;
  throw new ConfigError({
    subject: `window of ${name}`,
    given: `${taps} taps over ${reach} places`,
    expected: `at most ${padded} places: ${size} and ${padding} zeros on either side`,
    remedy: "Pad the input, or take fewer taps or a smaller dilation.",
  });
}

/** For each tap, what the windows see of it along `axis`: slices of `places` elements, `stride` apart. */
function tapsAlong(x: Node, axis: number, taps: number, places: number, options: ConvolutionOptions): Node[] {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const size = x.shape[axis] as number;
  // Long enough that a slice of whole strides can be taken from the last tap on.
  const needed = dilation * (taps - 1) + places * stride;
  const padded = pad(x, axis, padding, Math.max(padding, needed - size - padding));
  return Array.from({ length: taps }, (_, tap) => {
    const start = tap * dilation;
    return everyNth(slice(padded, axis, start, start + places * stride), axis, stride);
  });
}

/** Elements 0, n, 2 n, ... along an axis whose size n divides. */
function everyNth(x: Node, axis: number, n: number): Node {
  if (n === 1) return x;
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const count = (x.shape[axis] as number) / n;
  const split = slice(reshape(x, [...before, count, n, ...after]), axis + 1, 0, 1);
  return reshape(split, [...before, count, ...after]);
}

function product(rows: Node, weight: Node, bias: Node | undefined): Node {
  return bias ? linear(rows, weight, bias) : matmul(rows, weight);
}

function mismatch(name: string, x: Node, weight: Node, expected: string): ConfigError {
  return new ConfigError({
    subject: `inputs of ${name}`,
    given: [x.shape, weight.shape],
    expected,
    remedy: "Channels are the last axis of x, and as many as the weight's inputs.",
  });
}
