/** Single kernel calls on the WASM backend: operands in, results out. Every operand is a state of its own. */
import type { Backend, NumericArray } from "../../src/backends/backend.ts";
import { wasmFeatures } from "../../src/backends/wasm/features.ts";
import type { DType } from "../../src/graph/node.ts";
import type {
  ElementwiseChain,
  ElementwiseOperand,
  KernelCall,
  Placement,
  Program,
} from "../../src/schedule/program.ts";

/** The builds that run here. */
export const builds = [{ relaxed: false }, ...(wasmFeatures().relaxedSimd ? [{ relaxed: true }] : [])];

/** Elements before and after an output, which nothing may touch, and the value they have. */
const MARGIN = 5;
const UNTOUCHED = 77;

export type Values = Float32Array | Uint32Array;

export function placement(name: string, length: number, offset = 0): Placement {
  return { region: { kind: "state", name }, offset, length };
}

export function programOf(calls: readonly KernelCall[], state: ReadonlyMap<string, Values>): Program {
  return {
    name: "test",
    state: [...state].map(([name, values]) => ({ name, shape: [values.length], dtype: dtypeOf(values) })),
    calls,
    arenas: [],
    constants: new Uint32Array(),
    peakBytes: 0,
    lowerBoundBytes: 0,
    graph: { name: "test", updates: [] },
  };
}

function dtypeOf(values: Values): DType {
  return values instanceof Uint32Array ? "u32" : "f32";
}

/** Runs calls once on states of these contents; the contents afterwards. */
export async function runOn(
  backend: Backend,
  calls: readonly KernelCall[],
  state: ReadonlyMap<string, Values>,
): Promise<Map<string, NumericArray>> {
  const buffers = new Map([...state].map(([name, { length }]) => [name, backend.createState(name, length)]));
  for (const [name, values] of state) backend.write(buffers.get(name)!, 0, values);
  const executable = await backend.load(programOf(calls, state), buffers);
  executable.run(1);
  const after = new Map<string, NumericArray>();
  for (const [name, values] of state) {
    after.set(name, await backend.read(buffers.get(name)!, 0, values.length, dtypeOf(values)));
  }
  executable.dispose();
  for (const buffer of buffers.values()) buffer.dispose();
  return after;
}

/**
 * One call with inputs by binding name and one output binding of `length` elements, which lies between margins that
 * must stay as they are.
 */
export async function callKernel(
  backend: Backend,
  kernel: string,
  parameters: Readonly<Record<string, number>>,
  inputs: Readonly<Record<string, Values>>,
  output: { name: string; length: number; dtype?: DType },
): Promise<NumericArray> {
  const { name, length, dtype = "f32" } = output;
  const state = new Map<string, Values>(Object.entries(inputs));
  const surrounded = new (dtype === "u32" ? Uint32Array : Float32Array)(length + 2 * MARGIN).fill(UNTOUCHED);
  state.set(name, surrounded);
  const bindings = Object.fromEntries([...state].map(([key, values]) => [key, placement(key, values.length)]));
  bindings[name] = placement(name, length, MARGIN);
  const call: KernelCall = { kernel, label: kernel, parameters, bindings, flops: 0, bytes: 0 };
  const all = (await runOn(backend, [call], state)).get(name)!;
  const margins = [...all.slice(0, MARGIN), ...all.slice(MARGIN + length)];
  if (margins.some((value) => value !== UNTOUCHED)) throw new Error(`${kernel} wrote outside its output: ${margins}`);
  return all.slice(MARGIN, MARGIN + length);
}

export function chainCall(chain: ElementwiseChain): KernelCall {
  return { kernel: "elementwise", label: "chain", parameters: {}, bindings: {}, chain, flops: 0, bytes: 0 };
}

/** f(operands) of one elementwise function, each operand read in order. */
export async function applyFunction(
  backend: Backend,
  name: string,
  operands: readonly Values[],
  dtypes: { operands?: DType; result?: DType } = {},
): Promise<NumericArray> {
  const { operands: dtype = "f32", result = "f32" } = dtypes;
  const count = operands[0]!.length;
  const state = new Map<string, Values>(operands.map((values, i) => [`x${i}`, values]));
  state.set("y", new (result === "u32" ? Uint32Array : Float32Array)(count + MARGIN).fill(UNTOUCHED));
  const chain: ElementwiseChain = {
    count,
    loads: operands.map((_, i) => ({ placement: placement(`x${i}`, count), divisor: 1, modulus: count, dtype })),
    steps: [
      {
        function: name,
        operands: operands.map((_, index): ElementwiseOperand => ({ from: "load", index })),
        dtype: result,
      },
    ],
    stores: [{ placement: placement("y", count), source: { from: "step", index: 0 }, dtype: result }],
  };
  const all = (await runOn(backend, [chainCall(chain)], state)).get("y")!;
  if (all.slice(count).some((value) => value !== UNTOUCHED)) throw new Error(`${name} wrote past its output`);
  return all.slice(0, count);
}

/** f(x) of several functions of one operand, in one chain. */
export async function applyFunctions(
  backend: Backend,
  names: readonly string[],
  x: Float32Array,
): Promise<readonly NumericArray[]> {
  const count = x.length;
  const state = new Map<string, Values>([["x", x]]);
  for (const name of names) state.set(name, new Float32Array(count + MARGIN).fill(UNTOUCHED));
  const chain: ElementwiseChain = {
    count,
    loads: [{ placement: placement("x", count), divisor: 1, modulus: count, dtype: "f32" }],
    steps: names.map((name) => ({ function: name, operands: [{ from: "load", index: 0 }], dtype: "f32" })),
    stores: names.map((name, index) => ({
      placement: placement(name, count),
      source: { from: "step", index },
      dtype: "f32",
    })),
  };
  const after = await runOn(backend, [chainCall(chain)], state);
  return names.map((name) => {
    const all = after.get(name)!;
    if (all.slice(count).some((value) => value !== UNTOUCHED)) throw new Error(`${name} wrote past its output`);
    return all.slice(0, count);
  });
}

/** Numbers in [-1, 1), the same for the same seed. */
export function numbers(length: number, seed: number): Float32Array {
  let word = seed * 2654435761 + 1;
  return Float32Array.from({ length }, () => {
    word = (Math.imul(word, 1664525) + 1013904223) | 0;
    return word / 2 ** 31;
  });
}

/** What makes a program one of a network: a convolution of one place. */
export const networkCall = {
  state: ["left", "right", "out"].map((name) => [name, Float32Array.of(1)] as const),
  call: {
    ...{ kernel: "convolve", label: "convolve", flops: 0, bytes: 0 },
    parameters: {
      ...{ rows: 1, columns: 1, depth: 1, transposeLeft: 0, transposeRight: 0, biasRows: 0, channels: 1 },
      ...Object.fromEntries(
        ["down", "across"].flatMap((axis) => [
          ...["Input", "Output", "Taps", "Stride", "Fraction", "Dilation"].map((field) => [`${axis}${field}`, 1]),
          [`${axis}Start`, 0],
        ]),
      ),
    },
    bindings: { left: placement("left", 1), right: placement("right", 1), out: placement("out", 1) },
  } satisfies KernelCall,
};
