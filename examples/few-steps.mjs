// A flow map: samples with log-densities in one, two and four evaluations of the network, and how far these log-densities
// are off.
import { adam, condOT, cosineDecay, createRuntime, createTrainer, fdm, gaussianMixture, mlp, product } from "divflow";
import { flowMap, flowMapConsistency, flowMapSteps, frozenField, meanFlow } from "divflow/flows";

const steps = 4000;
const means = [
  [-1, -0.6],
  [1, -0.6],
  [0, 1.1],
];
const data = gaussianMixture({ means, variances: [0.36, 0.36, 0.36] });
const common = {
  ...{ path: condOT(), data, ema: { decay: 0.99 } },
  optimizer: adam({ learningRate: product(3e-3, cosineDecay({ steps, final: 0.01 })) }),
};
const runtime = await createRuntime();

// The field, as ever.
const network = mlp({ dimension: 2, hidden: [64, 64, 64] });
const field = await createTrainer(runtime, { ...common, network, loss: fdm({ divergence: 0.05 }) });
for await (const { step, velocityLoss } of field.run({ steps, progressEvery: 1000 })) {
  console.log(`field, step ${step}: velocity loss ${velocityLoss.toFixed(3)}`);
}

// The map along it: a network with one coordinate more, taught by the field.
const teacher = await frozenField(await field.checkpoint());
const map = await createTrainer(runtime, {
  ...common,
  network: flowMap({ network: mlp({ dimension: 2 + 1, hidden: [64, 64, 64] }) }),
  loss: meanFlow({ teacher, estimator: "exact", equal: 0.25 }),
});
for await (const { step, velocityLoss } of map.run({ steps, progressEvery: 1000 })) {
  console.log(`map, step ${step}: loss ${velocityLoss.toExponential(1)}`);
}

// Two evaluations a sample, and its log-density with it.
const { values, logDensity } = await map.model.sample({
  count: 3,
  solver: flowMapSteps({ steps: 2 }),
  logDensity: true,
});
logDensity?.values.forEach((nats, i) => {
  console.log(`(${values[2 * i].toFixed(2)}, ${values[2 * i + 1].toFixed(2)}): log-density ${nats.toFixed(2)}`);
});

// How far off is it? Mean over samples, in nats, from the mixture's own.
const closed = (/** @type {ArrayLike<number>} */ points) =>
  Array.from({ length: points.length / 2 }, (_, i) => data.logDensity?.([points[2 * i], points[2 * i + 1]]) ?? 0);
for (const { steps, errors } of await flowMapConsistency(map.model, { closed })) {
  const [head, exact, flow] = [errors.head, errors.exact, errors.flow].map((each) => each?.closed?.mean.toFixed(3));
  console.log(`${steps} steps: head off by ${head}, exact by ${exact}, flow by ${flow} nats`);
}

field.dispose();
map.dispose();
runtime.dispose();
