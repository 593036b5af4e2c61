/** The backend that evaluates a program's graph in f64 on the CPU: for tests and tiny things; exact, and slow. */
import { DisposedError, OutOfMemoryError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Node } from "../../graph/node.ts";
import type { HostTensor } from "../../graph/op.ts";
import type { Program } from "../../schedule/program.ts";
import type { Backend, Executable, NumericArray, StateBuffer } from "../backend.ts";

const BYTES_PER_ELEMENT = Float64Array.BYTES_PER_ELEMENT;

/** A backend that holds f64 and runs `program.graph`. Reads give Float64Array, also of u32 state. */
export function createReferenceBackend(): Backend {
  const live = new Map<StateBuffer, Float64Array>();

  const valuesOf = (buffer: StateBuffer): Float64Array => {
    const values = live.get(buffer);
    if (values) return values;
    throw new DisposedError({
      subject: "state buffer of the reference backend",
      given: "a disposed one",
      expected: "a live one",
      remedy: "Use it before dispose().",
    });
  };

  return {
    name: "reference",
    device: "f64 reference in JavaScript",
    limits: {
      maxBufferBytes: Number.MAX_SAFE_INTEGER,
      maxTotalBytes: 2 ** 31, // as f32: numbers take twice as much here
      maxBindingBytes: Number.MAX_SAFE_INTEGER,
      maxStorageBindings: Number.MAX_SAFE_INTEGER,
      maxEpilogueGroups: 0,
      separateReadAndWrite: false,
    },

    createState(label, length) {
      const buffer: StateBuffer = {
        length,
        dispose() {
          live.delete(buffer);
        },
      };
      live.set(buffer, allocate(label, length));
      return buffer;
    },

    write(buffer, offset, values) {
      valuesOf(buffer).set(values, offset);
    },

    async read(buffer, offset, length): Promise<NumericArray> {
      return valuesOf(buffer).slice(offset, offset + length);
    },

    copy(source, target) {
      valuesOf(target).set(valuesOf(source));
    },

    async load(program, state): Promise<Executable> {
      let loaded = true;
      const run = (times: number) => {
        if (!loaded) {
          throw new DisposedError({
            subject: `program "${program.name}"`,
            given: "run after dispose",
            expected: "a loaded program",
            remedy: "Load it again.",
          });
        }
        const values = new Map([...state].map(([name, buffer]) => [name, valuesOf(buffer)]));
        for (let i = 0; i < times; i++) runOnce(program, values);
      };
      return {
        run,
        parts: { count: 1, run: () => run(1) },
        dispose() {
          loaded = false;
        },
      };
    },

    finished: () => Promise.resolve(),
    lost: new Promise(() => {}),

    memory() {
      const elements = [...live.values()].reduce((total, { length }) => total + length, 0);
      return { buffers: live.size, bytes: elements * BYTES_PER_ELEMENT };
    },

    dispose() {
      live.clear();
    },
  };
}

function runOnce({ graph }: Program, state: ReadonlyMap<string, Float64Array>): void {
  const before = new Map(
    [...state].map(([name, data]): [string, HostTensor] => [name, { shape: [data.length], data }]),
  );
  const results = evaluate(
    graph.updates.map(({ value }): Node => value),
    before,
  );
  // A result may be a state's own memory, as in a swap; all updates take effect together, so copy those first.
  const owned = new Set(state.values());
  const after = results.map(({ data }) => (owned.has(data) ? data.slice() : data));
  graph.updates.forEach(({ state: { name } }, i) => {
    state.get(name)?.set(after[i] as Float64Array);
  });
}

function allocate(label: string, length: number): Float64Array {
  try {
    return new Float64Array(length);
  } catch (cause) {
    throw new OutOfMemoryError(
      {
        subject: `state "${label}"`,
        given: length * BYTES_PER_ELEMENT,
        expected: "bytes that the JavaScript heap has room for",
        remedy: "Use fewer elements.",
      },
      { cause },
    );
  }
}
