/**
 * Convolutions, channels last, as products: W(x) w, where W(x) is x seen through a window (window.ts). Nothing of W(x)'s
 * size lies in memory: kernels read x through the window.
 *
 * The op's derivatives are the op again. With W' the transposed window, and w' the weight with each tap's matrix
 * transposed, which kernels read as it lies (`transposeRight`):
 *
 * | y             | op                | cotangent of x | cotangent of w |
 * |---------------|-------------------|----------------|----------------|
 * | W(x) w        |                   | W'(c) w'       | W(x)^T c       |
 * | W(x) w'       | `transposeRight`  | W'(c) w        | W'(c)^T x      |
 * | W(x)^T w      | `transposeLeft`   | W'(w) c'       | W(x) c         |
 *
 * So a stride of 2 is, seen from its output, a fraction of 2: every other tap sees a place, the others zero. No taps are
 * turned round: W' counts them backwards, by a negative dilation.
 */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases, type OpFunction } from "../graph/op.ts";
import { sumOf } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import { biasCotangent, biasInRows, linear } from "./linear.ts";
import { matmul, multiplyMatrices, withRow } from "./matmul.ts";
import { reshape, slice } from "./shape.ts";
import {
  inputPlaces,
  onePlace,
  outputPlaces,
  tapsOf,
  tapsTransposed,
  transposed,
  type Window,
  type WindowAxis,
  windowed,
  windowNumbers,
  windowOf,
  windowParameters,
} from "./window.ts";

export interface ConvolveAttributes {
  /** The window's axes, as {@link windowNumbers} lists them. */
  readonly down: readonly number[];
  readonly across: readonly number[];
  /** The left operand is W(x)^T. Not together with `transposeRight`, nor with a bias. */
  readonly transposeLeft: boolean;
  /** Of the right operand [taps columns, channels] each tap's matrix is transposed. */
  readonly transposeRight: boolean;
  /** Rows, from the first, that the bias is added to; 0 to all. */
  readonly biasRows: number;
}

/**
 * The inputs are x [B, input places, channels], then w [taps channels, columns] or, with `transposeLeft`,
 * [B output places, columns], then perhaps a bias [columns]; the result is a matrix.
 */
export const convolveOp: OpFunction<ConvolveAttributes> = defineOp<ConvolveAttributes>({
  name: "convolve",
  shape: (shapes, attributes) => {
    const [x, w, bias] = shapes;
    const { down, across, transposeLeft, transposeRight, biasRows } = attributes;
    const window = windowOf(down, across);
    if (!window) throw notAWindow(down, across);
    const [batch = 0, places, channels = 0] = x ?? [];
    const [lines = 0, width = 0] = w ?? [];
    const rows = batch * outputPlaces(window);
    const depth = tapsOf(window) * channels;
    const columns = transposeRight ? lines / tapsOf(window) : width;
    const fits =
      x?.length === 3 &&
      places === inputPlaces(window) &&
      w?.length === 2 &&
      (transposeLeft ? lines === rows : transposeRight ? width === channels : lines === depth);
    const biasFits = bias
      ? bias.length === 1 && bias[0] === columns && biasRows >= 0 && biasRows <= rows
      : biasRows === 0;
    if (fits && biasFits && !(transposeLeft && (transposeRight || bias))) {
      return transposeLeft ? [depth, columns] : [rows, columns];
    }
    throw mismatch("convolve", shapes, "x [B, places, channels], w [taps channels, columns] and a bias [columns]");
  },
  dtype: (given) => expectDTypes("convolve", given, Array<"f32">(given.length).fill("f32"), "f32"),
  jvp: ({ inputs, attributes, shape }, [dx, dw, db]) => {
    const [x, w] = inputs as [Node, Node];
    const plain = { ...attributes, biasRows: 0 };
    return sumOf(
      dx && convolveOp([dx, w], plain),
      dw && convolveOp([x, dw], plain),
      db && biasInRows(db, attributes.biasRows, shape[0] as number),
    );
  },
  vjp: ({ inputs, attributes }, c) => {
    const { transposeLeft, transposeRight, biasRows } = attributes;
    const window = windowSeen(attributes);
    const [x, w, b] = inputs as [Node, Node, Node | undefined];
    const product = (left: Node, right: Node, through: Window, rest: Partial<ConvolveAttributes>) => {
      const images = reshape(left, [x.shape[0] as number, inputPlaces(through), left.shape.at(-1) as number]);
      return convolveOp([images, right], { ...plain(through), ...rest });
    };
    const back = transposed(window);
    if (transposeLeft) {
      return [reshape(product(w, c, back, { transposeRight: true }), x.shape), product(x, c, window, {})];
    }
    const rows = reshape(x, [sizeOf(x.shape.slice(0, 2)), x.shape[2] as number]);
    return [
      reshape(product(c, w, back, { transposeRight: !transposeRight }), x.shape),
      transposeRight ? product(c, rows, back, { transposeLeft: true }) : product(x, c, window, { transposeLeft: true }),
      b && biasCotangent(b, c, biasRows),
    ];
  },
  reference: ([x, w, bias], attributes, shape) => {
    const { transposeLeft, transposeRight, biasRows } = attributes;
    const window = windowSeen(attributes);
    const right = transposeRight ? tapsTransposed(w as HostTensor, tapsOf(window)) : (w as HostTensor);
    const left = windowed(x as HostTensor, window);
    const product = multiplyMatrices(left, right, { transposeLeft, transposeRight: false }, shape);
    return bias ? withRow(product, bias, biasRows) : product;
  },
  product: ({ attributes: { down, across, ...product } }) => {
    const key = JSON.stringify([down, across]);
    return { ...product, seen: { key, make: (inputs, given) => convolveOp(inputs, { down, across, ...given }) } };
  },
  call: ({ inputs, attributes, shape }) => {
    const [left, right] = inputs as [Node, Node];
    const { transposeLeft, transposeRight, biasRows } = attributes;
    const [rows, columns] = shape as [number, number];
    const depth = sizeOf(right.shape) / columns;
    const flags = { transposeLeft: Number(transposeLeft), transposeRight: Number(transposeRight), biasRows };
    return {
      kernel: "convolve",
      parameters: {
        ...{ rows, columns, depth, ...flags },
        ...windowParameters(windowSeen(attributes), left.shape.at(-1) as number),
      },
      reads: biasRows > 0 ? ["left", "right", "bias"] : ["left", "right"],
      write: "out",
      flops: 2 * rows * columns * depth + biasRows * columns,
      label: ([x, w, bias]) => {
        const matrix = transposeLeft ? `(windows of ${x})ᵀ` : `windows of ${x}`;
        return `${matrix} ${w}${transposeRight ? "ᵀ" : ""}${bias ? ` + ${bias}` : ""}`;
      },
    };
  },
});

