/**
 * Prints which files of dist/min/ a program loads that trains an MLP on WebAssembly, samples, takes log-densities and saves:
 * a line each on stderr. Its argument is the address of index.js there.
 */
import { writeSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  register(import.meta.url); // what is below, in a thread of its own
  const { adam, checkerboard, condOT, createRuntime, fdm, mlp } = await import(process.argv[2] ?? "");
  const runtime = await createRuntime({ backend: "wasm" });
  const trainer = await runtime.createTrainer({
    ...{ network: mlp({ dimension: 2, hidden: [16, 16] }), path: condOT(), data: checkerboard() },
    ...{ loss: fdm(), optimizer: adam() },
  });
  for await (const _ of trainer.run({ steps: 3 }));
  const { values } = await trainer.model.sample({ count: 8, logDensity: { divergence: "exact" } });
  await trainer.model.logDensity(values, { divergence: "exact" });
  await trainer.checkpoint();
  runtime.dispose();
}

/**
 * @param {string} url
 * @param {object} context
 * @param {(url: string, context: object) => Promise<unknown>} next
 */
export function load(url, context, next) {
  const [, file] = /\/min\/([^/]+)$/.exec(url) ?? [];
  if (file) writeSync(2, `${file}\n`);
  return next(url, context);
}
