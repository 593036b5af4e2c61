/**
 * The trial behind `jitter: "auto"` (docs/data.md): held-out negative log-likelihood of CFM, stopped early, by rows, dimension
 * and jitter, on Gaussian mixtures drawn anew for each seed.
 *
 *   npm run build && node bench/jitter.mjs [--dimensions 2,5,10] [--rows 200,500,1000,5000] [--jitter 0,0.05,...] [--seeds 2]
 *
 * Judged on 1,000 points of their own, the same for each jitter of a seed, so that differences are paired. What is done is
 * kept in bench/results/jitter.json, and not done again. No clocks: a loaded machine gives the same figures.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { adam, arrayData, cfm, condOT, createRuntime, createTrainer, mlp } from "divflow";
import { mixture } from "./mixture.mjs";

const { values } = parseArgs({
  options: {
    dimensions: { type: "string", default: "2,5,10" },
    rows: { type: "string", default: "200,500,1000,5000" },
    jitter: { type: "string", default: "0,0.05,0.1,0.15,0.2,0.3,0.4,0.5" },
    seeds: { type: "string", default: "2" },
  },
});
const numbers = (/** @type {string} */ list) => list.split(",").map(Number);
const file = new URL("results/jitter.json", import.meta.url);

/** @typedef {{ D: number, rows: number, jitter: number, seed: number, nats: number, steps: number }} Trial */
/** @type {Trial[]} */
const trials = await readFile(file, "utf8").then(
  (text) => JSON.parse(text).trials,
  () => [],
);

const runtime = await createRuntime({ backend: "wasm" });
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  for (const D of numbers(values.dimensions)) {
    for (const rows of numbers(values.rows)) {
      const { draw } = mixture(D, 1000 * seed + D);
      const [training, stopping, judging] = [draw(rows), draw(500), draw(1000)];
      for (const jitter of numbers(values.jitter)) {
        if (
          trials.some((trial) => trial.D === D && trial.rows === rows && trial.jitter === jitter && trial.seed === seed)
        )
          continue;
        const trainer = await createTrainer(runtime, {
          network: mlp({ dimension: D, hidden: [64, 64, 64] }),
          path: condOT(),
          loss: cfm(),
          data: arrayData(training, [rows, D]),
          validation: arrayData(stopping, [500, D]),
          ...{
            batchSize: 256,
            optimizer: adam({ learningRate: 0.002 }),
            validateEvery: 50,
            earlyStopping: true,
            jitter,
            seed,
          },
        });
        for await (const _ of trainer.run({ steps: 8000, progressEvery: 500 })) void _;
        const { values: logDensities } = await trainer.model.logDensity(judging, { divergence: "exact" });
        const nats =
          -logDensities.reduce((/** @type {number} */ sum, /** @type {number} */ value) => sum + value, 0) /
          logDensities.length;
        trials.push({ D, rows, jitter, seed, nats, steps: trainer.best?.step ?? trainer.step });
        trainer.dispose();
        await writeFile(file, `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), trials }, null, 1)}\n`);
        console.log(`D ${D}, ${rows} rows, jitter ${jitter}, seed ${seed}: ${nats.toFixed(4)} nats`);
      }
    }
  }
}
runtime.dispose();