export const convolveCases: OpCases<ConvolveAttributes> = () => {
  const sequence = (across: Partial<WindowAxis>): Window => ({ down: onePlace, across: { ...onePlace, ...across } });
  const axis = { input: 5, output: 5, taps: 3, start: -1 };
  const strided = sequence({ input: 7, output: 4, taps: 3, stride: 2, dilation: 2, start: -2 });
  const square: Window = {
    down: { ...onePlace, input: 4, output: 3, taps: 2 },
    across: { ...onePlace, ...axis },
  };
  return [
    { shapes: [[2, 5, 4], [12, 3], [3]], attributes: { ...plain(sequence(axis)), biasRows: 10 } },
    { shapes: [[2, 5, 4], [12, 3], [3]], attributes: { ...plain(sequence(axis)), biasRows: 5 } },
    {
      shapes: [
        [3, 7, 2],
        [6, 5],
      ],
      attributes: plain(strided),
    },
    {
      shapes: [
        [3, 4, 2],
        [15, 2],
      ],
      attributes: { ...plain(transposed(strided)), transposeRight: true },
    },
    {
      shapes: [
        [3, 7, 2],
        [12, 5],
      ],
      attributes: { ...plain(strided), transposeLeft: true },
    },
    { shapes: [[2, 20, 3], [18, 4], [4]], attributes: { ...plain(square), biasRows: 30 } },
    {
      shapes: [
        [2, 15, 4],
        [18, 4],
      ],
      attributes: { ...plain(transposed(square)), transposeRight: true },
    },
    {
      shapes: [
        [2, 20, 4],
        [30, 1],
      ],
      attributes: { ...plain(square), transposeLeft: true },
    },
  ];
};

const plain = (window: Window): ConvolveAttributes => {
  return { ...windowNumbers(window), transposeLeft: false, transposeRight: false, biasRows: 0 };
};

