/**
 * Posteriors of four benchmark tasks by CFM and by FDM, and how well a classifier tells them from the true ones (C2ST): writes
 * bench/results/posterior.json, and prints the table of docs/posterior.md.
 *
 *   node bench/posterior.mjs --data FOLDER [--tasks two_moons,slcp] [--losses cfm,fdm] [--seed 0] [--simulations 10000] [--steps 8000]
 *
 * FOLDER has TASK-N-observation.npy and TASK-N-posterior.npy for N from 1 to 3: draws of the true posterior, of two_moons and slcp. The
 * other two have closed forms, and draws and observations are made here. A step of FDM costs about two of CFM: it takes half as many.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cfm, createRuntime, fdm, readNpy } from "divflow";
import { c2st } from "divflow/diagnostics";
import { posterior } from "divflow/posterior";
import { build } from "esbuild";
import { root } from "../.build/files.mjs";

const { values: given } = parseArgs({
  options: {
    data: { type: "string" },
    tasks: { type: "string", default: "two_moons,slcp,gaussian_linear,gaussian_mixture" },
    losses: { type: "string", default: "cfm,fdm" },
    seed: { type: "string", default: "0" },
    simulations: { type: "string", default: "10000" },
    steps: { type: "string", default: "8000" },
    out: { type: "string", default: join(root, "bench/results/posterior.json") },
  },
});
const losses = { cfm: () => cfm(), fdm: () => fdm({ divergence: 0.1 }) };
const seed = Number(given.seed);

// The tasks are no part of the package: from their source.
const { outputFiles } = await build({
  stdin: {
    contents: `export { posteriorTasks } from "./src/cli/experiment/posterior-tasks.ts";
      export { RandomSequence } from "./src/transport/random-sequence.ts";`,
    resolveDir: root,
  },
  ...{ bundle: true, format: "esm", write: false, logLevel: "warning" },
});
const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
/** @type {typeof import("../src/cli/experiment/posterior-tasks.ts") & typeof import("../src/transport/random-sequence.ts")} */
const { posteriorTasks, RandomSequence } = await import(`data:text/javascript;base64,${code}`);

/** @typedef {keyof typeof posteriorTasks} TaskName */

/**
 * Three observations, each with 2,000 draws of its true posterior.
 *
 * @param {TaskName} name
 */
async function references(name) {
  const task = posteriorTasks[name]();
  const { drawPosterior } = task;
  const exact = name.startsWith("gaussian") && drawPosterior;
  return Promise.all(
    [1, 2, 3].map(async (number) => {
      if (exact) {
        const random = new RandomSequence(1000 + number, 0x70);
        const observation = task.simulate(task.prior.draw(random), { random });
        const draws = Array.from({ length: 2000 }, () => [...exact(observation, random)]);
        return { observation, draws };
      }
      if (given.data === undefined) throw new Error(`${name} wants --data FOLDER, with its reference posteriors`);
      const read = async (/** @type {string} */ what) =>
        readNpy(new Uint8Array(await readFile(join(given.data ?? "", `${name}-${number}-${what}.npy`))));
      const [{ data }, { data: values, shape }] = [await read("observation"), await read("posterior")];
      const rows = Array.from({ length: shape[0] ?? 0 }, (_, i) =>
        Array.from(values.slice(i * (shape[1] ?? 1), (i + 1) * (shape[1] ?? 1)), Number),
      );
      return { observation: Array.from(data, Number), draws: rows };
    }),
  );
}

const runtime = await createRuntime({ backend: "wasm", threads: 1 });
const results = [];
for (const name of /** @type {TaskName[]} */ (given.tasks.split(","))) {
  const task = posteriorTasks[name]();
  const known = await references(name);
  for (const loss of /** @type {("cfm" | "fdm")[]} */ (given.losses.split(","))) {
    const begun = process.cpuUsage();
    const result = await posterior(runtime, {
      ...{ prior: task.prior, simulate: task.simulate, seed, loss: losses[loss]() },
      ...{ simulations: Number(given.simulations), steps: Number(given.steps) / (loss === "fdm" ? 2 : 1) },
    });
    const cpuSeconds = process.cpuUsage(begun).user / 1e6;
    const accuracies = [];
    for (const { observation, draws } of known) {
      const samples = await result.sample({ count: draws.length, observation, seed });
      accuracies.push((await c2st(samples, draws, { seed })).accuracy);
    }
    const { pValue } = await result.calibrate({ simulations: 200, draws: 50, seed: seed + 1 });
    const { steps, best } = result.training;
    const mean = accuracies.reduce((sum, one) => sum + one / accuracies.length, 0);
    results.push({ task: name, loss, seed, steps, best: best?.step, cpuSeconds, c2st: mean, each: accuracies, pValue });
    const each = accuracies.map((one) => one.toFixed(3)).join(" / ");
    console.log(
      `| ${name} | ${loss} | ${mean.toFixed(3)} | ${each} | ${pValue.toFixed(2)} | ${steps} | ${cpuSeconds.toFixed(0)} |`,
    );
    await writeFile(given.out, `${JSON.stringify({ settings: given, results }, undefined, 2)}\n`);
    result.dispose();
  }
}
runtime.dispose();
