/**
 * Convolutions. Ours see places and channels [B, places, channels] through a window and give a matrix of a row for each
 * output place; ONNX's take and give channels before places.
 */
import type { ConvolveAttributes } from "../ops/convolve.ts";
import { type Window, type WindowAxis, windowOf } from "../ops/window.ts";
import type { Size } from "../trace/plain.ts";
import { reshaped, transposed } from "./rules-moving.ts";
import { withBias } from "./rules-products.ts";
import { sameSize } from "./sizes.ts";
import { noOperator, type Result, type Rules, type Translation, type Value } from "./translation.ts";

export const convolveRules: Rules = {
  convolve: (node, translation) => {
    const { down, across, transposeLeft, transposeRight } = node.attributes as unknown as ConvolveAttributes;
    const window = windowOf(down, across) as Window;
    const both = [window.down, window.across];
    if (transposeLeft || transposeRight || both.some(({ fraction, dilation }) => fraction !== 1 || dilation < 1)) {
      throw noOperator(node, "a derivative of a convolution");
    }
    const axes = isSequence(window.down) ? [window.across] : both;
    const [x, w, b] = node.inputs as readonly [Value, Value, Value | undefined];
    const [batch, , channels] = x.shape as readonly [Size, Size, Size];
    const [rows, columns] = node.shape as readonly [Size, Size];
    const inputs = axes.map(({ input }) => input);
    const image = reshaped(translation.whole(x), [batch, ...inputs, channels], translation);
    const taps = axes.map((axis) => axis.taps);
    const weight = reshaped(translation.whole(w), [...taps, channels, columns], translation);
    const operands = [channelsFirst(image, translation), outputsFirst(weight, translation)];
    const biasRows = node.attributes["biasRows"] as Size;
    const bias = b && translation.full(b);
    const whole = bias !== undefined && sameSize(biasRows, rows);
    const y = seen(axes, [...operands.map((each) => translation.nameOf(each)), ...(whole ? [bias] : [])], translation);
    const places: Result = { from: y, shape: [batch, columns, ...axes.map(({ output }) => output)] };
    const matrix = reshaped(channelsLast(places, translation), node.shape, translation);
    if (whole || bias === undefined) return matrix;
    return { from: withBias(translation.builder, translation.nameOf(matrix), bias, biasRows), shape: node.shape };
  },
};

/** Whether an axis is one place seen by one tap. */
function isSequence({ input, output, taps, start }: WindowAxis): boolean {
  return input === 1 && output === 1 && taps === 1 && start === 0;
}

/** The convolution of [B, channels, ...places], cut to the window's places: ONNX counts as many as fit. */
function seen(axes: readonly WindowAxis[], [x, ...others]: readonly string[], { builder }: Translation): string {
  // Of a window that begins inside, what it begins with is cut off; before the first place it sees zeros.
  const first = axes.map(({ start }) => Math.max(0, start));
  const before = axes.map(({ start }) => Math.max(0, -start));
  const after = axes.map(({ input, output, taps, stride, dilation, start }) =>
    Math.max(0, (output - 1) * stride + (taps - 1) * dilation + start + 1 - input),
  );
  const counts = axes.map(({ input, taps, stride, dilation, start }, i) => {
    const length = input + (after[i] as number) - start - (dilation * (taps - 1) + 1);
    return Math.floor(length / stride) + 1;
  });
  const cut = (from: string, starts: readonly number[], ends: readonly (number | bigint)[], needed: boolean) => {
    const along = builder.integers(starts.map((_, i) => i + 2));
    return needed ? builder.operation("Slice", [from, builder.integers(starts), builder.integers(ends), along]) : from;
  };
  const read = cut(
    x as string,
    first,
    axes.map(({ input }) => input),
    first.some((start) => start > 0),
  );
  const y = builder.operation("Conv", [read, ...others], {
    kernel_shape: { ints: axes.map(({ taps }) => taps) },
    strides: { ints: axes.map(({ stride }) => stride) },
    dilations: { ints: axes.map(({ dilation }) => dilation) },
    pads: { ints: [...before, ...after] },
  });
  const outputs = axes.map(({ output }) => output);
  return cut(
    y,
    outputs.map(() => 0),
    outputs,
    outputs.some((output, i) => output < (counts[i] as number)),
  );
}

/** [B, ...places, channels] as [B, channels, ...places]. */
function channelsFirst(value: Result, translation: Translation): Result {
  const last = value.shape.length - 1;
  return transposed(value, [0, last, ...value.shape.slice(2).map((_, place) => place + 1)], translation);
}

/** [B, channels, ...places] as [B, ...places, channels]. */
function channelsLast(value: Result, translation: Translation): Result {
  return transposed(value, [0, ...value.shape.slice(2).map((_, place) => place + 2), 1], translation);
}

/** [...taps, inputs, outputs] as [outputs, inputs, ...taps]. */
function outputsFirst(value: Result, translation: Translation): Result {
  const { length } = value.shape;
  return transposed(value, [length - 1, length - 2, ...value.shape.slice(2).map((_, tap) => tap)], translation);
}
