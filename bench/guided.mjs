/**
 * What guidance costs: samples of an MLP of 4 x 512 by Euler steps, guided by its label (classifier-free), by an event, and
 * by a known coordinate, each in turns with unguided ones; the median of turns' ratios. Times are of this process's CPU where there is
 * one thread, so that a machine that others use says nearly the same.
 *
 *   npm run build && node bench/guided.mjs [--rounds 15] [--count 256] [--steps 8] [--threads 1]
 *
 * Kept in bench/results/guided.json.
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
  "classifier-free": { ...base, guidance: 2 },
  event: { ...base, guide: right },
  known: { ...base, known: { values: [0, 0], mask: [false, true] } },
};
/** @type {Record<string, { own: number, unguided: number }[]>} Milliseconds. */
const times = {};
/** @param {Parameters<typeof trainer.model.sample>[0]} request */
async function milliseconds(request) {
  const [begun, start] = [process.cpuUsage(), performance.now()];
  await trainer.model.sample(request);
  const { user, system } = process.cpuUsage(begun);
  return threads === 1 ? (user + system) / 1000 : performance.now() - start;
}
for (const [kind, request] of Object.entries(kinds)) {
  times[kind] = [];
  for (let round = -2; round < rounds; round++) {
    const turn = { unguided: await milliseconds(base), own: await milliseconds(request) };
    if (round >= 0) times[kind].push(turn); // plans and compilers come first
  }
}
runtime.dispose();

const median = (/** @type {number[]} */ list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const ratios = Object.fromEntries(
  Object.entries(times).map(([kind, list]) => [kind, median(list.map(({ own, unguided }) => own / unguided))]),
);
const unguided = median(Object.values(times).flatMap((list) => list.map((turn) => turn.unguided)));
console.log(`unguided: ${unguided.toFixed(1)} ms for ${count} samples of ${steps} steps, threads ${threads}`);
for (const [kind, ratio] of Object.entries(ratios)) console.log(`${kind.padEnd(16)} ${ratio.toFixed(2)}`);
await writeFile(
  new URL("results/guided.json", import.meta.url),
  `${JSON.stringify({ rounds, count, steps, threads, ratios, milliseconds: times }, undefined, 2)}\n`,
);
