/**
 * Where the time of one training step goes: milliseconds of each kernel call.
 *
 * Each call is loaded as a program of its own, over the same memory: the step's arenas become state that all of them
 * share. On WASM whole steps run call by call with a clock around each, so that every call meets the caches as in
 * training. On WebGPU, where waiting takes longer than a call, a call is repeated until the wait does not count.
 */
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { checkerboard } from "../../src/data/checkerboard.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import { constantState, initialSnapshot } from "../../src/engine/trainer-state.ts";
import { lossFrom } from "../../src/flow/losses/registry.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { activationKinds } from "../../src/ops/activation.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { KernelCall, Program } from "../../src/schedule/program.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep, trainState } from "../../src/train/step.ts";
import { median } from "../workload.mjs";

export interface ProfileOptions {
  readonly loss: "cfm" | "fdm" | "paper-2d";
  readonly width: number;
  readonly layers: number;
  readonly batch: number;
  readonly activation: string;
  /** Steps that are measured. */
  readonly steps: number;
}

export interface CallProfile {
  readonly kernel: string;
  readonly label: string;
  /** Sizes that tell calls of a kernel apart. */
  readonly size: string;
  readonly milliseconds: number;
  readonly flops: number;
  readonly bytes: number;
}

export interface StepProfile {
  readonly device: string;
  readonly calls: readonly CallProfile[];
  /** Of steps that run uninterrupted: median and best milliseconds. */
  readonly step: { readonly median: number; readonly best: number };
  /** Median milliseconds of recording and submitting a step, on WebGPU; on WASM the call runs the step. */
  readonly host: number | undefined;
  /** Whether the training was sound to the end. */
  readonly finite: boolean;
}

const SEED = 1;
const WARM_MILLISECONDS = 1500;
/** A repeated call should take so long, on WebGPU. */
const REPEATED_MILLISECONDS = 30;

export async function profileStep(backend: Backend, options: ProfileOptions): Promise<StepProfile> {
  const { width, layers, batch, steps } = options;
  const activation = activationKinds.find((kind) => kind === options.activation);
  if (!activation) throw new RangeError(`activation: got "${options.activation}", expected one of ${activationKinds}`);
  const data = checkerboard();
  const network = mlp({ dimension: 2, hidden: new Array<number>(layers).fill(width), activation });
  const optimizer = adam();
  const loss = lossFrom({ name: options.loss, options: {} });
  const graph = buildTrainStep({ network, path: condOT(), loss, optimizer, data, batchSize: batch });
  const program = withSharedArenas(compile(graph, backend.limits));
  const store = new StateStore(backend);
  const loaded: Executable[] = [];
  try {
    store.declare(program.state);
    const load = async (calls: readonly KernelCall[]) => {
      const buffers = store.buffers(program.state.map(({ name }) => name));
      loaded.push(await backend.load({ ...program, calls }, buffers));
      return loaded.at(-1) as Executable;
    };
    const whole = await load(program.calls);
    const single: Executable[] = [];
    for (const call of program.calls) single.push(await load([call]));
    const { vectors } = initialSnapshot({ optimizer }, initialParameters(network, SEED), false);
    for (const [name, values] of [...constantState(SEED, data), ...vectors]) store.write(name, values);
    store.write(trainState.ok.name, Float32Array.of(1));

    const submitted: number[] = [];
    const time = async (executable: Executable, times: number) => {
      const start = performance.now();
      executable.run(times);
      submitted.push(performance.now() - start);
      await backend.finished();
      return performance.now() - start;
    };
    for (const end = performance.now() + WARM_MILLISECONDS; performance.now() < end; ) await time(whole, 1);
    submitted.length = 0;
    const wholes: number[] = [];
    const samples = single.map((): number[] => []);
    for (let step = 0; step < steps; step++) {
      if (backend.name === "wasm") for (const [i, call] of single.entries()) samples[i]?.push(await time(call, 1));
      wholes.push(await time(whole, 1));
    }
    const host = backend.name === "wasm" ? undefined : median(submitted);
    const finite = (await store.read(trainState.ok.name))[0] === 1;
    if (backend.name !== "wasm") for (const [i, call] of single.entries()) samples[i]?.push(await repeated(call, time));
    return {
      device: backend.device,
      calls: program.calls.map((call, i) => describe(call, median(samples[i] as number[]))),
      step: { median: median(wholes), best: Math.min(...wholes) },
      host,
      finite,
    };
  } finally {
    for (const executable of loaded) executable.dispose();
    store.dispose();
  }
}

/** Milliseconds of one run, from many in one submission. */
async function repeated(call: Executable, time: (call: Executable, times: number) => Promise<number>): Promise<number> {
  await time(call, 1); // compiles
  for (let times = 1; ; times *= 4) {
    const milliseconds = await time(call, times);
    if (milliseconds >= REPEATED_MILLISECONDS || times >= 1024) return milliseconds / times;
  }
}

/** The program with arenas that are state: "arena 0", ... */
function withSharedArenas(program: Program): Program {
  const nameOf = (index: number) => `arena ${index}`;
  const arenas = program.arenas.map((length, i) => ({ name: nameOf(i), shape: [length], dtype: "f32" }) as const);
  const moved = <Value>(value: Value): Value => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(moved) as Value;
    const region = value as { kind?: unknown; index?: unknown };
    if (region.kind === "arena") return { kind: "state", name: nameOf(region.index as number) } as Value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, moved(part)])) as Value;
  };
  return { ...program, state: [...program.state, ...arenas], arenas: [], calls: program.calls.map(moved) };
}

function describe({ kernel, label, parameters, chain, flops, bytes }: KernelCall, milliseconds: number): CallProfile {
  const { rows, columns, depth, transposeLeft, transposeRight, outer, reduced, inner } = parameters;
  let size = "";
  if (kernel === "linear" || kernel === "convolve") {
    size = `${rows}x${columns}x${depth}${transposeLeft ? " left^T" : ""}${transposeRight ? " right^T" : ""}`;
  }
  if (kernel === "reduce") size = `${outer}x${reduced}x${inner}`;
  if (chain) size = `${chain.count} of ${chain.steps.length} steps`;
  return { kernel, label, size, milliseconds, flops, bytes };
}
