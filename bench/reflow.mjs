/**
 * What reflow is worth: CFM from noise to moons and to eight Gaussians, then twice reflow upon it (docs/couplings.md).
 *
 *   npm run build && node bench/reflow.mjs [--steps 1500] [--pairs 20000]
 *
 * Straightness is divided by the mean squared distance between ends. Distances are 2-Wasserstein, of 1,000 samples to as many fresh
 * points of the data, averaged over 3 draws of both; those of the data to themselves tell what chance makes of it.
 */
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
  mlp,
  moons,
  product,
  sampleData,
} from "divflow";
import { wasserstein } from "divflow/diagnostics";
import { reflow, straightness } from "divflow/flows";

const { values: options } = parseArgs({
  options: { steps: { type: "string", default: "1500" }, pairs: { type: "string", default: "20000" } },
});
const [steps, pairs] = [Number(options.steps), Number(options.pairs)];
const count = 1000;
const draws = [1, 2, 3];
const network = () => mlp({ dimension: 2, hidden: [128, 128, 128] });
const runtime = await createRuntime({ backend: "wasm" });

/** @param {Float32Array | Float64Array} a @param {Float32Array | Float64Array} b */
const farness = (a, b) => wasserstein({ values: a, shape: [count, 2] }, { values: b, shape: [count, 2] }).distance;
/** @param {readonly number[]} list */
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

for (const [name, data] of /** @type {const} */ ([
  ["moons", moons()],
  ["eight Gaussians", eightGaussians()],
])) {
  const fresh = draws.map((draw) => sampleData(data, count, 100 + draw));
  const chance = mean(draws.map((draw, i) => farness(sampleData(data, count, 200 + draw), fresh[i])));
  console.log(`${name}: the data to themselves ${chance.toFixed(3)}`);
  /** @type {import("divflow").Model | undefined} */
  let model;
  for (const round of ["flow", "reflow", "reflow again"]) {
    const given = model ? { ...(await reflow(model, { count: pairs, seed: 1 })), initial: model } : { data };
    const trainer = await createTrainer(runtime, {
      ...{ network: network(), path: condOT(), loss: cfm(), batchSize: 256, ...given },
      optimizer: adam({ learningRate: product(3e-3, cosineDecay({ steps, final: 0.01 })) }),
    });
    for await (const _ of trainer.run({ steps, progressEvery: steps }));
    model = trainer.model;
    const { relative, value, standardError } = await straightness(model, { seed: 5 });
    const distances = [];
    for (const solver of [euler({ steps: 1 }), euler({ steps: 2 }), euler({ steps: 4 }), undefined]) {
      const each = [];
      for (const [i, seed] of draws.entries()) {
        const { values } = await model.sample({ count, seed, ...(solver ? { solver } : {}) });
        each.push(farness(values, fresh[i]));
      }
      distances.push(mean(each).toFixed(3));
    }
    const { values } = await model.logDensity(fresh[0]);
    const nats = -mean(Array.from(values));
    console.log(
      `  ${name}, ${round}: straightness ${relative.toFixed(4)} (${value.toFixed(4)} +- ${standardError.toFixed(4)}), ` +
        `1, 2, 4 Euler steps, dopri5: ${distances.join(", ")}; ${nats.toFixed(3)} nats`,
    );
  }
}
runtime.dispose();
