/** Cases of products whose left operand a window sees: each transposition, epilogues over row groups, column sums. */

import { HostRandom } from "../../src/ops/threefry.ts";
import {
  inputPlaces,
  onePlace,
  outputPlaces,
  tapsOf,
  transposed,
  type Window,
  type WindowAxis,
  windowParameters,
} from "../../src/ops/window.ts";
import type { KernelCase } from "./kernel-case.ts";
import * as oracle from "./kernel-oracle.ts";
import { activated, type ProductCase } from "./kernel-product-cases.ts";

const draws = new HostRandom(20_261_126);
let drawn = 0;
const normals = (count: number) => draws.normal(count, drawn++);

export const axis = (input: number, output: number, taps: number, rest: Partial<WindowAxis> = {}): WindowAxis => {
  return { ...onePlace, input, output, taps, ...rest };
};

/**
 * Sequences and images; taps beyond both ends, strides that leave a rest, dilations, fractions with their rests; rows of
 * places that come four and two at a time, and that do not.
 */
const windows: Readonly<Record<string, Window>> = {
  "a tap of everything": { down: onePlace, across: axis(7, 1, 7) },
  "3 taps": { down: onePlace, across: axis(10, 10, 3, { start: -1 }) },
  "9 taps, dilated": { down: onePlace, across: axis(13, 13, 9, { dilation: 4, start: -16 }) },
  "3 x 3 taps": { down: axis(5, 5, 3, { start: -1 }), across: axis(8, 8, 3, { start: -1 }) },
  "3 x 2 taps, strides 2 and 3": {
    down: axis(6, 3, 3, { stride: 2, start: -1 }),
    across: axis(7, 2, 2, { stride: 3 }),
  },
};

/** Images of a group, channels, columns: 1, 3, whole quads and off them, a depth beyond a slice of each backend. */
const sizes = [
  [1, 1, 1],
  [2, 3, 5],
  [3, 4, 8],
  [2, 6, 33],
  [1, 32, 20],
] as const;

export interface Shape {
  readonly window: Window;
  readonly name: string;
  readonly groups: number;
  readonly images: number;
  readonly channels: number;
  readonly columns: number;
  readonly number: number;
}

function operandsOf({ window, name, groups, images, channels, columns, number }: Shape) {
  const batch = groups * images;
  const lines = batch * outputPlaces(window);
  const width = tapsOf(window) * channels;
  const left = normals(batch * inputPlaces(window) * channels);
  const label = `${groups} groups of ${images} images of ${channels} channels by ${columns}, ${name}, number ${number}`;
  return { lines, width, left, label, window: windowParameters(window, channels) };
}

/** The product of what the window sees; the right operand transposed and the bias on some rows by the case's number. */
function productOf(shape: Shape): ProductCase {
  const { groups, columns, number } = shape;
  const { lines: rows, width: depth, left, label, window } = operandsOf(shape);
  const transposeRight = number % 2;
  const biasRows = [rows / groups, 0, rows][number % 3]!;
  const right = normals(depth * columns).map((value) => value / Math.sqrt(depth));
  const bias = normals(columns);
  const parameters = {
    ...{ rows, columns, depth, transposeLeft: 0, transposeRight, biasRows, groups, sumsDepth: 0 },
    ...window,
  };
  return {
    label: `${label}, transposed ${transposeRight}, bias on ${biasRows} rows`,
    parameters,
    operands: {
      left: { dtype: "f32", values: left },
      right: { dtype: "f32", values: right },
      ...(biasRows > 0 ? { bias: { dtype: "f32" as const, values: bias } } : {}),
    },
    value: oracle.convolve(parameters, left, right, bias),
  };
}

export function plainCase(shape: Shape): KernelCase {
  const { value, label, ...product } = productOf(shape);
  const operands = { ...product.operands, out: { dtype: "f32" as const, expected: value } };
  return { ...product, label: `convolve: ${label}`, kernel: "convolve", operands };
}

export function sumsCase(shape: Shape): KernelCase {
  const { columns } = shape;
  const { lines: depth, width: rows, left, label, window } = operandsOf(shape);
  // Not around 0: one sum alone may cancel, and what is left of it is rounding.
  const right = normals(depth * columns).map((value) => (columns === 1 ? 0.5 : 0) + value / Math.sqrt(depth));
  const sumsDepth = Math.ceil(depth / 2);
  const parameters = {
    ...{ rows, columns, depth, transposeLeft: 1, transposeRight: 0, biasRows: 0, groups: 1, sumsDepth },
    ...window,
  };
  return {
    label: `convolve, left transposed: ${label}`,
    kernel: "convolve",
    parameters,
    operands: {
      left: { dtype: "f32", values: left },
      right: { dtype: "f32", values: right },
      out: { dtype: "f32", expected: oracle.convolve(parameters, left, right, undefined) },
      sums: { dtype: "f32", expected: oracle.columnSums({ columns, sumsDepth }, right) },
    },
  };
}

export function epilogueCase(shape: Shape): KernelCase {
  const groupRows = shape.images * outputPlaces(shape.window);
  return activated("convolve", productOf(shape), { ...shape, groupRows });
}

function casesBy(make: (shape: Shape) => KernelCase, groups: readonly number[]): KernelCase[] {
  let number = 0;
  return Object.entries(windows).flatMap(([name, window], w) =>
    sizes.flatMap(([images, channels, columns], s) => {
      const shown = (w + s) % 2 === 0 ? window : transposed(window);
      const count = groups[(w + s) % groups.length]!;
      return make({
        ...{ window: shown, name: shown === window ? name : `${name} transposed` },
        ...{ groups: count, images, channels, columns, number: number++ },
      });
    }),
  );
}

/** Made anew at each call. */
export const windowCases: Readonly<Record<string, () => KernelCase[]>> = {
  "products of windows": () => [...casesBy(plainCase, [1]), ...casesBy(sumsCase, [1])],
  "products of windows, epilogues": () => casesBy(epilogueCase, [1, 2, 3]),
};
