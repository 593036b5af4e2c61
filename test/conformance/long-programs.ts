/** Programs of thousands of calls, which no single set of timestamps holds and which go out in several submissions. */
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import type { KernelCall, Placement, Program } from "../../src/schedule/program.ts";
import { assert, assertEqual } from "./assert.ts";
import { type Check, Skipped } from "./check.ts";
import { type Contents, handMadeProgram, kernelCall, makeStates, runOnce } from "./kernel-programs.ts";

/** More than a set of timestamps is enough for. */
const CALLS = 2100;

/** By call: a = s b^2, then b = s a^2 and so on, where each s brings the last value to one that nothing else gives. */
function squares(): { program: Program; contents: Contents; after: (runs: number) => number } {
  const place = (name: string): Placement => ({ region: { kind: "state", name }, offset: 0, length: 1 });
  const scales: number[] = [];
  const calls: KernelCall[] = [];
  let value = Math.fround(1.5);
  for (let i = 0; i < CALLS; i++) {
    const square = Math.fround(value * value);
    const scale = Math.fround((1 + ((i * 7919) % 1000) / 1000) / square);
    value = Math.fround(scale * square);
    scales.push(scale);
    const [from, to] = i % 2 === 0 ? ["b", "a"] : ["a", "b"];
    const parameters = { outer: 1, reduced: 1, inner: 1, kind: 2, scale };
    calls.push(kernelCall("reduce", parameters, { in: place(from as string), out: place(to as string) }, `${i}`));
  }
  const words = new Uint32Array(Float32Array.of(1.5).buffer);
  const contents: Contents = { a: { dtype: "f32", words }, b: { dtype: "f32", words } };
  const after = (runs: number) => {
    let result = Math.fround(1.5);
    for (let run = 0; run < runs; run++) {
      for (const scale of scales) result = Math.fround(scale * Math.fround(result * result));
    }
    return result;
  };
  return { program: handMadeProgram("squares of squares", contents, calls), contents, after };
}

export const checks: Check[] = [
  {
    name: "thousands of calls run in order, once and again",
    backend: "webgpu",
    async run({ gpu }) {
      const backend = await createWebGPUBackend(gpu ? { gpu } : {});
      try {
        const { program, contents, after } = squares();
        for (const runs of [1, 2]) {
          const { b } = await runOnce(backend, program, contents, runs);
          assertEqual(new Float32Array((b as Uint32Array).buffer), Float32Array.of(after(runs)), `after run ${runs}`);
        }
      } finally {
        backend.dispose();
      }
    },
  },
  {
    name: "thousands of calls are timed, each of them",
    backend: "webgpu",
    async run({ gpu }) {
      const backend = await createWebGPUBackend(gpu ? { gpu } : {});
      try {
        const { program, contents, after } = squares();
        const states = makeStates(backend, contents);
        const executable = await backend.load(program, states.buffers);
        if (!executable.profile) throw new Skipped("The device has no timestamps.");
        const times = await executable.profile();
        assertEqual(times.length, CALLS, "the times");
        assert(
          times.every((time) => time >= 0 && time < 1000),
          `A time is ${Math.max(...times)} ms.`,
        );
        const b = new Float32Array((await states.words("b")).buffer);
        assertEqual(b, Float32Array.of(after(1)), "what the calls computed meanwhile");
      } finally {
        backend.dispose();
      }
    },
  },
];
