/** One product of the workload alone, as a program of its own. */
import type { Backend } from "../../src/backends/backend.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { state } from "../../src/ops/sources.ts";
import { matmulEvidence, matmulOperands, operandShapes } from "../matmul.ts";
import { matmulUnits, type Task, type Work } from "../session.ts";
import { loaded } from "./loaded.ts";

export async function matmulWork(backend: Backend, { shape }: Task): Promise<Work> {
  if (!shape) throw new RangeError("a matmul without its shape");
  const sizes = operandShapes(shape);
  const { left, right } = matmulOperands(shape);
  const operand = (name: "left" | "right") => state({ name: `bench.${name}`, shape: sizes[name], dtype: "f32" });
  const out = { name: "bench.out", shape: [shape.rows, shape.columns], dtype: "f32" } as const;
  const value = matmul(operand("left"), operand("right"), shape);
  const graph = { name: "bench-matmul", updates: [{ state: out, value }] };
  const values = [
    ["bench.left", left],
    ["bench.right", right],
  ] as const;
  return loaded(backend, graph, values, async ({ store, run, dispose }) => {
    await run(1);
    const result = await store.read(out.name);
    return {
      ...matmulUnits,
      evidence: { lossBefore: null, lossAfter: null, deviation: matmulEvidence(shape, left, right, result) },
      run,
      dispose,
    };
  });
}
