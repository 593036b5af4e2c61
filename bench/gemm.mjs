/**
 * Speed of `linear` on WASM: GFLOP/s by shape and build.
 *
 *   node bench/gemm.mjs [--relaxed] [--save] [--shapes 512x512x512,...]
 *
 * Without --relaxed the plain build; Node 20 and 21 take relaxed SIMD by `node --experimental-wasm-relaxed-simd`.
 * Each sample repeats a product for about 50 ms of this process's own time; reported are the best sample (what the
 * kernel can do) and the median (what this machine, with all else it does, let through), by the clock.
 * --save writes all samples to bench/results/gemm-<build>.json.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { builds, compile } from "../.build/wasm.mjs";

const root = join(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    relaxed: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    samples: { type: "string", default: "15" },
    shapes: {
      type: "string",
      // rows x columns x depth: the square one, a hidden layer of batch 512 with one probe, its weight gradient, the
      // first and the last layer, and the weight gradient of the first.
      default: "512x512x512,1024x512x512,512x512x1024T,1024x512x3,1024x2x512,3x512x1024T,64x64x64",
    },
  },
});
const build = options.relaxed ? "relaxed" : "plain";

const memory = new WebAssembly.Memory({ initial: 1024 });
const { instance } = await WebAssembly.instantiate(await compile(builds[build]), { env: { memory } });
const { linear } = /** @type {{ linear(parameters: number, scratch: number): void }} */ (
  /** @type {unknown} */ (instance.exports)
);

const parameters = 65536;
const operands = 1 << 20;
const scratch = 48 << 20;

const results = [];
for (const shape of options.shapes.split(",")) results.push(measure(shape));
console.log(`linear, ${build} SIMD, one thread, ${cpus()[0]?.model}, Node ${process.version}`);
for (const { shape, best, median } of results) {
  console.log(
    `${shape.padEnd(16)} best ${best.toFixed(1).padStart(6)}  median ${median.toFixed(1).padStart(6)} GFLOP/s`,
  );
}
if (options.save) {
  const folder = join(root, "bench", "results");
  await mkdir(folder, { recursive: true });
  const record = { kernel: "linear", build, cpu: cpus()[0]?.model, node: process.version, date: new Date(), results };
  await writeFile(join(folder, `gemm-${build}.json`), `${JSON.stringify(record, undefined, 1)}\n`);
}

/** @param {string} shape rows x columns x depth; a T at its end: left is transposed */
function measure(shape) {
  const [rows = 1, columns = 1, depth = 1] = shape.replace("T", "").split("x").map(Number);
  const left = operands;
  const right = left + rows * depth * 4;
  const out = right + depth * columns * 4;
  if (out + rows * columns * 4 > scratch) throw new Error(`${shape} does not fit in this benchmark's memory.`);
  new Float32Array(memory.buffer, left, rows * depth + depth * columns).forEach((_, i, all) => {
    all[i] = Math.sin(i);
  });
  const words = [rows, columns, depth, shape.endsWith("T") ? 1 : 0, 0, 0, 0, 0, left / 4, right / 4, 0, 0, out / 4];
  new Uint32Array(memory.buffer, parameters, words.length).set(words);

  const flops = 2 * rows * columns * depth;
  const repeat = (/** @type {number} */ times) => {
    const start = performance.now();
    for (let i = 0; i < times; i++) linear(parameters, scratch);
    return (performance.now() - start) / 1000;
  };
  let times = 1;
  for (const end = performance.now() + 500; performance.now() < end; ) {
    const seconds = repeat(times); // also warms up: V8 compiles hot functions anew
    times = Math.max(1, Math.round((times * 0.05) / seconds));
  }
  const samples = Array.from({ length: Number(options.samples) }, () => (flops * times) / repeat(times) / 1e9);
  const sorted = samples.toSorted((a, b) => a - b);
  return { shape, times, best: sorted.at(-1) ?? 0, median: sorted[sorted.length >> 1] ?? 0, samples };
}
