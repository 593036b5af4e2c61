/** f16 storage: what becomes f16, what stays, and what it does to a step's memory and numbers. */
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import type { FDMOptions } from "../../src/flow/losses/fdm.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { describeProgram } from "../../src/schedule/describe.ts";
import type { PlanLimits, Program, Temporary } from "../../src/schedule/program.ts";
import { drawState, graphOf, trainStep, valuesOf } from "./graphs.ts";
import { HALF, roundToHalf } from "./half.ts";
import { interpret } from "./interpret.ts";
import { limitsByName } from "./limits.ts";

const f32 = limitsByName["webgpu"] as PlanLimits;
const f16: PlanLimits = { ...f32, halvesFrom: 16384 };

const large = { hidden: [512, 512, 512, 512], batchSize: 512 };
const isHalf = ({ placement: { region } }: Temporary) => region.kind === "arena" && region.element === "f16";
const halvesOf = ({ temporaries = [] }: Program) => temporaries.filter(isHalf);

test("f16 rounds to the nearest, even of two, and is infinite beyond its range", () => {
  const tie = 1 + HALF;
  const given = [0, -0, 1, tie, tie + 2 ** -20, 1 + 3 * HALF, -0.1, 65519, -65520, 2 ** -25, 3 * 2 ** -25, Number.NaN];
  const even = [0, -0, 1, 1, 1 + 2 * HALF, 1 + 4 * HALF, -0.0999755859375, 65504, -Infinity, 0, 2 ** -23, Number.NaN];
  expect(given.map(roundToHalf)).toEqual(even);
});

describe("a step of FDM, 4 x 512, batch 512", () => {
  const [whole, halved] = [compile(trainStep({}, large), f32), compile(trainStep({}, large), f16)];

  test("is f16 where layers keep their inputs and products, and in their cotangents, which are scaled", () => {
    const scales = halvesOf(halved).map(({ placement: { length, scale } }) => [length, scale]);
    const [plain, scaled] = [1, 1024].map((scale) => scales.filter(([, found]) => found === scale));
    // Activated rows of each layer, of three once more in reverse mode, and products; cotangents.
    expect(plain).toEqual(Array(4 + 3 + 4).fill([1024 * 512, 1]));
    expect(scaled).toEqual(Array(4).fill([1024 * 512, 1024]));
    expect(scales.length).toBe(15);
  });

  test("keeps points, network's output, losses and the gradient in f32", () => {
    const others = (halved.temporaries ?? []).filter((each) => !isHalf(each));
    const gradient = others.filter(({ placement: { length } }) => length > 4096);
    expect(gradient.map(({ placement: { length } }) => length)).toEqual([791_042]);
  });

  test("has as many calls, fewer bytes moved, and less memory", () => {
    const moved = ({ calls }: Program) => calls.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(halved.calls.length).toBe(whole.calls.length);
    expect(moved(halved)).toBeLessThan(0.7 * moved(whole));
    // Live in the last hidden layer: the products of four, activated rows of two. Nothing else can lie there.
    expect(halved.peakBytes).toBeLessThan(6 * 2 ** 20 + 4 * 791_042 + 2 ** 15);
    expect(halved.peakBytes).toBeLessThan(0.7 * whole.peakBytes);
  });

  test("describe names f16 and its bytes", () => {
    expect(describeProgram(halved)).toMatch(
      /temporaries: 92\d\d\.\d KiB in 4 arenas, 6144\.0 KiB of them f16, at least/,
    );
    expect(describeProgram(halved)).toMatch(/t9 +1024\.0 +\d f16 +\d+\.0 +2 to 3/);
    expect(describeProgram(whole)).not.toMatch(/f16/);
  });
});

test("matrices below the least size stay f32, and so do all without reverse mode", () => {
  expect(halvesOf(compile(trainStep({}, { hidden: [64, 64], batchSize: 64 }), f16))).toEqual([]);
  const network = mlp({ dimension: 2, hidden: [512, 512] });
  const input = (name: string, shape: Shape) => state({ name, shape, dtype: "f32" });
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, input(name, shape)]));
  const [x, t, z] = [input("x", [512, 2]), input("t", [512, 1]), input("z", [512, 2])] as const;
  const v = network.apply(parameters, x, t);
  const [product] = jvp([v], [x], [z]) as [Node];
  expect(halvesOf(compile(graphOf(v, product), f16))).toEqual([]);
});

/** The gradient as the first moment has it, and the metrics, of one step from moments of 0. */
function stepped(graph: Graph, limits: PlanLimits) {
  const widths = Math.sqrt(32);
  const state = new Map(
    [...drawState(graph)].map(([name, { shape, data }]) => {
      const factor = name.startsWith("adam") ? 0 : name === "parameters" ? 1 / widths : 1;
      return [name, { shape, data: data.map((value) => Math.fround(factor * value)) }];
    }),
  );
  const [expected, found] = [valuesOf(graph, state), interpret(compile(graph, limits), state, limits)];
  return { expected: expected.get("adam.first")?.data, found: found.get("adam.first")?.data };
}

describe.each(["webgpu", "five bindings", "no epilogues"])("limits of %s", (name) => {
  const limits = { ...limitsByName[name], halvesFrom: 1024 } as PlanLimits;

  test.each([
    "cfm" as const,
    {},
    { probes: 3 },
    { estimator: "exact" },
    { form: "slice" },
    { fraction: 0.5 },
  ] satisfies (FDMOptions | "cfm")[])("the gradient of a step on %j is off by about one rounding", (loss) => {
    const graph = trainStep(loss, { hidden: [32, 32, 32], batchSize: 32 });
    expect(halvesOf(compile(graph, limits)).length).toBeGreaterThanOrEqual(6);
    const { expected = [], found = [] } = stepped(graph, limits);
    const norm = Math.hypot(...expected);
    const error = Math.hypot(...expected.map((value, i) => value - (found[i] as number))) / norm;
    expect(error).toBeLessThan(HALF);
    expect(error).toBeGreaterThan(1e-6); // f32 would be nearer
  });
});
