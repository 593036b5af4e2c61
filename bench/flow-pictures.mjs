/**
 * The pictures of docs/flows.md: each shows points (dots) and how they got there (lines), of small models trained here.
 *
 *   npm run build && node bench/flow-pictures.mjs [figure ...]
 *
 * They go to docs/flows/, as SVG. Equal seeds give equal pictures on one backend (WASM without threads here); some minutes.
 */
import { mkdir, writeFile } from "node:fs/promises";
import {
  adam,
  cfm,
  condOT,
  cosine,
  cosineDecay,
  createRuntime,
  createTrainer,
  eightGaussians,
  linearVP,
  mlp,
  moons,
  polynomial,
  product,
  ve,
  vp,
} from "divflow";
import { eulerMaruyama, flowMap, flowMapSteps, meanFlow, optimalTransport, weighted, withOutput } from "divflow/flows";
import { panelsSvg } from "./pictures.mjs";

/** @import { Model, TrainerOptions } from "divflow" */
/** @import { Panel } from "./pictures.mjs" */

const folder = new URL("../docs/flows/", import.meta.url);
const runtime = await createRuntime({ backend: "wasm", threads: 1 });
const eight = eightGaussians({ radius: 2, std: 0.2 });
const times = Array.from({ length: 13 }, (_, i) => i / 12);

/**
 * A model of the eight Gaussians by a network of 3 x 96, but for what is given.
 * @param {Partial<TrainerOptions>} options
 * @returns {Promise<Model>} The caller's to dispose of.
 */
async function trained(options, steps = 4000) {
  const trainer = await createTrainer(runtime, {
    network: mlp({ dimension: 2, hidden: [96, 96, 96] }),
    path: condOT(),
    loss: cfm(),
    data: eight,
    batchSize: 256,
    optimizer: adam({ learningRate: product(0.005, cosineDecay({ steps, final: 0.01 })) }),
    seed: 1,
    ...options,
  });
  for await (const _ of trainer.run({ steps }));
  return trainer.model;
}

/** @type {Readonly<Record<string, { extent: number, panels: () => Promise<Panel[]> }>>} */
const figures = {
  paths: {
    extent: 3,
    panels: async () => {
      const paths = [condOT(), polynomial({ degree: 3 }), linearVP(), cosine(), vp(), ve({ sigmaMax: 10 })];
      /** @type {Panel[]} */
      const panels = [];
      for (const path of paths) {
        const model = await trained({ path });
        const { values, trajectory } = await model.sample({ count: 500, times });
        panels.push({ title: path.name, points: values, trajectory });
        model.dispose();
      }
      return panels;
    },
  },
  solvers: {
    extent: 3,
    panels: async () => {
      const model = await trained({});
      /** @type {Panel[]} */
      const panels = [];
      const ways = {
        "dopri5: no noise": {},
        "noise, strength 0.3": { solver: eulerMaruyama({ steps: 240, diffusion: { kind: "sigma", strength: 0.3 } }) },
        "noise, strength 2": { solver: eulerMaruyama({ steps: 240, diffusion: { kind: "sigma", strength: 2 } }) },
      };
      for (const [title, options] of Object.entries(ways)) {
        const { values, trajectory } = await model.sample({ count: 500, times, seed: 3, ...options });
        panels.push({ title, points: values, trajectory });
      }
      model.dispose();
      return panels;
    },
  },
  scaling: {
    extent: 3,
    panels: async () => {
      const path = ve({ sigmaMax: 10 });
      const scaled = withOutput("noise", path, { dataDeviation: 1.5 });
      const plain = await trained({ path });
      const other = await trained({ path: scaled, loss: weighted(cfm(), { by: "noise" }) });
      /** @type {Panel[]} */
      const panels = [];
      for (const [title, model] of /** @type {const} */ ([
        ["ve, as it is", plain],
        ["ve, noise as output, scaled", other],
      ])) {
        const { values, trajectory } = await model.sample({ count: 500, times });
        panels.push({ title, points: values, trajectory });
        model.dispose();
      }
      return panels;
    },
  },
  couplings: {
    extent: 3,
    panels: async () => {
      const data = moons({ noise: 0.1 });
      /** @type {Panel[]} */
      const panels = [];
      for (const [title, options] of /** @type {[string, Partial<TrainerOptions>][]} */ ([
        ["noise, independent", {}],
        ["noise, transport", { coupling: optimalTransport() }],
        ["8 Gaussians, independent", { start: eight, data }],
        ["8 Gaussians, transport", { start: eight, data, coupling: optimalTransport() }],
      ])) {
        const model = await trained(options);
        const { values, trajectory } = await model.sample({ count: 500, times });
        panels.push({ title, points: values, trajectory });
        model.dispose();
      }
      return panels;
    },
  },
  maps: {
    extent: 3,
    panels: async () => {
      const network = flowMap({ network: mlp({ dimension: 3, hidden: [96, 96, 96] }) });
      const model = await trained({ network, loss: meanFlow() });
      /** @type {Panel[]} */
      const panels = [];
      for (const steps of [1, 2, 4]) {
        const { values } = await model.sample({ count: 500, solver: flowMapSteps({ steps }) });
        panels.push({ title: `${steps} step${steps > 1 ? "s" : ""}`, points: values });
      }
      model.dispose();
      return panels;
    },
  },
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !figures[name]);
if (unknown.length > 0)
  throw new Error(`No figure ${unknown.join(", ")}: there are ${Object.keys(figures).join(", ")}.`);
await mkdir(folder, { recursive: true });
for (const [name, { extent, panels }] of Object.entries(figures)) {
  if (names.length > 0 && !names.includes(name)) continue;
  await writeFile(new URL(`${name}.svg`, folder), panelsSvg(await panels(), { extent, dots: 400, lines: 30 }));
  console.log(`docs/flows/${name}.svg`);
}
runtime.dispose();
