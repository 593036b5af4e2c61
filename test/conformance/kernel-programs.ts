/** Programs written by hand, a few kernel calls each: what a backend is given, with no plan in between. */
import type { Backend, StateBuffer } from "../../src/backends/backend.ts";
import type { DType } from "../../src/graph/node.ts";
import type { KernelCall, Placement, Program } from "../../src/schedule/program.ts";

/** Contents of a state: f32 by their bits. */
export type Contents = Readonly<Record<string, { readonly dtype: DType; readonly words: Uint32Array }>>;

export function handMadeProgram(
  name: string,
  contents: Contents,
  calls: readonly KernelCall[],
  arenas: readonly number[] = [],
  constants: Uint32Array = new Uint32Array(0),
): Program {
  const bytes = 4 * arenas.reduce((sum, elements) => sum + elements, 0);
  return {
    name,
    state: Object.entries(contents).map(([state, { dtype, words }]) => ({ name: state, shape: [words.length], dtype })),
    calls,
    arenas,
    constants,
    peakBytes: bytes,
    lowerBoundBytes: bytes,
    graph: { name, updates: [] },
  };
}

export function kernelCall(
  kernel: string,
  parameters: Readonly<Record<string, number>>,
  bindings: Readonly<Record<string, Placement>>,
  label = kernel,
): KernelCall {
  return { kernel, label, parameters, bindings, flops: 0, bytes: 0 };
}

/** State of a program on a backend. */
export interface States {
  readonly buffers: ReadonlyMap<string, StateBuffer>;
  /** The bits of a state. */
  words(name: string): Promise<Uint32Array>;
  dispose(): void;
}

export function makeStates(backend: Backend, contents: Contents): States {
  const buffers = new Map(
    Object.entries(contents).map(([name, { words }]) => {
      const buffer = backend.createState(name, words.length);
      backend.write(buffer, 0, words);
      return [name, buffer];
    }),
  );
  return {
    buffers,
    async words(name) {
      const buffer = buffers.get(name)!;
      return (await backend.read(buffer, 0, buffer.length, "u32")) as Uint32Array;
    },
    dispose() {
      for (const buffer of buffers.values()) buffer.dispose();
    },
  };
}

/** Runs a program once, or `times` times in one submission, and gives the bits of all its state. */
export async function runOnce(
  backend: Backend,
  program: Program,
  contents: Contents,
  times = 1,
): Promise<Record<string, Uint32Array>> {
  const states = makeStates(backend, contents);
  const executable = await backend.load(program, states.buffers);
  try {
    executable.run(times);
    const results: Record<string, Uint32Array> = {};
    for (const name of Object.keys(contents)) results[name] = await states.words(name);
    return results;
  } finally {
    executable.dispose();
    states.dispose();
  }
}

/** The bits of f32 or u32 values. */
export function wordsOf(values: ArrayLike<number>, dtype: DType): Uint32Array {
  return dtype === "f32" ? new Uint32Array(Float32Array.from(values).buffer) : Uint32Array.from(values);
}

/** The values that bits stand for. */
export function valuesOf(words: Uint32Array, dtype: DType): Float32Array | Uint32Array {
  return dtype === "f32" ? new Float32Array(words.slice().buffer) : words;
}
