// What of WebAssembly's modules is had when: what many pages never need comes with the first program that needs it.
import { afterEach, describe, expect, test, vi } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { moduleBytes } from "../../src/backends/wasm/modules.ts";
import { moduleBytes as wholeBytes } from "../../src/backends/wasm/modules-whole.ts";
import { DisposedError, UnsupportedError } from "../../src/errors.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type Node, sizeOf } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { selfAttention } from "../../src/ops/attention.ts";
import { conv1d } from "../../src/ops/convolve.ts";
import { linear } from "../../src/ops/linear.ts";
import { matmulEach } from "../../src/ops/matmul-each.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { drawState, graphOf, trainStep, valuesOf } from "../schedule/graphs.ts";
import { builds } from "./wasm-calls.ts";

type Backend = Awaited<ReturnType<typeof createWasmBackend>>;

const named = (name: string, ...shape: number[]): Node => state({ name, shape, dtype: "f32" });
const images = named("images", 3, 16, 8);
const [weight, bias] = [named("weight", 8, 8), named("bias", 8)];
const plain = graphOf(activation([linear(named("x", 70, 8), weight, bias)], { kind: "silu", order: 0 }));
const larger: Record<string, Graph> = {
  convolution: graphOf(conv1d(images, named("taps", 3, 8, 8), bias, { padding: 1 })),
  attention: graphOf(selfAttention(named("joined", 2, 16, 24), 2)),
  ...Object.fromEntries(
    (["gelu", "geluTanh", "softplus", "elu", "selu"] as const).flatMap((kind) =>
      [0, 3].map((order) => [`${kind}, order ${order}`, graphOf(activation([named("x", 70, 8)], { kind, order }))]),
    ),
  ),
  "products of many pairs": graphOf(matmulEach(named("a", 4, 9, 5), named("b", 4, 5, 6))),
};

/** Loaded, with the state it reads as `drawState` has it; `values`: what it writes by one run. */
async function loaded(backend: Backend, graph: Graph) {
  const program = compile(graph, backend.limits);
  const drawn = drawState(graph);
  const buffers = new Map(program.state.map(({ name, shape }) => [name, backend.createState(name, sizeOf(shape))]));
  for (const [name, { data }] of drawn) backend.write(buffers.get(name)!, 0, data);
  const executable = await backend.load(program, buffers);
  const values = async () => {
    executable.run(1);
    const reads = graph.updates.map(({ state: { name, shape, dtype } }) =>
      backend.read(buffers.get(name)!, 0, sizeOf(shape), dtype),
    );
    return (await Promise.all(reads)).map((data) => [...data]);
  };
  const dispose = () => {
    executable.dispose();
    for (const buffer of buffers.values()) buffer.dispose();
  };
  return { values, dispose };
}

afterEach(() => {
  vi.doUnmock("../../src/generated/wasm-plain-more.ts");
  vi.resetModules();
});

test.each(["plain", "relaxed"] as const)("%s: the module in parts is that of files that are whole", async (build) => {
  const [part, all] = [await moduleBytes(build, false), await moduleBytes(build, true)];
  expect(all).toEqual(await wholeBytes(build));
  expect(part.length).toBeLessThan(all.length - 4000);
  const isHad = builds.some(({ relaxed }) => relaxed === (build === "relaxed"));
  for (const bytes of isHad ? [part, all] : []) expect(WebAssembly.validate(bytes)).toBe(true);
});

describe.each(builds)("relaxed $relaxed", ({ relaxed }) => {
  test("a step of an MLP has the same bits by either", async () => {
    const graph = trainStep({}, { hidden: [20, 12] });
    const values: number[][][] = [];
    for (const all of [false, true]) {
      const backend = await createWasmBackend({ relaxed, all });
      values.push(await (await loaded(backend, graph)).values());
      backend.dispose();
    }
    expect(values[0]).toEqual(values[1]);
  });

  test.each([1, 3])("%i threads: what was loaded before runs on, and all is given back", async (threads) => {
    const backend = await createWasmBackend({ relaxed, threads });
    const before = backend.memory();
    const first = await loaded(backend, plain);
    const once = await first.values();
    for (const graph of Object.values(larger)) {
      const network = await loaded(backend, graph);
      const found = (await network.values()).flat();
      const expected = [...valuesOf(graph, drawState(graph)).values()].flatMap(({ data }) => [...data]);
      for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i] as number, 4);
      expect(await first.values()).toEqual(once);
      network.dispose();
    }
    first.dispose();
    expect(backend.memory()).toEqual(before);
    backend.dispose();
    expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
  });

  test.each(Object.entries(larger))("%s is what only the larger module has", async (_name, graph) => {
    const backend = await createWasmBackend({ relaxed, threads: 2 });
    const [first, second] = await Promise.all([loaded(backend, graph), loaded(backend, graph)]);
    const values = await first.values();
    expect(await second.values()).toEqual(values);
    expect(values).not.toEqual(values.map((each) => each.map(() => 0))); // as of kernels that are not there
    backend.dispose();
  });

  test("a backend that goes while its kernels come is gone", async () => {
    const backend = await createWasmBackend({ relaxed, threads: 2 });
    const loading = loaded(backend, larger["convolution"]!);
    backend.dispose();
    await expect(loading).rejects.toBeInstanceOf(DisposedError);
    expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
  });
});

test("kernels that cannot be downloaded are a sentence; what needs none of them runs on", async () => {
  vi.resetModules();
  vi.doMock("../../src/generated/wasm-plain-more.ts", () => {
    throw new Error("the server is gone");
  });
  const { createWasmBackend: create } = await import("../../src/backends/wasm/backend.ts");
  const backend = await create({ relaxed: false });
  const first = await loaded(backend, plain);
  const once = await first.values();
  const refused = await loaded(backend, larger["attention"]!).catch((error: Error) => error);
  expect(refused).toHaveProperty("name", UnsupportedError.name);
  expect(String(refused)).toContain("imported on demand");
  expect(await first.values()).toEqual(once);
  backend.dispose();
});
