// A network, a path, a loss and data of your own: functions stay here, the graphs that they build are trained and saved.
import { adam, createRuntime, createTrainer, fdm, heun, load } from "divflow";
import { defineData, defineLoss, defineNetwork, definePath, linearLayer, ops, swish } from "divflow/networks";

// Layers declare parameters under PyTorch's names; apply builds velocities of B points, whatever B is.
const first = linearLayer("first", 4, 64);
const second = linearLayer("second", 64, 64);
const last = linearLayer("last", 64, 2);
const network = defineNetwork({
  name: "polar",
  sample: [2],
  parameters: [first, second, last],
  apply: ({ x, t }, values) => {
    const radius = ops.sqrt(ops.add(ops.sum(ops.square(x), [1]), 1e-6)); // [B, 1]
    const h = swish(first.apply(values, ops.concat([x, radius, t], 1)));
    return last.apply(values, swish(second.apply(values, h)));
  },
});

// x_t = alpha(t) x1 + sigma(t) x0; rates follow from these.
const path = definePath({
  name: "late",
  alpha: (t) => ops.multiply(t, ops.subtract(2, t)), // 2 t - t^2
  sigma: (t) => ops.subtract(1, t),
});

// FDM, and a pull towards small velocities.
const loss = defineLoss({
  name: "calm",
  build: (context) => {
    const { x0, t, network } = context;
    const terms = fdm({ divergence: 0.05 }).build(context);
    const pull = ops.meanAll(ops.square(network(x0, t)));
    return { ...terms, loss: ops.add(terms.loss, ops.multiply(pull, 1e-3)) };
  },
});

// A ring of radius 2, drawn on the device.
const data = defineData({
  name: "ring",
  shape: [2],
  draw: ({ rows, random }) => {
    const angle = ops.multiply(random("uniform", [rows, 1]), 2 * Math.PI);
    const radius = ops.add(2, ops.multiply(random("normal", [rows, 1]), 0.1));
    return ops.multiply(radius, ops.concat([ops.cos(angle), ops.sin(angle)], 1));
  },
});

const runtime = await createRuntime();
const trainer = await createTrainer(runtime, { network, path, loss, data, optimizer: adam({ learningRate: 3e-3 }) });
for await (const { step, velocityLoss } of trainer.run({ steps: 1000, progressEvery: 250 })) {
  console.log(`step ${step}: velocity loss ${velocityLoss.toFixed(3)}`);
}

const model = await load(runtime, await trainer.model.checkpoint()); // a program without these functions can do this too
const { values } = await model.sample({ count: 1000, solver: heun({ steps: 40 }) });
let sum = 0;
for (let i = 0; i < values.length; i += 2) sum += Math.hypot(values[i], values[i + 1]);
console.log(`samples lie ${(sum / 1000).toFixed(2)} from the middle`);
runtime.dispose();
