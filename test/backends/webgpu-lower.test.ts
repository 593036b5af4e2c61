import { describe, expect, test } from "vitest";
import { attentionDispatches } from "../../src/backends/webgpu/attention-source.ts";
import { onQuads, quadChain } from "../../src/backends/webgpu/chain-quads.ts";
import { declarationsFor } from "../../src/backends/webgpu/declarations.ts";
import { chooseLinear, type DeviceTraits, linearGrid, linearKernels } from "../../src/backends/webgpu/linear-choice.ts";
import { lower } from "../../src/backends/webgpu/lower.ts";
import { softwareForms } from "../../src/backends/webgpu/software-forms.ts";
import { handMadeProgram, kernelCall } from "../conformance/kernel-programs.ts";

const gpu: DeviceTraits = { software: false };
const swiftShader = { software: true, subgroups: true, subgroupSize: 4 };
const lavapipe = { software: true, subgroups: true, subgroupSize: 8 };

describe("which kernel computes a product", () => {
  test.each([
    ["large, on a GPU", [2048, 1024, 1024, 2], gpu, "tile", 1],
    ["of few large tiles", [1024, 128, 128, 2], gpu, "small", 1],
    ["a weight gradient: few tiles, long depth", [128, 128, 1024, 1], gpu, "small", 8],
    ["of many rows: as deep a segment as there are workgroups", [576, 64, 6272, 1], gpu, "tile", 25],
    ["of very many: as many workgroups as keep a large GPU busy", [864, 32, 100_352, 1], gpu, "small", 119],
    ["of so many that sums would be too many", [288, 32, 100_352, 1], gpu, "small", 180],
    ["of many tiles", [1024, 1024, 4096, 1], gpu, "tile", 4],
    ["whose depth is less than four times a side", [512, 512, 1024, 1], gpu, "small", 1],
    ["two columns", [1024, 2, 512, 1], gpu, "small", 3],
    ["one element of a long depth", [1, 1, 100_000, 1], gpu, "small", 250],
    ["on SwiftShader", [1024, 512, 512, 2], swiftShader, "panel", 1],
    ["on another software adapter", [1024, 512, 512, 2], lavapipe, "registers", 1],
    ["two columns, on a CPU", [1024, 2, 512, 1], lavapipe, "strip", 1],
    ["a first layer, on a CPU", [1024, 512, 3, 2], lavapipe, "strip", 1],
  ] as const)("%s", (_, [rows, columns, depth, groups], traits, kernel, segments) => {
    expect(chooseLinear({ rows, columns, depth, groups }, traits)).toEqual({ kernel, segments });
  });

  test("seen through a window: tiles of 32 columns where wider ones waste, and no others do", () => {
    const seen = (rows: number, columns: number, depth: number) =>
      chooseLinear({ rows, columns, depth, groups: 1, isSeen: true }, gpu).kernel;
    expect([seen(864, 32, 100_352), seen(100_352, 32, 288), seen(100_352, 96, 288)]).toEqual(Array(3).fill("narrow"));
    expect([seen(576, 64, 100_352), seen(100_352, 64, 288), seen(100_352, 128, 288)]).toEqual(Array(3).fill("tile"));
    expect([seen(9, 32, 100_352), seen(3136, 32, 576)]).toEqual(["small", "small"]); // few rows, few tiles
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

test("segments of a deep product are none of them empty", () => {
  const depths = [64, 1000, 6272, 25_088, 25_100, 100_352, 1_000_000];
  for (const depth of depths) {
    for (const rows of [1, 9, 96, 288, 576, 1152]) {
      if (depth < 4 * rows) continue;
      const { segments } = chooseLinear({ rows, columns: 32, depth, groups: 1 }, gpu);
      const each = Math.ceil(Math.ceil(depth / 16) / segments) * 16; // as shaders/linear.wgsl cuts them
      expect([segments >= 1, (segments - 1) * each < depth, segments <= 256]).toEqual([true, true, true]);
    }
  }
});

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

describe("on SwiftShader a product's chain is a dispatch of its own", () => {
  const count = 64 * 32;
  const kept = place("kept", count);
  const silu = { function: "silu0", operands: [{ from: "product", index: 0 }], dtype: "f32" } as const;
  const added = {
    function: "add",
    operands: [
      { from: "step", index: 0 },
      { from: "load", index: 0 },
    ],
    dtype: "f32",
  } as const;
  const load = (placement: ReturnType<typeof place>) =>
    ({ placement, divisor: 1, modulus: count, dtype: "f32" }) as const;
  const stores = [
    { placement: place("out", count), source: { from: "step", index: 1 }, dtype: "f32" },
    { placement: kept, source: { from: "product", index: 0 }, dtype: "f32" },
  ] as const;
  const lowered = (loaded: ReturnType<typeof place>) => {
    const program = product(64, 32, 128);
    const chain = { count, loads: [load(loaded)], steps: [silu, added], stores };
    return lower(
      { ...program, calls: program.calls.map((call) => ({ ...call, chain })) },
      { traits: swiftShader, software: softwareForms },
    );
  };
  const named = ({ dispatches }: ReturnType<typeof lower>) =>
    dispatches.map(({ bindings }) => bindings.map(({ region }) => ("name" in region ? region.name : region.kind)));

  test("the product goes where it is kept", () => {
    const program = lowered(place("other", count));
    expect(program.scratch).toBe(0);
    expect(named(program)).toEqual([
      ["left", "right", "kept"],
      ["other", "kept", "out"],
    ]);
  });

  test("or to scratch, where the chain reads what lies in that place", () => {
    const program = lowered(kept);
    expect(program.scratch).toBe(count);
    expect(named(program)).toEqual([
      ["left", "right", "scratch"],
      ["kept", "scratch", "out"],
    ]);
  });

  test("a product that is only kept takes one dispatch", () => {
    const { dispatches, scratch } = lower(product(64, 32, 128), { traits: swiftShader, software: softwareForms });
    expect([dispatches.length, scratch]).toEqual([1, 0]);
  });
});

describe("a chain on four elements at a time", () => {
  const stores = [{ placement: place("out", 10), source: { from: "load", index: 0 }, dtype: "f32" }] as const;
  const over = (count: number, divisor: number, modulus: number, offset = 0) => {
    const loads = [{ placement: place("in", count, offset), divisor, modulus, dtype: "f32" }] as const;
    return quadChain({ count, loads, steps: [], stores });
  };

  test.each([
    ["whole quads", over(12, 1, 12, 8), { modulus: 3, placement: { offset: 2 } }],
    ["rows of whole quads, each the same", over(12, 1, 4), { modulus: 1 }],
    ["one element for all", over(12, 1, 1, 3), { single: true, placement: { offset: 3 } }],
    ["one element a row", over(12, 4, 3, 3), { single: true, divisor: 1, placement: { offset: 3 } }],
  ])("reads %s", (_, chain, load) => {
    expect(chain?.count).toBe(3);
    expect(chain?.loads[0]).toMatchObject(load);
  });

  test.each([
    ["begin within a quad", over(12, 1, 12, 2)],
    ["repeat within a quad", over(12, 1, 3)],
    ["change within a quad", over(12, 2, 6)],
  ])("is not for operands that %s", (_, chain) => {
    expect(chain).toBeUndefined();
  });

  test("masks a last quad that is not whole", () => {
    expect([over(12, 1, 12)?.masked, over(10, 1, 10)?.masked, over(10, 1, 10)?.count]).toEqual([false, true, 3]);
  });

  test("is the scalars' text with vectors' types and literals", () => {
    expect(onQuads("fn f1(x: f32) -> f32 {\n  return select(x, -1.5e-3f, log2(x) > 0x7fu);\n}")).toBe(
      "fn f1(x: vec4f) -> vec4f {\n  return select(x, -vec4(1.5e-3f), log2(x) > vec4(0x7fu));\n}",
    );
  });
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

describe("attention in 2 samples of 3 heads of 40 places, 3 tangents", () => {
  const [batch, heads, length, width, tangents] = [2, 3, 40, 16, 3];
  const strides = { kindStride: heads * width, headStride: width, scale: 1 / Math.sqrt(width) };
  const narrow = (1 + tangents) * batch * length * heads * width;
  const attention = (kernel: string, traits: DeviceTraits) => {
    const call = kernelCall(
      kernel,
      { batch, length, heads, width, tangents, ...strides },
      {
        joined: place("joined", 3 * narrow),
        cotangents: place("cotangents", narrow),
        out: place("out", kernel === "attention" ? narrow : 3 * narrow),
      },
    );
    const program = handMadeProgram(kernel, {}, [call]);
    return lower(program, { traits, software: softwareForms, forms: { attention: attentionDispatches } });
  };

  test("on a GPU: 16 rows of a head and a tangent are a workgroup's", () => {
    const { dispatches, scratch } = attention("attention", gpu);
    expect(dispatches.map(({ workgroups }) => workgroups)).toEqual([[batch * heads * 3, 1, tangents]]);
    expect(scratch).toBe(0);
  });

  test("its reverse: facts, queries, keys and values for each tangent, where later ones add to the primal's", () => {
    const { dispatches, scratch } = attention("attentionReverse", gpu);
    const constants = dispatches.map(({ code }) =>
      [/PART = (\d)u/, /ADDS = (\w+)/].map((name) => name.exec(code)?.[1]),
    );
    expect(constants).toEqual(
      [false, true, true].flatMap((adds) => [0, 1, 2, 3].map((part) => [String(part), String(adds)])),
    );
    expect(scratch).toBe(batch * heads * length * 5); // of one tangent at a time
  });

  test("on a software adapter: a row is an invocation's, along all tangents", () => {
    const reverse = attention("attentionReverse", swiftShader);
    expect(reverse.dispatches.map(({ kernel }) => kernel)).toEqual(["ofQueries", "ofKeys"]);
    expect(reverse.scratch).toBe(batch * heads * length * (3 + 2 * tangents));
    const [forward] = attention("attention", swiftShader).dispatches;
    expect(forward?.workgroups).toEqual([Math.ceil((batch * heads * length) / 64), 1, 1]);
  });
});
