// Trains what `npm start` trains with FDM, says how far the model is from the best there can be, samples it, saves it.
import {
  adam,
  checkerboard,
  condOT,
  cosineDecay,
  createRuntime,
  createTrainer,
  fdm,
  mlp,
  product,
  sampleData,
  save,
  warmUp,
} from "divflow";

const runtime = await createRuntime(); // WebGPU on a real GPU, else WebAssembly; runtime.reason says which and why
const data = checkerboard(); // or your own: arrayData(points, [count, dimension])
const steps = 8000;
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 2, hidden: [64, 64, 64, 64], activation: "silu" }),
  path: condOT(),
  loss: fdm({ form: "slice", divergence: 0.3 }),
  optimizer: adam({ learningRate: product(0.01, warmUp({ steps: 10 }), cosineDecay({ steps, final: 0.01 })) }),
  data,
  seed: 1,
});

// Losses hardly fall, for most of them is noise that no model can know; the likelihood of fresh points tells.
const fresh = sampleData(data, 2000, 2);
for await (const { step } of trainer.run({ steps, progressEvery: steps / 8 })) {
  const { values } = await trainer.model.logDensity(fresh);
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  console.log(`step ${step}: ${(-mean).toFixed(3)} nats a fresh point, at best ${data.entropy?.toFixed(3)}`);
}

const samples = await trainer.model.sample({ count: 4096, logDensity: true });
console.log(samples.values, samples.logDensity?.values); // row-major [4096, 2]; nats
await save(trainer.model, "checkerboard.safetensors");
runtime.dispose();
