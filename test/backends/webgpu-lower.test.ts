import { describe, expect, test } from "vitest";
import { declarationsFor } from "../../src/backends/webgpu/declarations.ts";
import { chooseLinear, type DeviceTraits, linearGrid, linearKernels } from "../../src/backends/webgpu/linear-choice.ts";
import { lower } from "../../src/backends/webgpu/lower.ts";
import { handMadeProgram, kernelCall } from "../conformance/kernel-programs.ts";

const gpu: DeviceTraits = { software: false };
const swiftShader = { software: true, subgroups: true, subgroupSize: 4 };
const lavapipe = { software: true, subgroups: true, subgroupSize: 8 };

describe("which kernel computes a product", () => {
  test.each([
    ["large, on a GPU", [2048, 1024, 1024, 2], gpu, "tile", 1],
    ["of few large tiles", [1024, 128, 128, 2], gpu, "small", 1],
    ["a weight gradient: few tiles, long depth", [128, 128, 1024, 1], gpu, "small", 6],
    ["two columns", [1024, 2, 512, 1], gpu, "small", 3],
    ["one element of a long depth", [1, 1, 100_000, 1], gpu, "small", 16],
    ["on SwiftShader", [1024, 512, 512, 2], swiftShader, "panel", 1],
    ["on another software adapter", [1024, 512, 512, 2], lavapipe, "registers", 1],
    ["two columns, on a CPU", [1024, 2, 512, 1], lavapipe, "strip", 1],
    ["a first layer, on a CPU", [1024, 512, 3, 2], lavapipe, "strip", 1],
  ] as const)("%s", (_, [rows, columns, depth, groups], traits, kernel, segments) => {
    expect(chooseLinear({ rows, columns, depth, groups }, traits)).toEqual({ kernel, segments });
  });

  test("none that the device cannot run", () => {
    expect(linearKernels(swiftShader)).toContain("panel");
    expect(linearKernels(lavapipe)).not.toContain("panel");
    expect(linearKernels(gpu)).not.toContain("panel");
  });
});

const place = (name: string, length: number, offset = 0) => {
  return { region: { kind: "state" as const, name }, offset, length };
};

function product(rows: number, columns: number, depth: number, offset = 0) {
  const parameters = { rows, columns, depth, transposeLeft: 0, transposeRight: 0, biasRows: 0 };
  const call = kernelCall("linear", parameters, {
    left: place("left", rows * depth, offset),
    right: place("right", depth * columns),
    out: place("out", rows * columns),
  });
  return handMadeProgram("product", {}, [call]);
}

test("segments leave their products in scratch, and a second dispatch of the call joins them", () => {
  const linear = () => ({ kernel: "small" as const, segments: 5 });
  const { dispatches, calls, scratch } = lower(product(64, 40, 1000), { traits: gpu, linear });
  expect(calls).toEqual([0, 0]);
  expect(scratch).toBe(5 * 64 * 40);
  expect(dispatches[0]?.workgroups).toEqual([
    ...linearGrid("small", { rows: 64, columns: 40, depth: 1000, groups: 1 }),
    5,
  ]);
  expect(dispatches[0]?.bindings.map(({ region, access }) => `${region.kind} ${access}`)).toEqual([
    "state read",
    "state read",
    "scratch write",
  ]);
  expect(dispatches[1]?.bindings.map(({ region, access }) => `${region.kind} ${access}`)).toEqual([
    "scratch read",
    "state write",
  ]);
});

test("operands are read by whole quads where these are aligned, else by elements", () => {
  const codeOf = (offset: number, depth = 64) =>
    lower(product(64, 64, depth, offset), { traits: gpu }).dispatches[0]?.code;
  expect(codeOf(8)).toMatch(/left: array<vec4f>;[\s\S]*right: array<vec4f>;/);
  expect(codeOf(2)).toMatch(/left: array<f32>;[\s\S]*right: array<vec4f>;/);
  expect(codeOf(0, 63)).toMatch(/left: array<f32>;[\s\S]*right: array<vec4f>;/);
});

test("shapes of a kind share a shader: sizes and offsets are parameters", () => {
  const [one, other] = [product(2048, 2048, 512), product(4096, 1024, 256, 4)].map(
    (program) => lower(program, { traits: gpu }).dispatches[0],
  );
  expect(one?.code).toBe(other?.code);
  expect(one?.parameters).not.toEqual(other?.parameters);
});

test("a text gets the declarations that it needs, and those that they need, in their order", () => {
  const source = [
    "const ONE = 1.0;",
    "const UNUSED = 2.0;",
    "@compute @workgroup_size(1)",
    "fn entry(",
    "  @builtin(global_invocation_id) id: vec3u,",
    ") {",
    "}",
    "fn inner(x: f32) -> f32 {",
    "  return x + ONE;",
    "}",
    "fn outer(",
    "  x: f32,",
    ") -> f32 {",
    "  return inner(x);",
    "}",
  ].join("\n");
  const found = declarationsFor("let y = outer(x);", [source]);
  expect(found.map((text) => text.split("\n")[0])).toEqual([
    "const ONE = 1.0;",
    "fn inner(x: f32) -> f32 {",
    "fn outer(",
  ]);
});
