/**
 * Speed of `linear` on WASM: GFLOP/s by shape, build and threads.
 *
 *   node bench/gemm.mjs [--relaxed] [--threads 1] [--save] [--samples 15] [--shapes 512x512x512,...]
 *
 * Without --relaxed the plain build; Node 20 and 21 take relaxed SIMD by `node --experimental-wasm-relaxed-simd`.
 * Each sample repeats a product for about 20 ms of this process's own time; reported are the best sample (what the
 * kernel can do) and the median (what this machine, with all else it does, let through), by the clock.
 * --save writes all samples to bench/results/gemm-<build>-<threads>.json.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fromSource, root } from "./source.mjs";

const { values: options } = parseArgs({
  options: {
    relaxed: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    save: { type: "boolean", default: false },
    samples: { type: "string", default: "15" },
    shapes: {
      type: "string",
      // rows x columns x depth: the square one, a hidden layer of batch 512 with one probe, its weight gradient (T: left
      // is transposed) and its way back (t: right is), the first and the last layer, their weight gradients.
      default:
        "512x512x512,1024x512x512,512x512x1024T,1024x512x512t,1024x512x3,1024x2x512,3x512x1024T,512x2x1024T,1024x128x128,128x128x1024T,64x64x64",
    },
  },
});
const build = options.relaxed ? "relaxed" : "plain";
const source = await fromSource(`export { createWasmBackend } from "./src/backends/wasm/backend.ts";`);
const backend = await source.createWasmBackend({ relaxed: options.relaxed, threads: Number(options.threads) });

console.log(`linear, ${backend.device}, ${cpus()[0]?.model}, Node ${process.version}`);
const results = [];
for (const shape of options.shapes.split(",")) {
  const result = await measure(shape);
  results.push(result);
  const [best, median] = [result.best, result.median].map((rate) => rate.toFixed(1).padStart(6));
  console.log(`${shape.padEnd(16)} best ${best}  median ${median} GFLOP/s`);
}
if (options.save) {
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const { device } = backend;
  const record = { kernel: "linear", device, cpu: cpus()[0]?.model, node: process.version, date: new Date(), results };
  await writeFile(join(folder, `gemm-${build}-${options.threads}.json`), `${JSON.stringify(record, undefined, 1)}\n`);
}
backend.dispose();

/** @param {string} shape rows x columns x depth */
async function measure(shape) {
  const [rows = 1, columns = 1, depth = 1] = shape.replace(/[Tt]/, "").split("x").map(Number);
  const lengths = { left: rows * depth, right: depth * columns, out: rows * columns };
  const buffers = new Map(Object.entries(lengths).map(([name, length]) => [name, backend.createState(name, length)]));
  for (const name of ["left", "right"]) {
    const values = Float32Array.from({ length: buffers.get(name).length }, (_, i) => Math.sin(i));
    backend.write(buffers.get(name), 0, values);
  }
  const place = (/** @type {string} */ name) => ({
    region: { kind: "state", name },
    offset: 0,
    length: buffers.get(name).length,
  });
  const call = {
    kernel: "linear",
    label: shape,
    parameters: {
      rows,
      columns,
      depth,
      transposeLeft: Number(shape.endsWith("T")),
      transposeRight: Number(shape.endsWith("t")),
      biasRows: 0,
    },
    bindings: { left: place("left"), right: place("right"), out: place("out") },
  };
  const state = [...buffers].map(([name, { length }]) => ({ name, shape: [length], dtype: "f32" }));
  const program = { name: shape, state, calls: [call], arenas: [], constants: new Uint32Array() };
  const executable = await backend.load(program, buffers);
  const flops = 2 * rows * columns * depth;
  const repeat = (/** @type {number} */ times) => {
    const start = performance.now();
    executable.run(times);
    return (performance.now() - start) / 1000;
  };
  let times = 1;
  for (const end = performance.now() + 400; performance.now() < end; ) {
    const seconds = repeat(times); // also warms up: V8 compiles hot functions anew
    times = Math.max(1, Math.round((times * 0.02) / seconds));
  }
  const samples = Array.from({ length: Number(options.samples) }, () => (flops * times) / repeat(times) / 1e9);
  const sorted = samples.toSorted((a, b) => a - b);
  executable.dispose();
  for (const buffer of buffers.values()) buffer.dispose();
  return { shape, times, best: sorted.at(-1) ?? 0, median: sorted[sorted.length >> 1] ?? 0, samples };
}
