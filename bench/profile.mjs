/**
 * Where the time of one training step goes: milliseconds of each kernel call, see divflow/profile.ts.
 *
 *   node bench/profile.mjs [--loss cfm|fdm|paper-2d] [--width 128] [--layers 4] [--batch 512] [--activation silu]
 *                          [--backend wasm|webgpu] [--runtime node|deno|chromium] [--relaxed] [--threads 1]
 *                          [--steps 60] [--brief]
 *
 * For developers: it runs src/, not the package. Reported are medians over --steps steps; the sum is compared with the
 * time of steps that run uninterrupted. The runtime is Node by default, for WebGPU Chromium.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cache } from "../.build/files.mjs";
import { generate } from "../.build/generate.mjs";
import { profileTable } from "./profile-table.mjs";
import { bundleSessions, opener } from "./sessions.mjs";

const { values: options } = parseArgs({
  options: {
    loss: { type: "string", default: "fdm" },
    width: { type: "string", default: "128" },
    layers: { type: "string", default: "4" },
    batch: { type: "string", default: "512" },
    activation: { type: "string", default: "silu" },
    backend: { type: "string", default: "wasm" },
    runtime: { type: "string" },
    relaxed: { type: "boolean", default: false },
    threads: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    brief: { type: "boolean", default: false },
  },
});
const webgpu = options.backend === "webgpu";
const runtime = /** @type {"node" | "deno" | "chromium"} */ (options.runtime ?? (webgpu ? "chromium" : "node"));
const what = {
  loss: /** @type {"cfm" | "fdm" | "paper-2d"} */ (options.loss),
  width: Number(options.width),
  layers: Number(options.layers),
  batch: Number(options.batch),
  activation: options.activation,
  steps: Number(options.steps),
};

const folder = join(cache, `profile-${process.pid}`);
try {
  await generate();
  await bundleSessions(["divflow"], folder);
  const remote = await opener(folder)({
    implementation: "divflow",
    runtime,
    backend: webgpu ? "webgpu" : "wasm",
    threads: Number(options.threads),
    relaxed: webgpu ? null : options.relaxed,
  });
  try {
    const profile = await remote.call("profile", [what], 600);
    console.log(profileTable(what, profile, { brief: options.brief }).join("\n"));
  } finally {
    await remote.close();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
