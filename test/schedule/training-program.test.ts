/** What a training step of 4 hidden layers is promised to take: kernel calls, bytes, FLOPs; compiled and not run. */
import { describe, expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import type { FDMOptions } from "../../src/flow/losses/fdm.ts";
import { sizeOf } from "../../src/graph/node.ts";
import { compile } from "../../src/schedule/compile.ts";
import { describeProgram } from "../../src/schedule/describe.ts";
import type { PlanLimits, Program } from "../../src/schedule/program.ts";
import { type StepOptions, trainStep } from "./graphs.ts";
import { limitsByName } from "./limits.ts";

const LAYERS = 4;
const sizes = { hidden: Array<number>(LAYERS).fill(512), batchSize: 512 };
const programOf = (loss: FDMOptions | "cfm", limits: PlanLimits, options: StepOptions = {}) =>
  compile(trainStep(loss, { ...sizes, ...options }), limits);

const kernelsOf = ({ calls }: Program) => calls.map(({ kernel }) => kernel);
const count = (program: Program, kernel: string) => kernelsOf(program).filter((name) => name === kernel).length;
const flopsOf = ({ calls }: Program) => calls.reduce((total, { flops }) => total + flops, 0);

/** Bytes of the arenas and of all state. */
const bytesOf = ({ peakBytes, state }: Program) =>
  peakBytes + 4 * state.reduce((total, { shape }) => total + sizeOf(shape), 0);

describe.each(["webgpu", "wasm"])("limits of %s", (name) => {
  const limits = limitsByName[name] as PlanLimits;
  const [fdm, cfm, half] = [programOf({}, limits), programOf("cfm", limits), programOf({ fraction: 0.5 }, limits)];

  test.each([
    ["FDM", fdm],
    ["CFM", cfm],
    ["FDM without clipping and EMA", programOf({}, limits, { plain: true })],
  ])("%s: a call a product, one chain before the network, one chain and one sum behind it", (_loss, program) => {
    const [forward, backward, weights] = [LAYERS + 1, LAYERS, LAYERS + 1];
    expect(count(program, "linear")).toBe(forward + backward + weights);
    const network = Array<string>(forward).fill("linear");
    expect(kernelsOf(program).slice(0, forward + 3)).toEqual(["elementwise", ...network, "elementwise", "reduce"]);
    // The gradient's norm, scalars, the row of metrics, the counter, and all vectors of the optimizer at once.
    expect(kernelsOf(program).slice(-5).sort()).toEqual([
      "elementwise",
      "elementwise",
      "elementwise",
      "reduce",
      "replaceRow",
    ]);
    expect(program.calls.length).toBe(22);
  });

  test("clipping, Adam and EMA pass over the parameters once, after the gradient's norm", () => {
    const written = ({ chain }: Program["calls"][number]) =>
      (chain?.stores ?? []).flatMap(({ placement: { region } }) => (region.kind === "state" ? [region.name] : []));
    const vectors = ["adam.first", "adam.second", "ema", "parameters"];
    const writers = fdm.calls.filter((call) => written(call).some((name) => vectors.includes(name)));
    expect(writers.map((call) => written(call).sort())).toEqual([vectors]);
    const [update] = writers;
    const size = update?.chain?.count as number;
    const sweeps = fdm.calls.filter(({ chain, parameters }) => chain?.count === size || parameters["reduced"] === size);
    expect(sweeps.map(({ kernel }) => kernel)).toEqual(["reduce", "elementwise"]);
  });

  test.each([2, 5, 10, 60])("points of dimension %i take at most 30 calls, drawn or from an array", (dimension) => {
    const array = arrayData(
      new Float32Array(3 * dimension).map((_, i) => Math.sin(i)),
      [3, dimension],
    );
    for (const data of [undefined, array]) {
      const program = programOf({}, limits, { dimension, ...(data && { data }) });
      expect(program.calls.length).toBeLessThanOrEqual(30);
      expect(count(program, "copy")).toBe(0);
      const onHalf = programOf({ fraction: 0.5 }, limits, { dimension, ...(data && { data }) });
      expect(count(onHalf, "copy")).toBe(0);
      // Rows without tangents run by themselves where an epilogue takes two groups: 8 products more.
      expect(onHalf.calls.length).toBeLessThanOrEqual(limits.maxEpilogueGroups > 2 ? 28 : 36);
    }
  });

  test("every product of a hidden layer has an epilogue, which keeps what reverse mode reads", () => {
    const epilogues = fdm.calls.filter(({ kernel, chain }) => kernel === "linear" && chain);
    expect(epilogues.length).toBe(2 * LAYERS);
    for (const { parameters } of epilogues) expect(parameters["groups"]).toBe(2);
    const kept = epilogues.filter(({ chain }) => chain?.stores.some(({ source }) => source.from === "product"));
    expect(kept.length).toBe(LAYERS); // forward
  });

  test("bias gradients are summed beside weight gradients", () => {
    const gradients = fdm.calls.filter(({ parameters }) => parameters["transposeLeft"]);
    expect(gradients.map(({ parameters }) => parameters["sumsDepth"])).toEqual(Array(LAYERS + 1).fill(512));
  });

  test("memory is near what the values live at once take", () => {
    for (const program of [fdm, cfm, half]) {
      expect(program.peakBytes).toBeLessThanOrEqual(1.1 * program.lowerBoundBytes);
    }
  });

  test.each([64, 128, 512])("FDM at width %i takes at most 1.4 times CFM's memory, state included", (width) => {
    const hidden = Array<number>(LAYERS).fill(width);
    const [of, other] = [programOf({}, limits, { hidden }), programOf("cfm", limits, { hidden })];
    expect(bytesOf(of)).toBeLessThanOrEqual(1.4 * bytesOf(other));
    expect(of.peakBytes).toBeLessThanOrEqual(1.1 * of.lowerBoundBytes);
  });

  test("no activated row is kept for reverse mode but the last layer's, which begins with it", () => {
    const { temporaries = [] } = fdm;
    const wide = temporaries.filter(({ placement: { length } }) => length === 2 * 512 * 512);
    const first = fdm.calls.findIndex(({ parameters }) => parameters["transposeRight"]);
    const kept = wide.filter(({ firstCall, lastCall }) => firstCall <= first && lastCall > first + 1);
    expect(kept.length).toBe(LAYERS); // the products of all layers but the last; the first cotangents
  });

  test("a fraction of one half costs half a jvp, no copies, and no further chain", () => {
    const most = limits.maxEpilogueGroups;
    // Rows without tangents go through a layer by themselves where an epilogue takes no three groups.
    expect(count(half, "linear")).toBe(most > 2 ? 3 * LAYERS + 2 : 5 * LAYERS + 2);
    expect(half.calls.length).toBe(most > 2 ? 22 : 30);
    expect(count(half, "copy")).toBe(0);
    expect(flopsOf(fdm)).toBeLessThan(2 * flopsOf(cfm));
    expect(flopsOf(half)).toBeLessThan(1.5 * flopsOf(cfm));
  });
});

test("describe says what follows a product, what is kept of it, and what is summed beside it", () => {
  const text = describeProgram(programOf({}, limitsByName["wasm"] as PlanLimits));
  expect(text).toMatch(/22 kernel calls \(14 linear, 5 elementwise, 2 reduce, 1 replaceRow\)/);
  expect(text).toMatch(
    /linear +1024 x 512 x 512 in 2 groups, 3 functions .* t\d+ from p: silu0 silu1 multiply; t\d+ = p = /,
  );
  expect(text).toMatch(/; p = t\d+ parameters\[\d+\.\.\d+\]ᵀ/);
  expect(text).toMatch(/sums of 512 rows of t\d+/);
  expect(text).toMatch(/at least .* KiB in this order/);
  expect(text).toMatch(/t9 +2048\.0 +0 +\d+\.\d +2 to 3\n/); // activated rows of the first layer, made again for a gradient
  expect(text).toMatch(/t28 +2048\.0 +0 +\d+\.\d +15 to 16\n/);
  expect(text).toMatch(/state: .* KiB in 8: .*parameters/);
});
