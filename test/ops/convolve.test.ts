// Products through windows against the definition of a convolution (direct-convolution.ts), to second order; what is refused.
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
import { definition, type Given } from "./direct-convolution.ts";

const drawn = (shape: Shape, stream: number) => table([...new HostRandom(1).normal(sizeOf(shape), stream)], shape);

/** Value, tangent, gradients and the tangent's gradients, in f64. */
function quantities(y: Node, inputs: readonly Node[]): readonly Float64Array[] {
  const tangents = inputs.map(({ shape }, i) => drawn(shape, 10 + i));
  const cotangent = drawn(y.shape, 20);
  const [tangent] = jvp([y], inputs, tangents) as [Node];
  const backward = vjp([y], [cotangent], inputs);
  const found = [y, tangent, ...backward, ...vjp([tangent], [cotangent], [...inputs, ...tangents])];
  return evaluate(found).map(({ data }) => Float64Array.from(data));
}

/** The same by definition: the value is linear in each input, and its tangent in each input and tangent. */
function defined(inputs: readonly Node[], given: ConvolutionOptions): readonly Float64Array[] {
  const valuesOf = (shapes: readonly Shape[], stream: number): Given => {
    const [x, weight, bias] = evaluate(shapes.map((shape, i) => drawn(shape, stream + i))).map(({ data }) =>
      Float64Array.from(data),
    ) as [Float64Array, Float64Array, Float64Array | undefined];
    return { x, weight, bias };
  };
  const shapes = inputs.map(({ shape }) => shape);
  const [at, along] = [valuesOf(shapes, 1), valuesOf(shapes, 10)];
  const convolution = definition(shapes[0]!, shapes[1]!, given);
  const [cotangent] = evaluate([drawn(convolution.shape, 20)]).map(({ data }) => Float64Array.from(data));
  const listed = ({ x, weight, bias }: Given) => [x, weight, ...(bias ? [bias] : [])];
  const alongX = convolution.value({ x: along.x, weight: at.weight, bias: along.bias });
  const alongWeight = convolution.value({ x: at.x, weight: along.weight });
  const gradients = (of: Given) => convolution.gradients(of, cotangent!);
  const byInputs = gradients({ x: along.x, weight: along.weight }); // the bias is in no tangent of a tangent
  return [
    convolution.value(at),
    alongX.map((value, i) => value + (alongWeight[i] as number)),
    ...listed(gradients(at)),
    ...[byInputs.x, byInputs.weight, ...(at.bias ? [new Float64Array(at.bias.length)] : [])],
    ...listed(gradients(at)),
  ];
}

function expectDefined(y: Node, inputs: readonly Node[], given: ConvolutionOptions): void {
  const [found, expected] = [quantities(y, inputs), defined(inputs, given)];
  expect(found).toHaveLength(expected.length);
  found.forEach((data, i) => {
    expect(relativeError(data, expected[i]!)).toBeLessThan(1e-13);
  });
}

const options: readonly ConvolutionOptions[] = [
  {},
  { padding: 1 },
  { padding: 2, dilation: 2 },
  { stride: 2, padding: 1 },
  { stride: 3, padding: 2, dilation: 2 },
  { padding: 4 }, // windows that see zeros alone
  { padding: 8, dilation: 8 }, // taps that do
  { padding: 5, dilation: 4 },
  { padding: 9, dilation: 9, stride: 2 },
];

describe.each(options)("windows of %j", (given) => {
  test.each([1, 2, 3])("%i taps along a sequence", (taps) => {
    const inputs = [drawn([2, 7, 3], 1), drawn([taps, 3, 4], 2), drawn([4], 3)] as const;
    const y = conv1d(...inputs, given);
    expect(y.shape).toEqual(definition([2, 7, 3], [taps, 3, 4], given).shape);
    expectDefined(y, inputs, given);
  });

  test("3 by 2 taps of images, without a bias", () => {
    const [x, weight] = [drawn([2, 6, 5, 3], 1), drawn([3, 2, 3, 2], 2)];
    const y = conv2d(x, weight, undefined, given);
    expect(y.shape).toEqual(definition(x.shape, weight.shape, given).shape);
    expectDefined(y, [x, weight], given);
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

test("taps that see zeros alone are left out", () => {
  const tapsOf = (taps: number, given: ConvolutionOptions) => {
    const { inputs } = conv1d(drawn([2, 5, 3], 1), drawn([taps, 3, 4], 2), undefined, given);
    return (inputs[0]?.inputs[1]?.shape[0] as number) / 3;
  };
  expect(tapsOf(9, { padding: 16, dilation: 4 })).toBe(3); // 4 places to either side
  expect(tapsOf(9, { padding: 20, dilation: 5 })).toBe(1); // 5 are one too many
  expect(tapsOf(3, { padding: 1 })).toBe(3);
  expect(tapsOf(3, { padding: 4, dilation: 4, stride: 5 })).toBe(2); // one output place, which sees its own and the last
  const image = conv2d(drawn([1, 2, 6, 3], 1), drawn([3, 3, 3, 4], 2), undefined, { padding: 2, dilation: 2 });
  expect(image.inputs[0]?.inputs[1]?.shape).toEqual([1 * 3 * 3, 4]);
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
