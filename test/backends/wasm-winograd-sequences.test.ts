// Convolutions of sequences by fewer multiplications: which take that way, how exact it is, to second order, the same bits on any
// threads.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { conv1d } from "../../src/ops/convolve.ts";
import { transposed, type Window } from "../../src/ops/window.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { checkCase, resultsOf } from "../conformance/kernel-case.ts";
import { convolve } from "../conformance/kernel-oracle.ts";
import { alongSequence, sequenceCases } from "../conformance/kernel-winograd-cases.ts";
import { builds, numbers, placement, runOn } from "./wasm-calls.ts";
import { callOf, checkSecondOrder, isFast, largestError, relativeError, type Sizes } from "./wasm-convolutions.ts";

const of = (window: Window, images: number): Sizes => ({ window, images, channels: 16, columns: 16 });
const three = alongSequence(15, 15, 3, 1);
const changed = (across: Partial<Window["across"]>): Window => ({ ...three, across: { ...three.across, ...across } });

describe.each(builds)("relaxed $relaxed", (options) => {
  test.each<[string, boolean, Sizes]>([
    ["3 taps, 65 tiles of 15 places", true, of(three, 13)],
    ["60 tiles", false, of(three, 12)],
    ["12 channels", false, { ...of(three, 13), channels: 12 }],
    ["12 columns", false, { ...of(three, 13), columns: 12 }],
    ["3 taps, 13 places", true, of(alongSequence(13, 13, 3, 1), 13)],
    ["3 taps, 4 places, where there are 2 tiles for them", false, of(alongSequence(4, 4, 3, 1), 40)],
    ["3 taps, every 5th of 15 places", true, of(alongSequence(15, 15, 3, 1, 5), 13)],
    ["3 taps, every 4th of 15 places", false, of(alongSequence(15, 15, 3, 1, 4), 13)],
    ["a stride of 2", false, of(changed({ stride: 2, output: 7 }), 40)],
    ["a fraction of 2", false, of(changed({ fraction: 2 }), 40)],
    ["2 taps", false, of(alongSequence(16, 15, 2, 0), 40)],
    ["5 taps, 24 places", true, of(alongSequence(24, 24, 5, 2), 16)],
    ["4 taps", false, of(alongSequence(24, 24, 4, 2), 40)],
    ["9 taps, 18 places", true, of(alongSequence(18, 18, 9, 4), 22)],
    ["9 taps, 18 places, 63 tiles", false, of(alongSequence(18, 18, 9, 4), 21)],
    ["10 taps", false, of(alongSequence(18, 18, 10, 4), 40)],
    ["7 taps, 4 places", true, of(alongSequence(4, 4, 7, 3), 64)],
    ["7 taps, 4 places, further on", true, of(alongSequence(4, 4, 7, 2), 64)],
    ["9 taps, 3 places", false, of(alongSequence(3, 3, 9, 4), 64)],
    ["7 taps, every 16th of 64 places", true, of(alongSequence(64, 64, 7, 3, 16), 4)],
  ])("%s: %s", async (_, expected, sizes) => {
    const backend = await createWasmBackend(options);
    for (const window of [sizes.window, transposed(sizes.window)]) {
      if (window.across.fraction > 1 && !expected) continue; // its places are others
      expect(await isFast(backend, { ...sizes, window })).toBe(expected);
      expect(await isFast(backend, { ...sizes, window }, 1)).toBe(expected);
    }
    backend.dispose();
  });

  // A sum over taps has up to 5e-7 forward, 1.5e-6 by the weights.
  test.each([
    ["3 taps", alongSequence(15, 15, 3, 1)],
    ["9 taps", alongSequence(36, 36, 9, 4, 2)],
    ["7 taps, 4 places", alongSequence(4, 4, 7, 3)],
  ])("is about as exact as a sum over taps: %s", async (_, window) => {
    const backend = await createWasmBackend(options);
    for (const transposeLeft of [0, 1]) {
      const sizes = { window, images: 72, channels: 64, columns: 32 };
      expect(await largestError(backend, sizes, transposeLeft)).toBeLessThan(1.5e-6);
    }
    backend.dispose();
  });

  test("fewer than nine taps have zeros after them, whatever was in the scratch", async () => {
    const backend = await createWasmBackend(options);
    const calls = [9, 8].map((taps): { call: KernelCall; state: [string, Float32Array][] } => {
      const { parameters, left, right, out } = callOf(of(alongSequence(24, 24, taps, 4), 16));
      const bindings = {
        left: placement(`left${taps}`, left),
        right: placement(`right${taps}`, right),
        out: placement(`out${taps}`, out),
      };
      return {
        call: { kernel: "convolve", label: `${taps} taps`, parameters, bindings, flops: 0, bytes: 0 },
        state: [
          [`left${taps}`, numbers(left, 5)],
          [`right${taps}`, numbers(right, 6)],
          [`out${taps}`, new Float32Array(out)],
        ],
      };
    });
    const after = await runOn(
      backend,
      calls.map(({ call }) => call),
      new Map(calls.flatMap(({ state }) => state)),
    );
    const { parameters } = calls[1]!.call;
    const [, left] = calls[1]!.state[0]!;
    const [, right] = calls[1]!.state[1]!;
    expect(relativeError(after.get("out8") as Float32Array, convolve(parameters, left, right, undefined))).toBeLessThan(
      2e-6,
    );
    backend.dispose();
  });

  test("agrees with f64 on threads, bit for bit with one", { timeout: 60_000 }, async () => {
    const alone = await createWasmBackend(options);
    const team = await createWasmBackend({ ...options, threads: 3 });
    for (const [number, each] of sequenceCases().entries()) {
      await checkCase(alone, each, number);
      if (number % 3 > 0) continue; // of each window some
      expect(await resultsOf(team, each, number), each.label).toEqual(await resultsOf(alone, each, number));
    }
    alone.dispose();
    team.dispose();
  });

  test.each([
    { taps: 3, length: 17, dilation: 1, batch: 24 },
    { taps: 9, length: 26, dilation: 2, batch: 12 },
    { taps: 7, length: 11, dilation: 3, batch: 24 },
  ])("to second order: $taps taps, $length places, every $dilation", async ({ taps, length, dilation, batch }) => {
    const backend = await createWasmBackend(options);
    const padding = ((taps - 1) / 2) * dilation;
    await checkSecondOrder(backend, (x, weight, bias) => conv1d(x, weight, bias, { padding, dilation }), {
      x: [batch, length, 16],
      weights: [
        [taps, 16, 24],
        [taps, 24, 16],
      ],
    });
    backend.dispose();
  });
});
