/**
 * What few evaluations are worth: CFM, FDM and flow maps on a mixture of eight Gaussians, by 1, 2, 4, 8 and 100 evaluations of the
 * network a sample (docs/flows.md).
 *
 *   npm run build && node bench/few-evaluations.mjs [--steps 6000] [--seeds 3]
 *
 * Total variation: half the sum, over cells of 0.25, of how far the share of 50,000 samples is from that of 2,000,000 draws of the data;
 * 50,000 further draws of the data tell what chance makes of it. Negative log-likelihood: of 2,000 fresh draws, by as many
 * evaluations with divergence; what a few Euler steps say of a density need not integrate to 1, and may be lower than the
 * entropy. Flow maps: from the head, and exact from tangents, which is the density of what these steps make. Kept in
 * bench/results/few-evaluations.json. No clocks: a loaded machine gives the same figures.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  adam,
  cfm,
  condOT,
  cosineDecay,
  createRuntime,
  createTrainer,
  eightGaussians,
  euler,
  fdm,
  mlp,
  product,
  sampleData,
} from "divflow";
import { flowMap, flowMapSteps, meanFlow } from "divflow/flows";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "6000" }, seeds: { type: "string", default: "3" } },
});
const [steps, seeds] = [Number(options.steps), Number(options.seeds)];
const evaluations = [1, 2, 4, 8, 100];
const data = eightGaussians({ radius: 2, std: 0.3 });
const CELL = 0.25;
const SIDE = 40; // cells, around 0
const SAMPLES = 50_000;

/** @param {ArrayLike<number>} points @returns {Float64Array} shares by cell; the last one has what is outside */
function histogram(points) {
  const cells = new Float64Array(SIDE * SIDE + 1);
  const count = points.length / 2;
  for (let i = 0; i < count; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]].map((value) => Math.floor(value / CELL) + SIDE / 2);
    cells[x >= 0 && y >= 0 && x < SIDE && y < SIDE ? y * SIDE + x : SIDE * SIDE] += 1 / count;
  }
  return cells;
}
/** @param {Float64Array} a @param {Float64Array} b */
const variation = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / 2;
/** @param {readonly number[]} list */
const summary = (list) => {
  const mean = list.reduce((a, b) => a + b) / list.length;
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (list.length - 1);
  return { mean, deviation: Math.sqrt(variance) };
};
/** @param {ArrayLike<number>} values */
const negativeMean = (values) => -Array.from(values).reduce((a, b) => a + b, 0) / values.length;

const truth = histogram(sampleData(data, 2_000_000, 11));
const chance = variation(histogram(sampleData(data, SAMPLES, 12)), truth);
const fresh = sampleData(data, 2000, 13);

const plain = () => mlp({ dimension: 2, hidden: [64, 64, 64] });
const map = () => flowMap({ network: mlp({ dimension: 3, hidden: [64, 64, 64] }), reverse: true });
const contenders = {
  CFM: { network: plain(), loss: cfm() },
  FDM: { network: plain(), loss: fdm({ form: "slice", divergence: 0.3 }) },
  "flow map": { network: map(), loss: meanFlow() },
  "flow map anchored by FDM": { network: map(), loss: meanFlow({ anchor: fdm({ form: "slice", divergence: 0.3 }) }) },
};

const runtime = await createRuntime({ backend: "wasm", threads: 1 });
/** @type {{ contender: string, seed: number, evaluations: number, variation: number, nats: number, exact?: number }[]} */
const results = [];
for (const [contender, { network, loss }] of Object.entries(contenders)) {
  for (let seed = 1; seed <= seeds; seed++) {
    const trainer = await createTrainer(runtime, {
      network,
      loss,
      path: condOT(),
      data,
      batchSize: 512,
      optimizer: adam({ learningRate: product(3e-3, cosineDecay({ steps, final: 0.01 })) }),
      seed,
    });
    for await (const _ of trainer.run({ steps }));
    const { model } = trainer;
    for (const n of evaluations) {
      const isMap = contender.startsWith("flow map");
      const solver = isMap ? flowMapSteps({ steps: n }) : euler({ steps: n });
      const samples = await model.sample({ count: SAMPLES, solver, seed });
      const judged = await model.logDensity(fresh, { solver });
      const exact = isMap
        ? await model
            .logDensity(fresh, { solver: flowMapSteps({ steps: n, density: "exact", checks: 1 }) })
            .catch(() => undefined)
        : undefined;
      results.push({
        contender,
        seed,
        evaluations: n,
        variation: variation(histogram(samples.values), truth),
        nats: negativeMean(judged.values),
        ...(exact && { exact: negativeMean(exact.values) }),
      });
      console.log(JSON.stringify(results.at(-1)));
    }
    trainer.dispose();
  }
}
runtime.dispose();

const rows = Object.keys(contenders).flatMap((contender) =>
  evaluations.map((n) => {
    const own = results.filter((one) => one.contender === contender && one.evaluations === n);
    const exact = own.flatMap((one) => one.exact ?? []);
    return {
      contender,
      evaluations: n,
      variation: summary(own.map((one) => one.variation)),
      nats: summary(own.map((one) => one.nats)),
      ...(exact.length === own.length && { exact: summary(exact) }),
    };
  }),
);
const told = (/** @type {{ mean: number, deviation: number } | undefined} */ one) =>
  one ? `${one.mean.toFixed(3)} (${one.deviation.toFixed(3)})` : "";
console.log(`\nchance: ${chance.toFixed(3)}; entropy ${data.entropy?.toFixed(3)}\n`);
console.log("| | evaluations | total variation | nats | nats, exact |\n|---|--:|--:|--:|--:|");
for (const { contender, evaluations: n, variation: tv, nats, exact } of rows) {
  console.log(`| ${contender} | ${n} | ${told(tv)} | ${told(nats)} | ${told(exact)} |`);
}
await writeFile(
  new URL("results/few-evaluations.json", import.meta.url),
  `${JSON.stringify({ steps, seeds, entropy: data.entropy, chance, rows, results }, undefined, 2)}\n`,
);
