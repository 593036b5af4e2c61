// Trains a small model on the checkerboard, draws samples with their log-densities, and saves the model.
import { adam, checkerboard, condOT, createRuntime, createTrainer, dopri5, fdm, mlp, save } from "divflow";

const runtime = await createRuntime();
console.log(runtime.reason);

const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 2, hidden: [64, 64, 64], activation: "silu" }),
  path: condOT(),
  loss: fdm({ divergence: 0.1 }),
  optimizer: adam({ learningRate: 2e-3 }),
  data: checkerboard(),
  batchSize: 256,
  seed: 1,
});
for await (const { step, velocityLoss } of trainer.run({ steps: 500, progressEvery: 100 })) {
  console.log(`step ${step}, velocity loss ${velocityLoss.toFixed(3)}`);
}

const { values, logDensity } = await trainer.model.sample({ count: 1000, solver: dopri5(), logDensity: true });
const mean = logDensity ? logDensity.values.reduce((sum, value) => sum + value, 0) / 1000 : Number.NaN;
console.log(`first sample ${values.slice(0, 2)}, mean log-density of the samples ${mean.toFixed(3)}`);

await save(trainer.model, "checkerboard.safetensors");
runtime.dispose();
