/**
 * Runs one module in Node or Deno and sends what it reports to the process that started this one, see run.mjs.
 * Arguments: the module's URL and the context as JSON.
 */
import process from "node:process";

const [url, contextText] = process.argv.slice(2);
const context = JSON.parse(contextText);
const { run } = await import(url);

/** @param {unknown} message */
const send = (message) =>
  new Promise((resolve) => process.stdout.write(`\n\u001e${JSON.stringify(message)}\n`, resolve));

await run({ ...context, gpu: await findGPU() }, (/** @type {unknown} */ value) => send({ value }));
await send({ done: true });
process.exit(0); // devices that the module left open keep no process alive

async function findGPU() {
  if (context.backend !== "webgpu") return undefined;
  if (context.platform !== "node-webgpu") return globalThis.navigator.gpu;
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  return create([]);
}
