/** Solvers of divflow/flows on a real backend, against the f64 reference. */
import {
  adaptiveHeun,
  eulerMaruyama,
  flowMap,
  flowMapSteps,
  meanFlow,
  stochasticHeun,
  tsit5,
} from "../../src/flows.ts";
import { adam, condOT, createRuntime, fdm, gaussianMixture, load, mlp } from "../../src/index.ts";
import { assertClose } from "./assert.ts";
import type { Check } from "./check.ts";

const tolerances = { relativeTolerance: 1e-4, absoluteTolerance: 1e-4 };
/** Where steps are chosen, f32 and f64 may choose others: both are within the tolerance of a step, for some ten steps. */
const solvers = [
  [tsit5(tolerances), 5e-3],
  [adaptiveHeun({ relativeTolerance: 1e-3, absoluteTolerance: 1e-3 }), 2e-2],
  [eulerMaruyama({ steps: 20 }), 5e-5],
  [stochasticHeun({ steps: 20, diffusion: (t) => 1 - t }), 5e-5],
] as const;

export const checks: Check[] = [
  {
    name: "tsit5, adaptive Heun and solvers with noise agree with the f64 reference, on the way too",
    async run({ backend, gpu }) {
      const runtime = await createRuntime({ backend, ...(gpu ? { gpu } : {}) });
      const reference = await createRuntime({ backend: "reference" });
      try {
        const trainer = await reference.createTrainer({
          ...{ network: mlp({ dimension: 2, hidden: [16] }), path: condOT(), loss: fdm(), batchSize: 16, seed: 2 },
          ...{
            optimizer: adam({ learningRate: 0.02 }),
            data: gaussianMixture({
              means: [
                [-1, 0],
                [1, 1],
              ],
              variances: [0.1, 0.2],
            }),
          },
        });
        for await (const _ of trainer.run({ steps: 20 }));
        const bytes = await trainer.checkpoint();
        const [ours, oracle] = [await load(runtime, bytes), await load(reference, bytes)];
        for (const [solver, tolerance] of solvers) {
          const asked = { count: 24, solver, times: [0.2, 0.21, 0.7], seed: 3 };
          const [made, expected] = [await ours.sample(asked), await oracle.sample(asked)];
          assertClose(made.values, expected.values, tolerance, solver.name);
          assertClose(
            made.trajectory?.values ?? [],
            expected.trajectory?.values ?? [],
            tolerance,
            `${solver.name}, on its way`,
          );
        }
      } finally {
        runtime.dispose();
        reference.dispose();
      }
    },
  },
  {
    name: "few steps of a flow map, with log-densities of its head and exact ones, agree with the f64 reference",
    async run({ backend, gpu }) {
      const runtime = await createRuntime({ backend, ...(gpu ? { gpu } : {}) });
      const reference = await createRuntime({ backend: "reference" });
      try {
        const trainer = await reference.createTrainer({
          ...{ path: condOT(), batchSize: 16, seed: 2, optimizer: adam({ learningRate: 0.02 }) },
          network: flowMap({ network: mlp({ dimension: 3, hidden: [16] }), reverse: true }),
          loss: meanFlow(),
          data: gaussianMixture({ means: [[0.5, -0.5]], variances: [0.2] }),
        });
        for await (const _ of trainer.run({ steps: 20 }));
        const bytes = await trainer.checkpoint();
        const [ours, oracle] = [await load(runtime, bytes), await load(reference, bytes)];
        for (const density of ["head", "exact"] as const) {
          const solver = flowMapSteps({ steps: 2, density });
          const asked = { count: 24, solver, logDensity: true, seed: 3 };
          const [made, expected] = [await ours.sample(asked), await oracle.sample(asked)];
          assertClose(made.values, expected.values, 5e-5, "samples");
          assertClose(made.logDensity?.values ?? [], expected.logDensity?.values ?? [], 5e-5, `${density}, of samples`);
          const [found, wanted] = [ours, oracle].map((model) => model.logDensity(expected.values, { solver }));
          assertClose((await found)?.values ?? [], (await wanted)?.values ?? [], 5e-5, `${density}, of given points`);
        }
      } finally {
        runtime.dispose();
        reference.dispose();
      }
    },
  },
];
