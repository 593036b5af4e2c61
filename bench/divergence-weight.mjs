/**
 * The trial behind `suggestDivergenceWeight` (docs/loss.md): what it suggests beside a sweep of nine weights on five paths,
 * and CFM, by the error of the learned log-density of a mixture whose density is known.
 *
 *   npm run build && node bench/divergence-weight.mjs [--steps 1000] [--seeds 2]
 *
 * What is done is kept in bench/results/divergence-weight.json, and not done again. No clocks.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  adam,
  cfm,
  condOT,
  cosine,
  cosineDecay,
  createRuntime,
  createTrainer,
  fdm,
  gaussianMixture,
  linearVP,
  mlp,
  polynomial,
  product,
  rk4,
  sampleData,
  ve,
} from "divflow";
import { suggestDivergenceWeight } from "divflow/flows";

const { values } = parseArgs({
  options: { steps: { type: "string", default: "1000" }, seeds: { type: "string", default: "2" } },
});
const [steps, seeds] = [Number(values.steps), Number(values.seeds)];
const weights = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
const file = new URL("results/divergence-weight.json", import.meta.url);

/** @typedef {{ path: string, seed: number, steps: number, weight: number, kl: number, error: number }} Trial */
/** @typedef {{ path: string, seed: number, weight: number, looks: readonly object[] }} Suggestion */
/** @type {{ trials: Trial[], suggestions: Suggestion[] }} */
const kept = await readFile(file, "utf8").then(
  (text) => JSON.parse(text),
  () => ({ trials: [], suggestions: [] }),
);
const save = () => writeFile(file, `${JSON.stringify(kept, undefined, 1)}\n`);

const sigmaMin = 0.05;
/** Each with the variance of the noise that data keep. */
const paths = /** @type {const} */ ([
  [condOT(), 0],
  [polynomial({ degree: 2 }), 0],
  [linearVP(), 0],
  [cosine(), 0],
  [ve({ sigmaMin, sigmaMax: 4 }), sigmaMin ** 2],
]);

const mixture = {
  weights: [0.25, 0.35, 0.4],
  means: [
    [-1.2, 0.6],
    [0.9, 0.9],
    [0.2, -1],
  ],
  variances: [0.06, 0.12, 0.2],
};
const data = gaussianMixture(mixture);
const count = 500;
const points = sampleData(data, count, 5);

/**
 * log of the mixture's density with so much more variance.
 * @param {number} i
 * @param {number} more
 */
function logDensity(i, more) {
  const density = mixture.weights.reduce((sum, weight, k) => {
    const variance = (mixture.variances[k] ?? 0) + more;
    const mean = mixture.means[k] ?? [];
    const square = [0, 1].reduce((all, j) => all + ((points[2 * i + j] ?? 0) - (mean[j] ?? 0)) ** 2, 0);
    return sum + (weight / (2 * Math.PI * variance)) * Math.exp(-square / (2 * variance));
  }, 0);
  return Math.log(density);
}

const runtime = await createRuntime({ backend: "wasm" });
const network = mlp({ dimension: 2, hidden: [48, 48] });
const options = (/** @type {number} */ seed) => ({
  ...{ network, data, batchSize: 128, seed },
  optimizer: adam({ learningRate: product(0.01, cosineDecay({ steps, final: 0.01 })) }),
});

for (let seed = 1; seed <= seeds; seed++) {
  for (const [path, more] of paths) {
    if (!kept.suggestions.some((one) => one.path === path.name && one.seed === seed)) {
      const suggested = await suggestDivergenceWeight(runtime, { ...options(seed), path, loss: fdm() }, { balance: 1 });
      kept.suggestions.push({ path: path.name, seed, ...suggested });
      await save();
    }
    for (const weight of [0, ...weights]) {
      const same = (/** @type {Trial} */ one) =>
        one.path === path.name && one.seed === seed && one.weight === weight && one.steps === steps;
      if (kept.trials.some(same)) continue;
      const loss = weight === 0 ? cfm() : fdm({ divergence: weight });
      const trainer = await createTrainer(runtime, { ...options(seed), path, loss });
      for await (const { step } of trainer.run({ steps })) void step;
      const { values: found } = await trainer.model.logDensity(points, { solver: rk4({ steps: 30 }) });
      const errors = Array.from(found, (value, i) => logDensity(i, more) - value);
      const mean = (/** @type {readonly number[]} */ list) => list.reduce((a, b) => a + b, 0) / list.length;
      kept.trials.push({ path: path.name, seed, steps, weight, kl: mean(errors), error: mean(errors.map(Math.abs)) });
      trainer.dispose();
      await save();
    }
    const own = kept.trials.filter((one) => one.path === path.name && one.seed === seed && one.steps === steps);
    const { weight } = kept.suggestions.find((one) => one.path === path.name && one.seed === seed) ?? { weight: 0 };
    console.log(
      path.name,
      seed,
      "balance",
      weight.toPrecision(3),
      own.map((one) => `${one.weight}: ${one.error.toFixed(3)}`).join("  "),
    );
  }
}
runtime.dispose();
