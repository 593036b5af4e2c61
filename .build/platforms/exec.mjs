/**
 * Runs a script in Node or Deno where it meets the platform's adapter, with the terminal as its own:
 *
 *     node .build/platforms/exec.mjs node-webgpu dist/cli.js verify --backend webgpu
 */
import { spawn } from "node:child_process";
import { commandFor, platforms } from "./run.mjs";

const [name, ...script] = process.argv.slice(2);
const platform = /** @type {import("./run.mjs").Platform} */ (name);
if (!(name in platforms) || platforms[platform].runtime === "chromium" || script.length === 0) {
  console.error("Usage: node .build/platforms/exec.mjs node-wasm|node-webgpu|deno-webgpu SCRIPT [ARGUMENT...]");
  process.exitCode = 2;
} else {
  const { command, parameters, environment } = await commandFor(platform);
  const child = spawn(command, [...parameters, ...script], {
    env: { ...process.env, ...environment },
    stdio: "inherit",
  });
  // Ctrl-C reaches both, being one group: the script decides when to end, and this process waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.once("close", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
