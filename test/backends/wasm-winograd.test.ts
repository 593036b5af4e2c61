// Convolutions of images by fewer multiplications: which take that way, how exact it is, to second order, and the same bits on
// any threads.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { conv2d } from "../../src/ops/convolve.ts";
import { onePlace, transposed } from "../../src/ops/window.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { checkCase, resultsOf } from "../conformance/kernel-case.ts";
import { axis } from "../conformance/kernel-window-cases.ts";
import { imageCases, threeByThree } from "../conformance/kernel-winograd-cases.ts";
import { builds, callKernel, chainCall, numbers, placement, runOn } from "./wasm-calls.ts";
import { callOf, checkSecondOrder, isFast, largestError, type Sizes } from "./wasm-convolutions.ts";

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
      expect(await largestError(backend, { ...typical, channels: 64, columns: 32 }, transposeLeft)).toBeLessThan(1e-6);
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
    for (const [number, each] of imageCases().entries()) {
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
    const grown = (places: number) => places + 4 - 4 * zeros; // two layers of them
    await checkSecondOrder(backend, (x, weight, bias) => conv2d(x, weight, bias, { padding: zeros }), {
      x: [4, grown(height), grown(width), 16],
      weights: [
        [3, 3, 16, 24],
        [3, 3, 24, 16],
      ],
    });
    backend.dispose();
  });
});
