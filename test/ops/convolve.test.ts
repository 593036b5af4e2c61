// Products through windows against windows laid side by side (im2col.ts), to second order; and what is refused.
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { type ConvolutionOptions, conv1d, conv2d, convolveOp } from "../../src/ops/convolve.ts";
import { table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { transposed, type Window, windowOf } from "../../src/ops/window.ts";
import { relativeError } from "../differences.ts";
import * as sideBySide from "./im2col.ts";

const drawn = (shape: Shape, stream: number) => table([...new HostRandom(1).normal(sizeOf(shape), stream)], shape);

/** Value, tangent, gradients and the tangent's gradients. */
function quantities(y: Node, inputs: readonly Node[]): Node[] {
  const tangents = inputs.map(({ shape }, i) => drawn(shape, 10 + i));
  const cotangent = drawn(y.shape, 20);
  const [tangent] = jvp([y], inputs, tangents) as [Node];
  return [y, tangent, ...vjp([y], [cotangent], inputs), ...vjp([tangent], [cotangent], [...inputs, ...tangents])];
}

function expectEqual(one: Node, other: Node, inputs: readonly Node[]): void {
  const [found, expected] = [one, other].map((y) => evaluate(quantities(y, inputs)));
  found?.forEach(({ data }, i) => {
    expect(relativeError(data, expected?.[i]?.data as Float64Array)).toBeLessThan(1e-13);
  });
}

const options: readonly ConvolutionOptions[] = [
  {},
  { padding: 1 },
  { padding: 2, dilation: 2 },
  { stride: 2, padding: 1 },
  { stride: 3, padding: 2, dilation: 2 },
  { padding: 4 }, // windows that see zeros alone
];

describe.each(options)("windows of %j", (given) => {
  test.each([1, 2, 3])("%i taps along a sequence", (taps) => {
    const inputs = [drawn([2, 7, 3], 1), drawn([taps, 3, 4], 2), drawn([4], 3)] as const;
    expectEqual(conv1d(...inputs, given), sideBySide.conv1d(...inputs, given), inputs);
  });

  test("3 by 2 taps of images, without a bias", () => {
    const [x, weight] = [drawn([2, 6, 5, 3], 1), drawn([3, 2, 3, 2], 2)];
    const [one, other] = [conv2d(x, weight, undefined, given), sideBySide.conv2d(x, weight, undefined, given)];
    expectEqual(one, other, [x, weight]);
  });
});

test("a window transposed twice is itself", () => {
  const window = windowOf([4, 3, 2, 1, 1, 1, 0], [7, 4, 3, 2, 1, 2, -2]) as Window;
  expect(transposed(window)).not.toEqual(window);
  expect(transposed(transposed(window))).toEqual(window);
});

test("single places are a plain product; strides and zeros around make a window", () => {
  const opOf = (given: ConvolutionOptions) =>
    conv1d(drawn([2, 5, 3], 1), drawn([1, 3, 4], 2), undefined, given).inputs[0];
  expect(isNodeOf(opOf({}) as Node, convolveOp.op)).toBe(false);
  expect(isNodeOf(opOf({ stride: 2 }) as Node, convolveOp.op)).toBe(true);
  expect(isNodeOf(opOf({ padding: 1, stride: 2 }) as Node, convolveOp.op)).toBe(true);
});

test.each([{ stride: 0 }, { padding: -1 }, { padding: 0.5 }, { dilation: 0 }])("%j is refused", (given) => {
  expect(() => conv1d(drawn([2, 5, 3], 1), drawn([2, 3, 4], 2), undefined, given)).toThrow("window of conv1d");
});

test("lists that are no window are refused", () => {
  const attributes = { transposeLeft: false, transposeRight: false, biasRows: 0 };
  const axis = [5, 5, 1, 1, 1, 1, 0];
  const made = (across: readonly number[]) =>
    convolveOp([drawn([2, 5, 3], 1), drawn([3, 4], 2)], { ...attributes, down: [1, 1, 1, 1, 1, 1, 0], across });
  expect(made(axis).shape).toEqual([10, 4]);
  for (const wrong of [axis.slice(1), [5, 5, 0, 1, 1, 1, 0], [5, 5, 1, 0, 1, 1, 0], [5, 5, 1, 1, 1, 1, 0.5]]) {
    expect(() => made(wrong)).toThrow("window of convolve");
  }
});
