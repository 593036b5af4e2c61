// The f64 backend: updates take effect together, runs repeat, what is disposed is refused.
import { expect, test } from "vitest";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { DisposedError, OutOfMemoryError } from "../../src/errors.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { add, increment, multiply } from "../../src/ops/arithmetic.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";

const a = state({ name: "a", shape: [2], dtype: "f32" });
const b = state({ name: "b", shape: [2], dtype: "f32" });
const step = state({ name: "step", shape: [1], dtype: "u32" });

async function loaded(graph: Graph, values: Record<string, number[]>) {
  const backend = createReferenceBackend();
  const buffers = new Map(
    Object.entries(values).map(([name, given]) => {
      const buffer = backend.createState(name, given.length);
      backend.write(buffer, 0, Float64Array.from(given));
      return [name, buffer] as const;
    }),
  );
  const executable = await backend.load(compile(graph, backend.limits), buffers);
  const read = async (name: keyof typeof values) => {
    const buffer = buffers.get(name)!;
    return [...(await backend.read(buffer, 0, buffer.length, "f32"))];
  };
  return { backend, buffers, executable, read };
}

test("updates see old values and take effect together: two states swap", async () => {
  const graph = {
    name: "swap",
    updates: [
      { state: a.attributes, value: b },
      { state: b.attributes, value: a },
    ],
  };
  const { executable, read } = await loaded(graph, { a: [1, 2], b: [3, 4] });
  executable.run(1);
  expect([await read("a"), await read("b")]).toEqual([
    [3, 4],
    [1, 2],
  ]);
  executable.run(2);
  expect(await read("a")).toEqual([3, 4]);
});

test("run(n) is n runs, in f64", async () => {
  const graph = {
    name: "steps",
    updates: [
      { state: a.attributes, value: add(a, multiply(b, 1e-9)) },
      { state: step.attributes, value: increment(step) },
    ],
  };
  const { executable, read } = await loaded(graph, { a: [1, 0], b: [1, 1], step: [2 ** 32 - 2] });
  executable.run(3);
  expect(await read("step")).toEqual([1]);
  expect((await read("a"))[0]).toBe(1 + 1e-9 + 1e-9 + 1e-9);
});

test("buffers: copies, parts, bytes, disposal", async () => {
  const backend = createReferenceBackend();
  const [source, target] = [backend.createState("source", 3), backend.createState("target", 3)];
  backend.write(source, 1, Float64Array.of(5, 6));
  backend.copy(source, target);
  expect([...(await backend.read(target, 1, 2, "f32"))]).toEqual([5, 6]);
  expect(backend.memory()).toEqual({ buffers: 2, bytes: 48 });
  source.dispose();
  source.dispose();
  expect(backend.memory()).toEqual({ buffers: 1, bytes: 24 });
  expect(() => backend.copy(source, target)).toThrow(DisposedError);
  backend.dispose();
  expect(() => backend.write(target, 0, Float64Array.of(1))).toThrow(DisposedError);
  expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
});

test("more elements than the heap can hold, and a program after its end, are refused", async () => {
  const backend = createReferenceBackend();
  expect(() => backend.createState("huge", 2 ** 50)).toThrow(OutOfMemoryError);
  const graph = { name: "keep", updates: [{ state: a.attributes, value: multiply(a, 2) }] };
  const { executable } = await loaded(graph, { a: [1, 2] });
  executable.dispose();
  expect(() => executable.run(1)).toThrow(DisposedError);
});