/** The window of a node, which its shape rule has passed. */
const windowSeen = ({ down, across }: Pick<ConvolveAttributes, "down" | "across">) => windowOf(down, across) as Window;

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
    throw mismatch("conv1d", [x.shape, weight.shape], "x [B, L, inputs] and weight [taps, inputs, outputs]");
  }
  const across = axisOf("conv1d", length, weight.shape[0] as number, options);
  const rows = convolved(x, weight, bias, { down: onePlace, across });
  return reshape(rows, [batch, across.output, weight.shape[2] as number]);
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
    const expected = "x [B, H, W, inputs] and weight [taps down, taps across, inputs, outputs]";
    throw mismatch("conv2d", [x.shape, weight.shape], expected);
  }
  const down = axisOf("conv2d", height, weight.shape[0] as number, options);
  const across = axisOf("conv2d", width, weight.shape[1] as number, options);
  const images = reshape(x, [batch, height * width, inputs]);
  const rows = convolved(images, weight, bias, { down, across });
  return reshape(rows, [batch, down.output, across.output, weight.shape[3] as number]);
}

/**
 * The product [B output places, outputs] of x [B, input places, inputs]: a plain one where windows are single places. Taps
 * that see zeros alone, as those of a dilation beyond the input do, are left out with their weights.
 */
function convolved(x: Node, given: Node, bias: Node | undefined, whole: Window): Node {
  const [batch, places, inputs] = x.shape as readonly [number, number, number];
  const [fromDown, down] = withoutBlindTaps(whole.down);
  const [fromAcross, across] = withoutBlindTaps(whole.across);
  const window = { down, across };
  let weight = given;
  if (across.taps < whole.across.taps) {
    weight = slice(weight, weight.shape.length - 3, fromAcross, fromAcross + across.taps);
  }
  if (down.taps < whole.down.taps) weight = slice(weight, 0, fromDown, fromDown + down.taps);
  const w = reshape(weight, [tapsOf(window) * inputs, weight.shape.at(-1) as number]);
  if ([down, across].every(isSinglePlace)) {
    const rows = reshape(x, [batch * places, inputs]);
    return bias ? linear(rows, w, bias) : matmul(rows, w);
  }
  const biasRows = bias ? batch * outputPlaces(window) : 0;
  return convolveOp(bias ? [x, w, bias] : [x, w], { ...plain(window), biasRows });
}

const isSinglePlace = ({ input, output, taps, stride, start }: WindowAxis) =>
  taps === 1 && stride === 1 && start === 0 && input === output;

/** The first tap that sees a place of the input at some output place, and the axis of the taps from there to the last one. */
function withoutBlindTaps(axis: WindowAxis): [first: number, seeing: WindowAxis] {
  const { input, output, taps, stride, dilation, start } = axis;
  const sees = (tap: number) => {
    const first = tap * dilation + start; // at output place 0; then a stride further at each
    const next = first + Math.ceil(Math.max(0, -first) / stride) * stride;
    return next < input && next <= first + (output - 1) * stride;
  };
  const seeing = Array.from({ length: taps }, (_, tap) => tap).filter(sees);
  const [first = 0, last = first] = [seeing[0], seeing.at(-1)];
  return [first, { ...axis, taps: last - first + 1, start: start + first * dilation }];
}

/** The axis of a window of so many taps over an input of this size, with zeros around it. */
function axisOf(name: string, input: number, taps: number, options: ConvolutionOptions): WindowAxis {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const areWhole = [stride, padding, dilation].every(Number.isInteger);
  if (!areWhole || stride < 1 || padding < 0 || dilation < 1) {
    throw new ConfigError({
      subject: `window of ${name}`,
      given: { stride, padding, dilation },
      expected: "whole numbers, stride and dilation at least 1, padding at least 0",
      remedy: "With an even number of taps say the padding.",
    });
  }
  const reach = dilation * (taps - 1) + 1;
  const padded = input + 2 * padding;
  if (padded >= reach) {
    const output = Math.floor((padded - reach) / stride) + 1;
    return { input, output, taps, stride, fraction: 1, dilation, start: 0 - padding };
  }
  throw new ConfigError({
    subject: `window of ${name}`,
    given: `${taps} taps over ${reach} places`,
    expected: `at most ${padded} places: ${input} and ${padding} zeros on either side`,
    remedy: "Pad the input, or take fewer taps or a smaller dilation.",
  });
}

function notAWindow(down: unknown, across: unknown): ConfigError {
  return new ConfigError({
    subject: "window of convolve",
    given: { down, across },
    expected:
      "two lists of seven integers: input, output, taps, stride, fraction, dilation, start; all but two above 0",
    remedy: "Make it with conv1d or conv2d.",
  });
}

function mismatch(name: string, given: readonly Shape[], expected: string): ConfigError {
  return new ConfigError({
    subject: `inputs of ${name}`,
    given,
    expected,
    remedy: "Channels are the last axis of x, and as many as the weight's inputs.",
  });
}
