/** Samples and log-densities that are guided by what they are told, on a real backend, against the f64 reference. */
import { adam, arrayData, classes, condOT, createRuntime, fdm, heun, load, mlp, numbers } from "../../src/index.ts";
import { defineGuidance, ops } from "../../src/networks.ts";
import { assertClose } from "./assert.ts";
import type { Check } from "./check.ts";

const rows = 12;
const data = arrayData(
  Float32Array.from({ length: 2 * rows }, (_, i) => 2 * Math.sin(i * i)),
  [rows, 2],
  {
    standardize: true,
    conditions: {
      label: Uint32Array.from({ length: rows }, (_, i) => i % 3),
      age: Float32Array.from({ length: rows }, (_, i) => i),
    },
  },
);

/** Inside a circle: std is taken along in the gradient, so that there are second derivatives of the network. */
const circle = defineGuidance({
  name: "circle",
  build: ({ samples }) => ops.subtract(1, ops.sum(ops.square(samples), [1])),
  link: "normal",
  std: "full",
});

export const checks: Check[] = [
  {
    name: "guided velocities, samples and log-densities agree with the f64 reference",
    async run({ backend, gpu }) {
      const runtime = await createRuntime({ backend, ...(gpu ? { gpu } : {}) });
      const reference = await createRuntime({ backend: "reference" });
      try {
        const trainer = await reference.createTrainer({
          network: mlp({
            dimension: 2,
            hidden: [16],
            conditions: { label: classes(3, { drop: 0.2 }), age: numbers([], { drop: 0.1 }) },
          }),
          ...{ path: condOT(), loss: fdm(), optimizer: adam({ learningRate: 0.02 }), data, batchSize: rows, seed: 2 },
        });
        for await (const _ of trainer.run({ steps: 20 }));
        const bytes = await trainer.checkpoint();
        const [ours, oracle] = [await load(runtime, bytes), await load(reference, bytes)];
        const asked = { conditions: { label: [0, null, 2, 1], age: [3, 5, -1, 7] }, guidance: 2.5 };
        const points = [
          [0.5, -1],
          [1, 1.5],
          [-0.2, 0.1],
          [0, 2],
        ];
        const all = [ours, oracle].map(async (model) => {
          const velocities = await model.velocity(points, [0, 0.3, 0.6, 1], asked);
          const noise = points.flat();
          const solved = { ...asked, solver: heun({ steps: 6 }) };
          const samples = await model.sample({ ...solved, noise, logDensity: true });
          const { values } = await model.logDensity(points, solved);
          const event = await model.sample({ ...solved, noise, guide: { by: circle, strength: 2 } });
          const known = { values: [0.3, 0], mask: [1, 0] };
          const inpainted = await model.sample({ ...solved, noise, known });
          const replaced = await model.sample({
            ...solved,
            noise,
            guide: circle,
            known: { ...known, by: "replacement" },
          });
          return {
            ...{ velocities, samples: samples.values, densities: samples.logDensity?.values ?? [], values },
            ...{ event: event.values, inpainted: inpainted.values, replaced: replaced.values },
          };
        });
        const [made, expected] = [await all[0], await all[1]];
        const names = ["velocities", "samples", "densities", "values", "event", "inpainted", "replaced"] as const;
        for (const name of names) {
          assertClose(made?.[name] ?? [], expected?.[name] ?? [], 2e-5, name);
        }
      } finally {
        runtime.dispose();
        reference.dispose();
      }
    },
  },
];
