/**
 * Samples of 500 numbers of points (`--count`), drawn by `--seed`, from one model on WebGPU: each has as many points, all
 * finite; of pipelines no more live than are promised, however many were made; numbers that come again, when their
 * pipelines are long gone, give the same bits. The process's memory is told before and after.
 *
 *     npm run build && node test/reliability/sample-counts.mjs
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { commandFor } from "../../.build/platforms/run.mjs";
import { collect, Kept } from "../collect.mjs";
import { built, conclude, Random } from "./shared.mjs";

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const cases = Number(values.count ?? 500);
const seed = Number(values.seed ?? 1);

// The software adapter's libraries are found by what the environment says when a process starts: so this one starts
// itself again, once, with it.
const { environment } = await commandFor("node-webgpu");
const { VK_DRIVER_FILES: driver } = environment;
if (driver !== undefined && process.env["VK_DRIVER_FILES"] !== driver) {
  const script = fileURLToPath(import.meta.url);
  const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], {
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  process.exit(status ?? 1);
}

/** Beside those of programs in use, says docs/architecture.md; and those of the three programs that a model keeps. */
const PROMISED = 64 + 3 * 6;

/** Numbers of points that are asked for again. */
const AGAIN = 20;

const { cfm, checkerboard, condOT, createRuntime, createTrainer, euler, mlp } = await built();
const { create, globals } = await import("webgpu");
Object.assign(globalThis, globals);
const kept = new Kept();
const compile = GPUDevice.prototype.createComputePipelineAsync;
/** @param {GPUComputePipelineDescriptor} descriptor */
GPUDevice.prototype.createComputePipelineAsync = async function (descriptor) {
  return kept.note(await compile.call(this, descriptor));
};

const runtime = await createRuntime({ backend: "webgpu", gpu: create([]) });
const { model } = await createTrainer(runtime, {
  network: mlp({ dimension: 2, hidden: [4] }),
  path: condOT(),
  loss: cfm(),
  data: checkerboard(),
  batchSize: 4,
  seed: 1,
});
const random = new Random(seed);
const counts = Array.from({ length: cases }, () => 1 + random.integer(5000));
const solver = euler({ steps: 1 });
/** @param {number} count */
const draw = async (count) => (await model.sample({ count, solver, seed: count })).values;

/** @type {Map<number, Float32Array | Float64Array>} */
const first = new Map();
let wrong = 0;
/** @param {string} message */
const isWrong = (message) => {
  wrong++;
  console.log(`seed ${seed}: ${message}`);
};
await draw(5);
const before = await memory();
let most = before.pipelines;
for (const [i, count] of counts.entries()) {
  const points = await draw(count);
  if (points.length !== 2 * count || !points.every(Number.isFinite))
    isWrong(`${points.length} numbers for ${count} points`);
  if (i < AGAIN) first.set(count, points);
  if (i % 50 !== 49) continue;
  const live = await kept.count();
  most = Math.max(most, live);
  if (live > before.pipelines + PROMISED) isWrong(`${live} pipelines live after ${i + 1} counts`);
}
const after = await memory();
const made = kept.noted;
for (const [count, points] of first) {
  const again = await draw(count);
  if (again.some((value, i) => !Object.is(value, points[i]))) isWrong(`other bits of ${count} points, the second time`);
}
runtime.dispose();
const details = { device: runtime.device, before, after, mostPipelines: most, made, again: first.size };
await conclude("sample-counts", { tried: cases + first.size, wrong, details });
process.exit();

async function memory() {
  await collect();
  const { heapUsed, rss } = process.memoryUsage();
  const { buffers, bytes } = await runtime.memory();
  return { pipelines: await kept.count(), heapMB: heapUsed / 1e6, processMB: rss / 1e6, buffers, bytes };
}
