// Learns the distribution of your own points, of any dimension, and says how likely new ones are.
import { adam, arrayData, condOT, createRuntime, createTrainer, fdm, mlp } from "divflow";

// Stands for your data: a noisy ring in three dimensions. From a file: readPoints(bytes, name).
const noise = () => 0.2 * (Math.random() + Math.random() - 1);
const point = () => {
  const angle = 2 * Math.PI * Math.random();
  return [10 + Math.cos(angle) + noise(), Math.sin(angle) + noise(), noise()];
};
const pointsOf = (/** @type {number} */ count) => Float32Array.from(Array.from({ length: count }, point).flat());
const count = 2000;
const points = pointsOf(count);
const heldOut = pointsOf(500); // never trained on

const runtime = await createRuntime({ backend: "wasm" });
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 3, hidden: [64, 64], activation: "silu" }),
  path: condOT(),
  loss: fdm(),
  optimizer: adam({ learningRate: 2e-3 }),
  data: arrayData(points, [count, 3], { standardize: true }), // the model still speaks your units
  batchSize: 256,
});
for await (const { step } of trainer.run({ steps: 1000, progressEvery: 200 })) {
  const { values } = await trainer.model.logDensity(heldOut);
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  console.log(`step ${step}: ${(-mean).toFixed(3)} nats of a held-out point`);
}

const { values } = await trainer.model.logDensity(new Float32Array([11, 0, 0, 10, 0, 0]), { divergence: "exact" });
console.log(`log-density on the ring ${values[0].toFixed(2)}, in its empty middle ${values[1].toFixed(2)}`);
runtime.dispose();
