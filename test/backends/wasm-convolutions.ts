/** Convolutions as single calls of the WASM backend, and layers of them to second order. */
import { expect } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Backend } from "../../src/backends/backend.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { activation } from "../../src/ops/activation.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { type Window, windowParameters } from "../../src/ops/window.ts";
import { compile } from "../../src/schedule/compile.ts";
import { convolve } from "../conformance/kernel-oracle.ts";
import { callKernel, numbers } from "./wasm-calls.ts";

export interface Sizes {
  readonly window: Window;
  readonly images: number;
  readonly channels: number;
  readonly columns: number;
}

/** The call's parameters, and how long its operands are. */
export function callOf({ window, images, channels, columns }: Sizes, transposeLeft = 0) {
  const places = window.down.output * window.across.output;
  const lines = images * places;
  const width = window.down.taps * window.across.taps * channels;
  const [rows, depth] = transposeLeft ? [width, lines] : [lines, width];
  const parameters = { rows, columns, depth, transposeLeft, transposeRight: 0, biasRows: 0 };
  return {
    parameters: { ...parameters, ...windowParameters(window, channels) },
    left: images * window.down.input * window.across.input * channels,
    right: depth * columns,
    out: rows * columns,
  };
}

/**
 * Whether the backend takes a way of fewer multiplications: there an input that is infinite meets itself with either sign,
 * which gives NaN, at places that do see it; a sum over taps has infinities.
 */
export async function isFast(backend: Backend, sizes: Sizes, transposeLeft = 0): Promise<boolean> {
  const { parameters, left, right, out } = callOf(sizes, transposeLeft);
  const images = new Float32Array(left).fill(1);
  images[Math.floor(sizes.window.across.input / 2) * sizes.channels] = Number.POSITIVE_INFINITY; // of the first line
  const inputs = { left: images, right: new Float32Array(right).fill(1) };
  const values = await callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out });
  return values.some((value) => Number.isNaN(value));
}

/** The largest error of a call on uniform inputs, by the largest value in f64. */
export async function largestError(backend: Backend, sizes: Sizes, transposeLeft: number): Promise<number> {
  const { parameters, left, right, out } = callOf(sizes, transposeLeft);
  const inputs = { left: numbers(left, 3), right: numbers(right, 4) };
  const values = await callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out });
  return relativeError(values, convolve(parameters, inputs.left, inputs.right, undefined));
}

/** The largest difference by the largest value expected. */
export function relativeError(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  const all = Array.from(expected);
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return all.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0) / largest;
}

/**
 * Holds two layers with silu between and a bias each to f64: value, tangent, and what a cotangent of both sends back to input and
 * weights.
 * @param layer - a convolution of x by weights and bias.
 */
export async function checkSecondOrder(
  backend: Backend,
  layer: (x: Node, weight: Node, bias: Node) => Node,
  shapes: { readonly x: Shape; readonly weights: readonly [Shape, Shape] },
): Promise<void> {
  const { graph, given } = secondOrder(layer, shapes);
  const expected = evaluate(
    graph.updates.map(({ value }) => value),
    given,
  );
  const program = compile(graph, backend.limits);
  const large = program.calls.filter(({ kernel, flops }) => kernel === "convolve" && flops > 1e6);
  expect(large.map(({ parameters: { transposeLeft, transposeRight } }) => [transposeLeft, transposeRight])).toEqual(
    expect.arrayContaining([
      [0, 0],
      [0, 1],
      [1, 0],
    ]),
  );
  const buffers = new Map(program.state.map(({ name, shape }) => [name, backend.createState(name, sizeOf(shape))]));
  for (const [name, { data }] of given) backend.write(buffers.get(name)!, 0, Float32Array.from(data));
  (await backend.load(program, buffers)).run(1);
  for (const [i, update] of graph.updates.entries()) {
    const { data } = expected[i]!;
    const found = await backend.read(buffers.get(update.state.name)!, 0, data.length, "f32");
    expect(relativeError(found, data), update.state.name).toBeLessThan(2e-5);
  }
}

function secondOrder(
  layer: (x: Node, weight: Node, bias: Node) => Node,
  shapes: { readonly x: Shape; readonly weights: readonly [Shape, Shape] },
): { graph: Graph; given: Map<string, HostTensor> } {
  const random = new HostRandom(17);
  const given = new Map<string, HostTensor>();
  const drawn = (name: string, shape: Shape, scale = 1): Node => {
    const data = Float64Array.from(random.normal(sizeOf(shape), given.size), (value) => Math.fround(scale * value));
    given.set(name, { shape, data });
    return state({ name, shape, dtype: "f32" });
  };
  const weightOf = (name: string, shape: Shape) => drawn(name, shape, 1 / Math.sqrt(sizeOf(shape.slice(0, -1))));
  const [first, second] = shapes.weights;
  const x = drawn("x", shapes.x);
  const w1 = weightOf("w1", first),
    b1 = drawn("b1", first.slice(-1));
  const w2 = weightOf("w2", second),
    b2 = drawn("b2", second.slice(-1));
  const y = layer(activation([layer(x, w1, b1)], { kind: "silu", order: 0 }), w2, b2);
  const [tangent] = jvp([y], [x], [drawn("along", x.shape)]);
  const outputs = [y, tangent as Node];
  const cotangents = vjp(
    outputs,
    outputs.map(({ shape }, i) => drawn(`back${i}`, shape)),
    [x, w1, b1, w2, b2],
  );
  const updates = [...outputs, ...cotangents].map((value, i) => {
    return { state: { name: `result${i}`, shape: value.shape, dtype: "f32" as const }, value };
  });
  return { graph: { name: "second order", updates }, given };
}
