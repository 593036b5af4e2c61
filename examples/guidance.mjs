// One trained model, asked for what it was not trained for: samples where an event holds, samples by a weight, samples of
// which a coordinate is known.
import { adam, condOT, createRuntime, createTrainer, eightGaussians, fdm, heun, mlp } from "divflow";
import { defineGuidance, ops } from "divflow/networks";

const runtime = await createRuntime();
const trainer = await createTrainer(runtime, {
  network: mlp({ dimension: 2, hidden: [128, 128, 128] }),
  path: condOT(),
  loss: fdm({ divergence: 0.05 }),
  data: eightGaussians({ radius: 2, std: 0.25 }), // on a circle about 0
  optimizer: adam({ learningRate: 2e-3 }),
});
for await (const { step, velocityLoss } of trainer.run({ steps: 2000, progressEvery: 1000 })) {
  console.log(`step ${step}: velocity loss ${velocityLoss.toFixed(3)}`);
}

const { model } = trainer;
const solver = heun({ steps: 60 });
const count = 1000;

// Where C = x - y > 0: below the diagonal. C is written with ops, of samples [B, 2] in data units.
const below = defineGuidance({
  name: "below the diagonal",
  build: ({ samples }) => ops.subtract(ops.slice(samples, 1, 0, 1), ops.slice(samples, 1, 1, 2)),
});
const event = await model.sample({ count, guide: below, solver });
/** @param {ArrayLike<number>} values */
const share = (values) => {
  let inside = 0;
  for (let i = 0; i < values.length; i += 2) if (values[i] > values[i + 1]) inside++;
  return Math.round((100 * inside) / count);
};
console.log(
  `below the diagonal: ${share(event.values)} % of samples, ${share((await model.sample({ count, solver })).values)} % else`,
);

// The density times exp(x): more of what is on the right.
const right = defineGuidance({
  name: "right",
  kind: "log-weight",
  build: ({ samples }) => ops.slice(samples, 1, 0, 1),
});
const weighted = await model.sample({ count, guide: right, solver });
let mean = 0;
for (let i = 0; i < weighted.values.length; i += 2) mean += weighted.values[i] / count;
console.log(`by the weight: mean x ${mean.toFixed(1)}`);

// y is known to be 2: nine in ten such points are of the Gaussian at x = 0. The deviation is that of the data, which are
// not standardised.
const known = await model.sample({
  count,
  known: { values: [0, 2], mask: [false, true], deviation: Math.SQRT2, strength: 2 },
  solver,
});
let near = 0;
for (let i = 0; i < known.values.length; i += 2) if (Math.abs(known.values[i]) < 1) near++;
console.log(`y known to be 2: x within 1 of 0 in ${Math.round((100 * near) / count)} % of samples`);
runtime.dispose();
