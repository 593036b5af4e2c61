// Convolutions by fewer multiplications: which take that way, how exact it is, to second order, and the same bits on any threads.
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { activation } from "../../src/ops/activation.ts";
import { conv2d } from "../../src/ops/convolve.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { onePlace, transposed, type Window, windowParameters } from "../../src/ops/window.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { checkCase, resultsOf } from "../conformance/kernel-case.ts";
import { convolve } from "../conformance/kernel-oracle.ts";
import { axis } from "../conformance/kernel-window-cases.ts";
import { threeByThree, winogradCases } from "../conformance/kernel-winograd-cases.ts";
import { builds, callKernel, chainCall, numbers, placement, runOn } from "./wasm-calls.ts";

interface Sizes {
  readonly window: Window;
  readonly images: number;
  readonly channels: number;
  readonly columns: number;
}

function callOf({ window, images, channels, columns }: Sizes, transposeLeft = 0) {
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
 * Whether the backend takes the way of fewer multiplications: there an input that is infinite meets itself with either sign,
 * which gives NaN, at places that do see it; a sum over taps has infinities.
 */
async function isFast(backend: Backend, sizes: Sizes, transposeLeft = 0): Promise<boolean> {
  const { parameters, left, right, out } = callOf(sizes, transposeLeft);
  const images = new Float32Array(left).fill(1);
  images[Math.floor(sizes.window.across.input / 2) * sizes.channels] = Number.POSITIVE_INFINITY; // of the first line
  const inputs = { left: images, right: new Float32Array(right).fill(1) };
  const values = await callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out });
  return values.some((value) => Number.isNaN(value));
}

const typical: Sizes = { window: threeByThree(8, 8, 1), images: 4, channels: 16, columns: 16 };
const { down, across } = typical.window;
const twice = { ...threeByThree(8, 8, 1).down, stride: 2, output: 4 };

