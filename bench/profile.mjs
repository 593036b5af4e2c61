/**
 * Where the time of one training step on WASM goes: milliseconds of each kernel call.
 *
 *   node bench/profile.mjs [--loss cfm|fdm|paper-2d] [--width 128] [--layers 4] [--batch 512] [--activation silu]
 *                          [--relaxed] [--threads 1] [--steps 60] [--brief]
 *
 * For developers: it runs src/, not the package, and looks inside the backend. Whole steps run call by call with a
 * clock around each, so that every call meets the caches as in training; reported are medians over --steps steps, and the best step. The
 * sum is compared with the time of steps that run uninterrupted.
 */
import { parseArgs } from "node:util";
import { fromSource } from "./source.mjs";

const { values: options } = parseArgs({
  options: {
    loss: { type: "string", default: "fdm" },
    width: { type: "string", default: "128" },
    layers: { type: "string", default: "4" },
    batch: { type: "string", default: "512" },
    activation: { type: "string", default: "silu" },
    relaxed: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    brief: { type: "boolean", default: false },
  },
});

// The backend's `run` runs a table of calls, 16 bytes each: seeing its arguments is enough to run one call alone.
/** @type {{ run(...numbers: number[]): number } | undefined} */
let kernels;
/** @type {number[] | undefined} calls, count, times and what follows them */
let table;
const instantiate = WebAssembly.instantiate;
Object.assign(WebAssembly, {
  instantiate: async (/** @type {any} */ module, /** @type {WebAssembly.Imports} */ imports) => {
    const result = /** @type {any} */ (await instantiate(module, imports));
    const exports = (result.instance ?? result).exports;
    kernels = exports;
    const run = (/** @type {number[]} */ ...numbers) => {
      table = numbers;
      return exports.run(...numbers);
    };
    const instance = { exports: { ...exports, run } };
    return result.instance ? { ...result, instance } : instance;
  },
});

const source = await fromSource(`
  export { createWasmBackend } from "./src/backends/wasm/backend.ts";
  export { compile } from "./src/schedule/compile.ts";
  export { buildTrainStep, trainState } from "./src/train/step.ts";
  export { adam } from "./src/train/adam.ts";
  export { constantState, initialSnapshot } from "./src/engine/trainer-state.ts";
  export { checkerboard } from "./src/data/checkerboard.ts";
  export { mlp } from "./src/nn/mlp.ts";
  export { condOT } from "./src/flow/paths/cond-ot.ts";
  export { lossFrom } from "./src/flow/losses/registry.ts";
`);

const data = source.checkerboard();
const network = source.mlp({
  dimension: 2,
  hidden: Array.from({ length: Number(options.layers) }, () => Number(options.width)),
  activation: options.activation,
});
const loss = source.lossFrom({ name: options.loss, options: {} });
const optimizer = source.adam();
const batchSize = Number(options.batch);
const seed = 1;
const graph = source.buildTrainStep({ network, path: source.condOT(), loss, optimizer, data, batchSize, seed });
const backend = await source.createWasmBackend({ relaxed: options.relaxed, threads: Number(options.threads) });
const program = source.compile(graph, backend.limits);

const buffers = new Map();
for (const { name, shape } of program.state) {
  const length = shape.reduce((/** @type {number} */ product, /** @type {number} */ size) => product * size, 1);
  buffers.set(name, backend.createState(name, length));
}
const { vectors } = source.initialSnapshot(network, optimizer, undefined, seed);
for (const [name, values] of [...source.constantState(seed, data), ...vectors]) {
  backend.write(buffers.get(name), 0, values);
}
backend.write(buffers.get(source.trainState.ok.name), 0, Float32Array.of(1));
const executable = await backend.load(program, buffers);

for (const end = performance.now() + 1500; performance.now() < end; ) executable.run(1); // V8 compiles hot code anew
if (!kernels || !table) throw new Error("The backend has run nothing.");
const [calls = 0, count = 0, , ...others] = table;
const steps = Number(options.steps);
/** @type {number[][]} */
const times = Array.from({ length: count }, () => []);
/** @type {number[]} */
const whole = [];
for (let step = 0; step < steps; step++) {
  for (let call = 0; call < count; call++) {
    const start = performance.now();
    kernels.run(calls + 16 * call, 1, 1, ...others);
    times[call]?.push(performance.now() - start);
  }
  const start = performance.now();
  executable.run(1);
  whole.push(performance.now() - start);
}

/** @type {Map<string, { ms: number; flops: number; bytes: number; calls: number }>} */
const byKernel = new Map();
let sum = 0;
if (!options.brief) console.log("      ms  GFLOP/s   GB/s  call");
times.forEach((samples, i) => {
  const ms = median(samples);
  const { kernel, label, flops, bytes, parameters, chain } = program.calls[i];
  sum += ms;
  const total = byKernel.get(kernel) ?? { ms: 0, flops: 0, bytes: 0, calls: 0 };
  byKernel.set(kernel, {
    ms: total.ms + ms,
    flops: total.flops + flops,
    bytes: total.bytes + bytes,
    calls: total.calls + 1,
  });
  if (options.brief) return;
  const { rows, columns, depth, transposeLeft, transposeRight, outer, reduced, inner } = parameters;
  let shape = "";
  if (kernel === "linear") {
    shape = `${rows}x${columns}x${depth}${transposeLeft ? " left^T" : ""}${transposeRight ? " right^T" : ""}`;
  }
  if (kernel === "reduce") shape = `${outer}x${reduced}x${inner}`;
  if (chain) shape = `${chain.count} of ${chain.steps.length} steps`;
  console.log(`${columns3(ms, flops, bytes)}  ${kernel} ${shape}  ${label.slice(0, 90)}`);
});
console.log("      ms  GFLOP/s   GB/s  by kernel");
for (const [kernel, { ms, flops, bytes, calls: number }] of byKernel) {
  console.log(`${columns3(ms, flops, bytes)}  ${kernel}, ${number} calls`);
}
const step = median(whole);
const size = `${options.layers} x ${options.width}, batch ${options.batch}`;
const matmuls = byKernel.get("linear")?.ms ?? 0;
console.log(
  `${options.loss} step, ${size}, ${options.activation}, ${backend.device}: ${step.toFixed(3)} ms ` +
    `(best ${Math.min(...whole).toFixed(3)}), call by call ${sum.toFixed(3)} ms, ` +
    `${(step / matmuls).toFixed(2)} times its products; loss ${await lastLoss()}`,
);

/** That training does train: a profile of numbers gone bad would be of something else. */
async function lastLoss() {
  const [ok] = await backend.read(buffers.get(source.trainState.ok.name), 0, 1, "f32");
  return ok === 1 ? "finite" : "NOT FINITE";
}

/** @param {number} ms @param {number} flops @param {number} bytes */
function columns3(ms, flops, bytes) {
  const rate = (/** @type {number} */ amount) => (amount / ms / 1e6).toFixed(1);
  return `${ms.toFixed(4).padStart(8)} ${rate(flops).padStart(8)} ${rate(bytes).padStart(6)}`;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
