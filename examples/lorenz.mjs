// Learns trajectories of the Lorenz system, 60 states each, with a U-Net over sequences; says how well samples obey it.
import { writeFile } from "node:fs/promises";
import { adam, condOT, createRuntime, createTrainer, fdm, heun, writeNpy } from "divflow";
import { advance, lorenz } from "divflow/dynamics";
import { unet1d } from "divflow/networks";

const count = 2000;
const data = await lorenz({ count, standardize: "channel" }); // 60 states each, 0.1 apart, divided by 20

const runtime = await createRuntime({ threads: 2 }); // WebGPU on a real GPU, else WebAssembly
const steps = 3000;
const trainer = await createTrainer(runtime, {
  network: unet1d({ sample: [60, 3], channels: [24, 48, 96], blocks: [1, 1, 1] }),
  path: condOT(),
  loss: fdm({ divergence: 0.2 }),
  optimizer: adam({ learningRate: 1e-3 }),
  data,
  batchSize: 128,
  ema: { decay: 0.995 },
  maximumGradientNorm: 1,
});
for await (const { step, velocityLoss } of trainer.run({ steps, progressEvery: steps / 20 })) {
  console.log(`step ${step}: velocity loss ${velocityLoss.toFixed(3)}`);
}

/**
 * How far states lie from where the system leads those before them, beside how far it leads: root mean squares.
 *
 * @param {ArrayLike<number>} values - [count, 60, 3]
 */
function defect(values) {
  const stateAt = (/** @type {number} */ at) => [values[at], values[at + 1], values[at + 2]];
  let [missed, moved] = [0, 0];
  for (let at = 0; at < values.length; at += 3) {
    if (at % 180 === 177) continue; // a trajectory's last state leads nowhere
    const [state, next] = [stateAt(at), stateAt(at + 3)];
    advance("lorenz", state).forEach((value, c) => {
      missed += (next[c] - value) ** 2;
      moved += (value - state[c]) ** 2;
    });
  }
  return Math.sqrt(missed / moved);
}

const samples = await trainer.model.sample({ count: 200, solver: heun({ steps: 50 }) });
await writeFile("lorenz.npy", writeNpy(samples.values, samples.shape)); // [200, 60, 3]
console.log(
  `samples miss the system by ${defect(samples.values).toFixed(3)}, data by ${defect(data.values).toFixed(3)}`,
);
runtime.dispose();
