// From one distribution to another, eight Gaussians to two moons: pairs drawn apart, pairs by optimal transport, and a
// Schroedinger bridge, whose samples go by a flow or by a diffusion.
import {
  adam,
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  eightGaussians,
  euler,
  fdm,
  mlp,
  moons,
  sampleData,
} from "divflow";
import { wasserstein } from "divflow/diagnostics";
import {
  brownianBridge,
  entropicTransport,
  eulerMaruyama,
  independent,
  optimalTransport,
  scoreMatching,
  withScore,
} from "divflow/flows";

const runtime = await createRuntime();
const [start, data] = [eightGaussians(), moons()];
const count = 1000;
const fresh = sampleData(data, count, 99);
const field = () => mlp({ dimension: 2, hidden: [128, 128, 128] });
const shared = { start, data, batchSize: 256, optimizer: adam({ learningRate: 2e-3 }) };
const steps = 3000;

/** @param {import("divflow").TrainerOptions} options */
async function trained(options) {
  const trainer = await createTrainer(runtime, options);
  for await (const _ of trainer.run({ steps, progressEvery: steps }));
  return trainer.model;
}

/** @param {Float32Array | Float64Array} values */
const farness = (values) => wasserstein({ values, shape: [count, 2] }, { values: fresh, shape: [count, 2] }).distance;

/** @type {readonly [string, import("divflow/flows").Coupling][]} */
const couplings = [
  ["independent", independent()],
  ["optimal transport", optimalTransport()],
];
for (const [name, coupling] of couplings) {
  const model = await trained({ ...shared, network: field(), path: condOT(), loss: cfm(), coupling });
  const two = await model.sample({ count, seed: 1, solver: euler({ steps: 2 }) });
  const { values } = await model.sample({ count, seed: 1 });
  console.log(`${name}: distance ${farness(two.values).toFixed(3)} in 2 steps, ${farness(values).toFixed(3)} in full`);
}

// The Schroedinger bridge of diffusion 0.5: pairs of an entropic plan, velocity with FDM, and a score beside it.
const sigma = 0.5;
const bridge = await trained({
  ...shared,
  network: withScore(field(), field()),
  path: brownianBridge({ sigma }),
  loss: scoreMatching(fdm({ divergence: 0.05 })),
  coupling: entropicTransport({ regularisation: 2 * sigma ** 2 }),
});
const flow = await bridge.sample({ count, seed: 1 });
const diffusion = eulerMaruyama({ steps: 100, diffusion: () => sigma });
const noisy = await bridge.sample({ count, seed: 1, solver: diffusion });
console.log(
  `bridge: distance ${farness(flow.values).toFixed(3)} by the flow, ${farness(noisy.values).toFixed(3)} by the diffusion`,
);

// The same point, many ways: a diffusion from one start ends in several places.
const ways = await bridge.sample({ start: Array.from({ length: 200 }, () => [2, 0]), solver: diffusion });
const xs = Array.from({ length: 200 }, (_, i) => Number(ways.values[2 * i]));
console.log(`from (2, 0): x from ${Math.min(...xs).toFixed(1)} to ${Math.max(...xs).toFixed(1)}`);
runtime.dispose();
