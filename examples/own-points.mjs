// Learns the distribution of your own points, of any dimension, and says how likely new ones are.
import { adam, arrayData, condOT, createRuntime, createTrainer, fdm, mlp } from "divflow";

// Stands for your data: 2000 points on a noisy ring in three dimensions. From a file: readPoints(bytes, name).
const count = 2000;
const points = new Float32Array(3 * count);
for (let i = 0; i < count; i++) {
  const angle = 2 * Math.PI * Math.random();
  const noise = () => 0.2 * (Math.random() + Math.random() - 1);
  points.set([10 + Math.cos(angle) + noise(), Math.sin(angle) + noise(), noise()], 3 * i);
}

const runtime = await createRuntime({ backend: "wasm" });
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 3, hidden: [64, 64], activation: "silu" }),
  path: condOT(),
  loss: fdm(),
  optimizer: adam({ learningRate: 2e-3 }),
  data: arrayData(points, [count, 3], { standardize: true }), // the model still speaks your units
  batchSize: 256,
});
for await (const { step, loss } of trainer.run({ steps: 1000, progressEvery: 250 })) {
  console.log(`step ${step}, loss ${loss.toFixed(3)}`);
}

const { values } = await trainer.model.logDensity(new Float32Array([11, 0, 0, 10, 0, 0]), { divergence: "exact" });
console.log(`log-density on the ring ${values[0].toFixed(2)}, in its empty middle ${values[1].toFixed(2)}`);
runtime.dispose();
