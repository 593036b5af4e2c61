// Learns trajectories of the Lorenz system, 60 states each, with a U-Net over sequences; says how well samples obey it.
import { writeFile } from "node:fs/promises";
import { adam, arrayData, condOT, createRuntime, createTrainer, fdm, heun, writeNpy } from "divflow";
import { unet1d } from "divflow/networks";

/** @typedef {number[]} State x, y, z */

/** @type {(state: State) => State} */
const rate = ([x, y, z]) => [10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z];
/** @type {(state: State, slope: State, time: number) => State} */
const along = (state, slope, time) => state.map((value, i) => value + time * slope[i]);

/** @type {(state: State) => State} The state 0.1 later, by Runge and Kutta's method. */
function after(state) {
  for (let i = 0; i < 20; i++) {
    const k1 = rate(state);
    const k2 = rate(along(state, k1, 0.0025));
    const k3 = rate(along(state, k2, 0.0025));
    const k4 = rate(along(state, k3, 0.005));
    state = state.map((value, c) => value + (0.005 / 6) * (k1[c] + 2 * k2[c] + 2 * k3[c] + k4[c]));
  }
  return state;
}

const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

/** @returns {State[]} 60 states, 0.1 apart; 30 before them are left out, on their way to the attractor */
function trajectory() {
  const states = [[20 * normal(), 20 * normal(), 20 * normal()]];
  for (let i = 1; i < 90; i++) states.push(after(states[i - 1]));
  return states.slice(30);
}

const count = 2000;
const trajectories = Array.from({ length: count }, trajectory);
const data = arrayData(trajectories, [count, 60, 3], { standardize: "channel" });

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
    after(state).forEach((value, c) => {
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
