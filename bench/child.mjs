/**
 * Opens a session in this process, Node or Deno, and does what lines of JSON on standard input say: see process.mjs.
 * Arguments: the URL of a module that exports `open`, and the context as JSON.
 */
import process from "node:process";
import { createInterface } from "node:readline";

const [url, contextText] = process.argv.slice(2);
const context = JSON.parse(contextText ?? "{}");

/** @param {unknown} message */
const send = (message) =>
  new Promise((resolve) => process.stdout.write(`\n\u001e${JSON.stringify(message)}\n`, resolve));
/** @param {unknown} error */
const failed = (error) =>
  send({
    error:
      error instanceof Error ? { name: error.name, message: error.message } : { name: "Error", message: String(error) },
  });

try {
  const { open } = await import(/** @type {string} */ (url));
  const session = await open({ ...context, gpu: await findGPU() });
  await send({ result: { version: session.version, device: session.device, runtime: runtimeVersion() } });
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, parameters } = JSON.parse(line);
    try {
      await send({ result: await session[method](...parameters) });
    } catch (error) {
      await failed(error);
    }
    if (method === "close") break;
  }
} catch (error) {
  await failed(error);
}
process.exit(0); // devices that are still open keep no process alive

/** WebGPU here: the platform's own, or in Node the npm package, where it is installed. */
async function findGPU() {
  if (context.backend !== "webgpu") return undefined;
  if (globalThis.navigator?.gpu) return globalThis.navigator.gpu;
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return create([]);
  } catch {
    return undefined; // the session says that there is none
  }
}

function runtimeVersion() {
  const versions = /** @type {Record<string, string | undefined>} */ (process.versions);
  return versions["deno"] ? `Deno ${versions["deno"]}` : `Node ${versions["node"]}`;
}
