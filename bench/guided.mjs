/**
 * What guidance costs: samples of an MLP of 4 x 512 by Euler steps, unguided, guided by its label (classifier-free), by an event, and
 * by a known coordinate, each in turn within a round; the median of rounds' ratios to the unguided one.
 *
 *   npm run build && node bench/guided.mjs [--rounds 15] [--count 256] [--steps 8] [--threads 1]
 *
 * Kept in bench/results/guided.json. Only on a quiet machine.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { arrayData, cfm, classes, condOT, createRuntime, createTrainer, euler, mlp } from "divflow";
import { defineGuidance, ops } from "divflow/networks";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    count: { type: "string", default: "256" },
    steps: { type: "string", default: "8" },
    threads: { type: "string", default: "1" },
  },
});
const [rounds, count, steps, threads] = [options.rounds, options.count, options.steps, options.threads].map(Number);

const runtime = await createRuntime({ backend: "wasm", threads });
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 2, hidden: [512, 512, 512, 512], conditions: { label: classes(2, { drop: 0.3 }) } }),
  path: condOT(),
  loss: cfm(),
  batchSize: 8,
  data: arrayData([-1, 0, 1, 0], [2, 2], { conditions: { label: [0, 1] } }),
});
for await (const _ of trainer.run({ steps: 2 })); // what it has learnt is no matter
const right = defineGuidance({ name: "right", build: ({ samples }) => ops.slice(samples, 1, 0, 1) });
const base = { count, solver: euler({ steps }), conditions: { label: 1 } };
const kinds = {
  unguided: base,
  "classifier-free": { ...base, guidance: 2 },
  event: { ...base, guide: right },
  known: { ...base, known: { values: [0, 0], mask: [false, true] } },
};
/** @type {Record<string, number[]>} Milliseconds. */
const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
for (let round = -2; round < rounds; round++) {
  for (const [kind, request] of Object.entries(kinds)) {
    const start = performance.now();
    await trainer.model.sample(request);
    if (round >= 0) times[kind].push(performance.now() - start); // plans and compilers come first
  }
}
runtime.dispose();

const median = (/** @type {number[]} */ list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const ratios = Object.fromEntries(
  Object.entries(times).map(([kind, list]) => [kind, median(list.map((one, i) => one / times.unguided[i]))]),
);
console.log(
  `unguided: ${median(times.unguided).toFixed(1)} ms for ${count} samples of ${steps} steps, threads ${threads}`,
);
for (const [kind, ratio] of Object.entries(ratios)) console.log(`${kind.padEnd(16)} ${ratio.toFixed(2)}`);
await writeFile(
  new URL("results/guided.json", import.meta.url),
  `${JSON.stringify({ rounds, count, steps, threads, ratios, milliseconds: times }, undefined, 2)}\n`,
);
