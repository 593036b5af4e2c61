/** One product of the workload alone, as a program of its own. */
import type { Backend } from "../../src/backends/backend.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { matmulEvidence, matmulOperands, operandShapes } from "../matmul.ts";
import { matmulUnits, type Task, type Work } from "../session.ts";

export async function matmulWork(backend: Backend, { shape }: Task): Promise<Work> {
  if (!shape) throw new RangeError("a matmul without its shape");
  const sizes = operandShapes(shape);
  const { left, right } = matmulOperands(shape);
  const operand = (name: "left" | "right") => state({ name: `bench.${name}`, shape: sizes[name], dtype: "f32" });
  const out = { name: "bench.out", shape: [shape.rows, shape.columns], dtype: "f32" } as const;
  const value = matmul(operand("left"), operand("right"), shape);
  const program = compile({ name: "bench-matmul", updates: [{ state: out, value }] }, backend.limits);
  const store = new StateStore(backend);
  try {
    store.declare(program.state);
    const executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    store.write("bench.left", left);
    store.write("bench.right", right);
    const run = async (units: number) => {
      executable.run(units);
      await backend.finished();
    };
    await run(1);
    const result = await store.read(out.name);
    return {
      ...matmulUnits,
      evidence: { lossBefore: null, lossAfter: null, deviation: matmulEvidence(shape, left, right, result) },
      run,
      dispose() {
        executable.dispose();
        store.dispose();
      },
    };
  } catch (error) {
    store.dispose();
    throw error;
  }
}
