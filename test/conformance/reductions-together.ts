/** Reductions that run together on GPUs, as networks with norms have them: computed as GPUs do, wherever this runs. */
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { reductions } from "../../src/kernels/reduce.ts";
import type { KernelCall, Placement } from "../../src/schedule/program.ts";
import { assert } from "./assert.ts";
import type { Check } from "./check.ts";
import { type Contents, handMadeProgram, kernelCall, runOnce } from "./kernel-programs.ts";

/** outer, reduced, inner; neighbours that are then added up; how many of that shape, one of them within one region. */
const shapes = [
  [2, 30, 16, 4, 2],
  [3, 49, 96, 3, 2], // groups that leave a column over
  [5, 7, 6, 2, 4],
  [64, 60, 24, 4, 3],
  [2, 9, 200, 100, 2], // wide groups
  [1, 1, 8, 8, 2],
  [3, 33, 5, 1, 2],
  [1, 1920, 48, 1, 2], // few columns
  [1, 20_011, 6, 1, 2], // in segments
  [2, 20_011, 6, 3, 2], // and in groups
  [130, 67, 1, 1, 2], // rows
  [7, 1, 5, 1, 2],
] as const;

interface Case {
  readonly label: string;
  readonly calls: readonly KernelCall[];
  readonly expected: readonly { readonly at: Placement; readonly values: Float64Array }[];
}

const place = (name: string, offset: number, length: number): Placement => ({
  region: { kind: "state", name },
  offset,
  length,
});

/** In f32's numbers, of both signs, so that sums of many stay small. */
const input = Float32Array.from({ length: 600_000 }, (_, i) => Math.fround(((i * 7919) % 2003) / 1000 - 0.9));

function cases(): Case[] {
  let end = 0; // of what is written, in both states
  return shapes.flatMap(([outer, reduced, inner, within, count]) =>
    (["sum", "sumOfSquares"] as const).map((kind): Case => {
      const calls: KernelCall[] = [];
      const expected: { at: Placement; values: Float64Array }[] = [];
      for (let m = 0; m < count; m++) {
        const from = place("x", 37 + m * outer * reduced * inner, outer * reduced * inner);
        const parameters = { outer, reduced, inner, kind: reductions.indexOf(kind), scale: 0.5 };
        const columns: Placement = { region: { kind: "arena", index: 0 }, offset: 0, length: outer * inner };
        // What is read and what is written lie in one buffer, which calls one by one may not do.
        const out = place(within > 1 && m === 1 ? "x" : "y", 600_000 + end, (outer * inner) / within);
        end += out.length;
        calls.push(kernelCall("reduce", parameters, { in: from, out: within > 1 ? columns : out }));
        if (within > 1) {
          const then = { outer: out.length, reduced: within, inner: 1, kind: 0, scale: -3 };
          calls.push(kernelCall("reduce", then, { in: columns, out }));
        }
        const values = new Float64Array(out.length);
        for (let i = 0; i < from.length; i++) {
          const value = input[from.offset + i] as number;
          const o = Math.floor(i / (reduced * inner));
          const n = Math.floor((o * inner + (i % inner)) / within);
          values[n]! += (within > 1 ? -1.5 : 0.5) * (kind === "sum" ? value : value * value);
        }
        expected.push({ at: out, values });
      }
      return { label: `${count} times ${outer} x ${reduced} x ${inner}, by ${within}, ${kind}`, calls, expected };
    }),
  );
}

export const checks: Check[] = [
  {
    name: "kernels agree with f64: reductions that run together",
    backend: "webgpu",
    async run({ gpu }) {
      const backend = await createWebGPUBackend({ ...(gpu && { gpu }), reduce: "reduce", tune: false });
      try {
        const all = cases();
        const words = new Uint32Array(1_200_000);
        words.set(new Uint32Array(input.buffer));
        const contents: Contents = { x: { dtype: "f32", words }, y: { dtype: "f32", words } };
        // The product of two numbers, of a kernel that networks have: with it comes what runs reductions together.
        const sizes = { batch0: 1, batch1: 1, rows: 1, columns: 1, depth: 1, scale: 1 };
        const product = kernelCall(
          "matmulEach",
          { ...sizes, ...Object.fromEntries(strides.map((name) => [name, 1])) },
          { left: place("x", 0, 1), right: place("x", 1, 1), out: place("y", 0, 1) },
        );
        const calls = [product, ...all.flatMap((each) => each.calls)];
        const program = handMadeProgram("reductions", contents, calls, [4096]);
        const found = await runOnce(backend, program, contents);
        for (const { label, expected } of all) {
          for (const { at, values } of expected) {
            const bits = found[at.region.kind === "state" ? at.region.name : ""] as Uint32Array;
            const result = new Float32Array(bits.buffer).subarray(at.offset, at.offset + at.length);
            const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
            values.forEach((value, i) => {
              const error = Math.abs((result[i] as number) - value) / most;
              assert(error < 2e-6 * 8, `${label}: element ${i} is ${result[i]}, not ${value}.`);
            });
          }
        }
      } finally {
        backend.dispose();
      }
    },
  },
];

const strides = ["left", "right", "out"].flatMap((name) => ["0", "1", "Row", "Depth", "Column"].map((of) => name + of));
