/** Threads of the WASM backend: as many as asked for where there are any, and the same bits whatever their number. */
import {
  adam,
  arrayData,
  condOT,
  createRuntime,
  createTrainer,
  euler,
  fdm,
  mlp,
  type RuntimeOptions,
} from "../../src/index.ts";
import { assert, assertEqual } from "./assert.ts";
import type { Check } from "./check.ts";

/** Large enough for calls to be shared, odd enough for edges: units of several rows, the last one shorter. */
const hidden = [67, 130];
const batchSize = 331;

const points = Float32Array.from({ length: 3 * 53 }, (_, i) => 2 * Math.sin(i * i) + (i % 3));

/** Some steps, the samples and densities of what was trained, as bits. */
async function trained(options: RuntimeOptions): Promise<{ device: string; bits: Uint32Array[] }> {
  const runtime = await createRuntime({ backend: "wasm", ...options });
  try {
    const trainer = await createTrainer(runtime, {
      network: mlp({ dimension: 3, hidden, activation: "silu" }),
      path: condOT(),
      loss: fdm({ divergence: 0.2, probes: 2 }),
      optimizer: adam({ learningRate: 1e-3 }),
      data: arrayData(points, [53, 3]),
      maximumGradientNorm: 0.5,
      batchSize,
      seed: 7,
    });
    const losses: number[] = [];
    for await (const { steps } of trainer.run({ steps: 4 })) losses.push(...steps.map(({ loss }) => loss));
    const solver = euler({ steps: 5 });
    const samples = await trainer.model.sample({ count: 701, solver, seed: 3, logDensity: true });
    const bits = [Float32Array.from(losses), samples.values, samples.logDensity!.values].map(
      (values) => new Uint32Array(values.slice().buffer),
    );
    return { device: runtime.device, bits };
  } finally {
    runtime.dispose();
  }
}

export const checks: Check[] = [
  {
    name: "threads: 1, 2 and 3 give the same bits in training, sampling and densities",
    backend: "wasm",
    seconds: 120,
    async run() {
      const alone = await trained({});
      assert(alone.device.endsWith("one thread"), `the default: ${alone.device}`);
      for (const threads of [2, 3]) {
        const { device, bits } = await trained({ threads });
        assert(device.endsWith(`${threads} threads`), `${threads} threads: ${device}`);
        bits.forEach((words, i) => {
          assertEqual(words, alone.bits[i], `${threads} threads, ${["losses", "samples", "log-densities"][i]}`);
        });
      }
    },
  },
  {
    name: "threads: where there is no shared memory one is taken, and the reason says so",
    backend: "wasm",
    async run() {
      const shared = globalThis.SharedArrayBuffer;
      Object.assign(globalThis, { SharedArrayBuffer: undefined });
      try {
        const runtime = await createRuntime({ backend: "wasm", threads: 2, worker: false });
        const { device, reason } = runtime;
        runtime.dispose();
        assert(device.endsWith("one thread"), device);
        assert(/One thread, because .*SharedArrayBuffer/.test(reason), reason);
      } finally {
        Object.assign(globalThis, { SharedArrayBuffer: shared });
      }
    },
  },
];
