// Learns the distribution of your own points, of any dimension, and says how likely new ones are.
import { adam, arrayData, condOT, createRuntime, createTrainer, fdm, mlp } from "divflow";

// Stands for your data: a noisy ring in three dimensions. From a file: readPoints(bytes, name).
const noise = () => 0.2 * (Math.random() + Math.random() - 1);
const point = () => {
  const angle = 2 * Math.PI * Math.random();
  return [10 + Math.cos(angle) + noise(), Math.sin(angle) + noise(), noise()];
};
const points = Array.from({ length: 2500 }, point);

const runtime = await createRuntime({ backend: "wasm" });
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 3, hidden: [64, 64], activation: "silu" }),
  path: condOT(),
  loss: fdm(),
  optimizer: adam({ learningRate: 2e-3 }),
  data: arrayData(points, undefined, { standardize: true, columns: ["x", "y", "z"] }), // the model still speaks your units
  batchSize: 256,
  validation: 0.2, // a fifth of the rows is never trained on; the model is the one that was best on them
  validateEvery: 200,
  earlyStopping: { by: "negativeLogLikelihood", patience: 5 },
});
for await (const { validations = [] } of trainer.run({ steps: 1000 })) {
  for (const { step, negativeLogLikelihood } of validations) {
    console.log(`step ${step}: ${negativeLogLikelihood?.toFixed(3)} nats of a row held out`);
  }
}

const { values } = await trainer.model.logDensity(new Float32Array([11, 0, 0, 10, 0, 0]), { divergence: "exact" });
console.log(`log-density on the ring ${values[0].toFixed(2)}, in its empty middle ${values[1].toFixed(2)}`);
runtime.dispose();