describe.each(builds)("relaxed $relaxed", (options) => {
  test.each<[string, boolean, Sizes]>([
    ["3 x 3 taps, 64 tiles, 16 channels", true, typical],
    ["63 tiles", false, { ...typical, images: 3 }],
    ["12 channels", false, { ...typical, channels: 12 }],
    ["18 channels", false, { ...typical, channels: 18 }],
    ["8 columns", false, { ...typical, columns: 8 }],
    ["20 columns", false, { ...typical, columns: 20 }],
    ["3 x 3 places", false, { ...typical, window: threeByThree(3, 3, 1), images: 40 }],
    ["5 x 5 places", true, { ...typical, window: threeByThree(5, 5, 1), images: 40 }],
    [
      "3 taps down only",
      false,
      { ...typical, window: { down, across: { ...onePlace, input: 8, output: 8 } }, images: 9 },
    ],
    [
      "3 taps across only",
      false,
      { ...typical, window: { down: { ...onePlace, input: 8, output: 8 }, across }, images: 9 },
    ],
    ["5 taps", false, { ...typical, window: { down: axis(8, 8, 5, { start: -2 }), across } }],
    ["a stride of 2", false, { ...typical, window: { down: twice, across }, images: 9 }],
    ["a dilation of 2", false, { ...typical, window: { down: { ...down, dilation: 2, start: -2 }, across } }],
    ["a fraction of 2", false, { ...typical, window: { down: { ...down, fraction: 2 }, across } }],
  ])("%s: %s", async (_, expected, sizes) => {
    const backend = await createWasmBackend(options);
    expect(await isFast(backend, sizes)).toBe(expected);
    expect(await isFast(backend, sizes, 1)).toBe(expected);
    backend.dispose();
  });

  test("is as exact as a sum over taps: within 1e-6 of the largest value in f64", async () => {
    const backend = await createWasmBackend(options);
    for (const transposeLeft of [0, 1]) {
      const { parameters, left, right, out } = callOf({ ...typical, channels: 64, columns: 32 }, transposeLeft);
      const inputs = { left: numbers(left, 3), right: numbers(right, 4) };
      const values = await callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out });
      const expected = convolve(parameters, inputs.left, inputs.right, undefined);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(values[i]! - value)), 0);
      expect(error).toBeLessThan(1e-6 * largest);
    }
    backend.dispose();
  });

  test("an element depends on its image alone, not on those beside it", async () => {
    const backend = await createWasmBackend(options);
    const values = async (images: number, first: number) => {
      const { parameters, left, right, out } = callOf({ ...typical, window: threeByThree(9, 7, 1), images });
      const each = left / images;
      const inputs = {
        left: numbers(9 * each, 5).subarray(first * each, first * each + left),
        right: numbers(right, 6),
      };
      return callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out });
    };
    const all = await values(9, 0);
    expect(await values(5, 3)).toEqual(all.slice((3 / 9) * all.length, (8 / 9) * all.length));
    backend.dispose();
  });

  test("weights that ways and windows share are packed for each of them", async () => {
    const backend = await createWasmBackend(options);
    const flipped = { down: transposed(typical.window).down, across: typical.window.across };
    const all = [typical, { ...typical, images: 3 }, { ...typical, window: flipped }].map((sizes) => callOf(sizes));
    const left = numbers(all[0]!.left, 7);
    const right = numbers(all[0]!.right, 8);
    const alone = [];
    for (const { parameters, left: length, out } of all) {
      const inputs = { left: left.subarray(0, length), right };
      alone.push(await callKernel(backend, "convolve", parameters, inputs, { name: "out", length: out }));
    }
    const calls = all.map(({ parameters, left: length, out }, i): KernelCall => {
      const bindings = {
        left: placement("left", length),
        right: placement("right", right.length),
        out: placement(`out${i}`, out),
      };
      return { kernel: "convolve", label: `${i}`, parameters, bindings, flops: 0, bytes: 0 };
    });
    const state = new Map([
      ["left", left],
      ["right", right],
      ...all.map(({ out }, i) => [`out${i}`, new Float32Array(out)] as const),
    ]);
    const results = await runOn(backend, calls, state);
    for (const [i, expected] of alone.entries()) expect(results.get(`out${i}`)).toEqual(expected);
    backend.dispose();
  });

  test("the weights' gradient is summed anew where only cotangents stay as they are", async () => {
    const backend = await createWasmBackend(options);
    const { parameters, left, right, out } = callOf(typical, 1);
    const gradient = (target: string): KernelCall => {
      const bindings = {
        left: placement("left", left),
        right: placement("right", right),
        out: placement(target, out),
      };
      return { kernel: "convolve", label: target, parameters, bindings, flops: 0, bytes: 0 };
    };
    const images = placement("left", left);
    const double = chainCall({
      count: left,
      loads: [{ placement: images, divisor: 1, modulus: left, dtype: "f32" }],
      steps: [{ function: "add", operands: Array(2).fill({ from: "load", index: 0 }), dtype: "f32" }],
      stores: [{ placement: images, source: { from: "step", index: 0 }, dtype: "f32" }],
    });
    const state = new Map([
      ["left", numbers(left, 9)],
      ["right", numbers(right, 10)],
      ["once", new Float32Array(out)],
      ["twice", new Float32Array(out)],
    ]);
    const results = await runOn(backend, [gradient("once"), double, gradient("twice")], state);
    expect(results.get("twice")).toEqual((results.get("once") as Float32Array).map((value) => 2 * value));
    backend.dispose();
  });

  test("agrees with f64 on threads, bit for bit with one", { timeout: 60_000 }, async () => {
    const alone = await createWasmBackend(options);
    const team = await createWasmBackend({ ...options, threads: 3 });
    expect(team.threads).toBe(3);
    for (const [number, each] of winogradCases().entries()) {
      await checkCase(alone, each, number);
      if (number % 3 > 0) continue; // each window, both ways
      expect(await resultsOf(team, each, number), each.label).toEqual(await resultsOf(alone, each, number));
    }
    alone.dispose();
    team.dispose();
  });

  test.each([
    { zeros: 1, height: 9, width: 8 },
    { zeros: 0, height: 8, width: 11 },
  ])("to second order, zeros around: $zeros, $height x $width places", async ({ zeros, height, width }) => {
    const backend = await createWasmBackend(options);
    const { graph, given } = secondOrder(zeros, height, width);
    const expected = evaluate(
      graph.updates.map(({ value }) => value),
      given,
    );
    const program = compile(graph, backend.limits);
    const fast = program.calls.filter(({ kernel, flops }) => kernel === "convolve" && flops > 1e6);
    expect(fast.map(({ parameters: { transposeLeft, transposeRight } }) => [transposeLeft, transposeRight])).toEqual(
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
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = data.reduce((most, value, k) => Math.max(most, Math.abs(found[k]! - value)), 0);
      expect(error, update.state.name).toBeLessThan(2e-5 * largest);
    }
    backend.dispose();
  });
});

/** Two layers with silu between and a bias each: value, tangent, and what a cotangent of both sends back to input and weights. */
function secondOrder(zeros: number, height: number, width: number): { graph: Graph; given: Map<string, HostTensor> } {
  const random = new HostRandom(17);
  const given = new Map<string, HostTensor>();
  const drawn = (name: string, shape: Shape, scale = 1): Node => {
    const data = Float64Array.from(random.normal(sizeOf(shape), given.size), (value) => Math.fround(scale * value));
    given.set(name, { shape, data });
    return state({ name, shape, dtype: "f32" });
  };
  const grown = (places: number) => places + 4 - 4 * zeros; // two layers of them
  const x = drawn("x", [4, grown(height), grown(width), 16]);
  const w1 = drawn("w1", [3, 3, 16, 24], 0.08),
    b1 = drawn("b1", [24]);
  const w2 = drawn("w2", [3, 3, 24, 16], 0.07),
    b2 = drawn("b2", [16]);
  const hidden = activation([conv2d(x, w1, b1, { padding: zeros })], { kind: "silu", order: 0 });
  const y = conv2d(hidden, w2, b2, { padding: zeros });
  const [tangent] = jvp([y], [x], [drawn("along", x.shape)]);
  const outputs = [y, tangent as Node];
  const variables = [x, w1, b1, w2, b2];
  const cotangents = vjp(
    outputs,
    outputs.map(({ shape }, i) => drawn(`back${i}`, shape)),
    variables,
  );
  const results = [...outputs, ...cotangents];
  const updates = results.map((value, i) => {
    return { state: { name: `result${i}`, shape: value.shape, dtype: "f32" as const }, value };
  });
  return { graph: { name: "second order", updates }, given };
}
