/**
 * A training run of a million steps (`--steps`) at a small size on WebAssembly, on this thread and in a worker: each step
 * is told once, in order, and the heap is afterwards what it was.
 *
 *     npm run build && node test/reliability/long-run.mjs [--steps 10000000]
 */
import { parseArgs } from "node:util";
import { collect, countObjects } from "../collect.mjs";
import { built, conclude } from "./shared.mjs";

const { cfm, checkerboard, condOT, createRuntime, createTrainer, mlp } = await built();

const { values } = parseArgs({ options: { steps: { type: "string", default: "1000000" } } });
const steps = Number(values.steps);

/** Steps after which everything is compiled and as large as it gets. */
const WARM = 20_000;

/** Objects that may come or go with what the platform compiles and keeps for itself, whatever is done. */
const CHANGES = 50;

let wrong = 0;
/** @type {Record<string, object>} */
const details = {};
for (const worker of [false, true]) {
  const place = worker ? "in a worker" : "on this thread";
  const runtime = await createRuntime({ backend: "wasm", worker });
  const trainer = await createTrainer(runtime, {
    network: mlp({ dimension: 2, hidden: [4] }),
    path: condOT(),
    loss: cfm(),
    data: checkerboard(),
    batchSize: 2,
    seed: 1,
  });
  let next = 1;
  let misplaced = 0;
  let most = 0;
  /** @param {number} count */
  const train = async (count) => {
    for await (const progress of trainer.run({ steps: count })) {
      most = Math.max(most, progress.steps.length);
      for (const { step } of progress.steps) if (step !== next++) misplaced++;
    }
  };
  await train(WARM);
  const before = { objects: await countObjects(), ...(await megabytes()) };
  await train(steps - WARM);
  const after = { objects: await countObjects(), ...(await megabytes()) };
  const told = next - 1;
  const lost = Math.abs(steps - told) + misplaced;
  const grown = Object.entries(after.objects).filter(([kind, count]) => count - (before.objects[kind] ?? 0) > CHANGES);
  for (const [kind, count] of grown) console.log(`${place}: ${before.objects[kind]} of ${kind}, then ${count}`);
  if (lost > 0) console.log(`${place}: ${told} of ${steps} steps were told, ${misplaced} out of their order`);
  wrong += Math.min(steps, lost) || (grown.length > 0 ? 1 : 0);
  details[place] = { steps, told, mostInAReport: most, before, after };
  runtime.dispose();
}
await conclude("long-run", { tried: 2 * steps, wrong, details });

async function megabytes() {
  await collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMB: heapUsed / 1e6, processMB: rss / 1e6 };
}
