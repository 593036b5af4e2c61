/**
 * What divergence matching costs by dimension: training steps of CFM, FDM (one probe) and FDM with the exact divergence, MLP of
 * 4 x 128 at batch 512 on mixtures of Gaussians, each in turn within a round; medians of the rounds' ratios to CFM's, and the
 * memory that a step and its state take.
 *
 *   npm run build && node bench/dimensions.mjs [--rounds 15] [--steps 10] [--threads 1] [--width 128]
 *
 * Kept in bench/results/dimensions.json. Only on a quiet machine.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { cfm, condOT, createRuntime, createTrainer, fdm, gaussianMixture, mlp } from "divflow";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    steps: { type: "string", default: "10" },
    threads: { type: "string", default: "1" },
    width: { type: "string", default: "128" },
  },
});
const [rounds, steps, threads, width] = [options.rounds, options.steps, options.threads, options.width].map(Number);
const dimensions = [2, 4, 8, 16, 32, 64, 128];
const losses = { cfm: cfm(), fdm: fdm({ divergence: 0.1 }), exact: fdm({ divergence: 0.1, estimator: "exact" }) };

const runtime = await createRuntime({ backend: "wasm", threads });

/** @param {number} dimension @param {import("divflow").Loss} loss */
async function trainerOf(dimension, loss) {
  const corner = (/** @type {number} */ sign) => Array.from({ length: dimension }, (_, i) => (i % 2 ? sign : 1));
  const trainer = await createTrainer(runtime, {
    network: mlp({ dimension, hidden: [width, width, width, width] }),
    path: condOT(),
    data: gaussianMixture({ means: [corner(1), corner(-1)], variances: [0.1, 0.1] }),
    ...{ loss, batchSize: 512 },
  });
  const text = await trainer.describe();
  return {
    trainer,
    kilobytes: kilobytes(text, /^temporaries: ([\d.,]+) KiB/m) + kilobytes(text, /^state: ([\d.,]+) KiB/m),
  };
}

/** @param {string} text @param {RegExp} line */
function kilobytes(text, line) {
  const found = line.exec(text)?.[1];
  if (found === undefined) throw new Error(`describe() has no line ${line}`);
  return Number(found.replaceAll(",", ""));
}

const median = (/** @type {number[]} */ list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const rows = [];
console.log(`D     CFM ms   FDM / CFM  exact / CFM   memory: FDM / CFM  exact / CFM`);
for (const dimension of dimensions) {
  const all = await Promise.all(
    Object.entries(losses).map(async ([name, loss]) => ({ name, ...(await trainerOf(dimension, loss)) })),
  );
  /** @type {Record<string, number[]>} Milliseconds a step. */
  const times = Object.fromEntries(all.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, trainer } of all) {
      const start = performance.now();
      for await (const _ of trainer.run({ steps }));
      if (round >= 0) times[name].push((performance.now() - start) / steps); // compilers come first
    }
  }
  const ratio = (/** @type {string} */ name) => median(times[name].map((one, i) => one / times["cfm"][i]));
  const memory = Object.fromEntries(all.map(({ name, kilobytes: own }) => [name, own]));
  for (const { trainer } of all) trainer.dispose();
  const row = {
    dimension,
    milliseconds: times,
    kilobytes: memory,
    ratios: { fdm: ratio("fdm"), exact: ratio("exact") },
  };
  rows.push(row);
  const cells = [median(times["cfm"]), row.ratios.fdm, row.ratios.exact];
  const memories = ["fdm", "exact"].map((name) => memory[name] / memory["cfm"]);
  console.log(
    [String(dimension).padEnd(5), ...[...cells, ...memories].map((one) => one.toFixed(2).padStart(10))].join(" "),
  );
}
runtime.dispose();
await writeFile(
  new URL("results/dimensions.json", import.meta.url),
  `${JSON.stringify({ rounds, steps, threads, width, batch: 512, rows }, undefined, 2)}\n`,
);
