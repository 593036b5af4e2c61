/** The same small program in every app: trains 5 steps, samples, and leaves what happened in the page's title. */

const work = `
  const runtime = await createRuntime(options);
  const trainer = await createTrainer(runtime, {
    network: mlp({ dimension: 2, hidden: [16, 16], activation: "silu" }),
    path: condOT(), loss: fdm({ divergence: 0.1 }), data: checkerboard(), batchSize: 32, seed: 1,
  });
  let step = 0;
  for await (const progress of trainer.run({ steps: 5 })) step = progress.step;
  const { values } = await trainer.model.sample({ count: 8 });
  const { backend, reason } = runtime;
  const result = { step, samples: values.length, finite: values.every(Number.isFinite), backend, reason };
`;

/** @param {string} from - where the app has divflow from. */
const imports = (from) =>
  `import { checkerboard, condOT, createRuntime, createTrainer, fdm, mlp } from ${JSON.stringify(from)};\n`;

/**
 * For a page, which asks for the backend that its address names; the runtime stays, so that its worker can be counted.
 * @param {string} [from]
 */
export const pageProgram = (from = "divflow") => `${imports(from)}
export async function main() {
  const options = { backend: new URLSearchParams(location.search).get("backend") ?? "auto" };
  ${work}
  globalThis.runtime = runtime;
  return result;
}
if (typeof document !== "undefined") main().then(
  (result) => { document.title = JSON.stringify(result); },
  (error) => { document.title = JSON.stringify({ error: String(error) }); },
);
`;

/**
 * For Node and Deno: with the engine on its thread and in a worker, which must agree bit for bit, and end by itself.
 * @param {string} [from]
 */
export const scriptProgram = (from = "divflow") => `${imports(from)}
async function main(options) {
  ${work}
  return { ...result, values: [...values] };
}
const own = await main({ backend: "wasm" });
const { values, ...result } = await main({ backend: "wasm", worker: true });
const same = values.every((value, i) => value === own.values[i]);
console.log(JSON.stringify({ ...result, same }));
`;

/** @param {string} script */
export const html = (script) =>
  `<!doctype html><meta charset="utf-8"><title></title><body><script type="module" src="${script}"></script></body>`;
