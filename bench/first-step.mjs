/**
 * What a visitor waits for: milliseconds from `createTrainer` to the end of the first step, in a fresh Chromium each time,
 * on the adapter that the bench has. The page and divflow are loaded before.
 *
 *   node bench/first-step.mjs [--width 512] [--times 5] [--backend webgpu|wasm]
 *
 * Not part of `npm run bench`: contenders there are open already, and warm.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cache } from "../.build/files.mjs";
import { generate } from "../.build/generate.mjs";
import { bundleSessions, opener } from "./sessions.mjs";
import { median } from "./workload.mjs";

const { values: options } = parseArgs({
  options: {
    width: { type: "string", default: "512" },
    times: { type: "string", default: "5" },
    backend: { type: "string", default: "webgpu" },
  },
});
const webgpu = options.backend === "webgpu";
const times = Number(options.times);
const folder = join(cache, `first-step-${process.pid}`);
try {
  if (!(webgpu || options.backend === "wasm") || !(times >= 1)) {
    throw new RangeError(
      `--backend ${options.backend} --times ${options.times}: expected webgpu or wasm, and 1 or more`,
    );
  }
  await generate();
  await bundleSessions(["divflow"], folder);
  for (const loss of ["cfm-full", "fdm-full"]) {
    /** @type {number[]} */
    const all = [];
    for (let time = 0; time < times; time++) {
      const remote = await opener(folder)({
        implementation: "divflow",
        runtime: "chromium",
        backend: webgpu ? "webgpu" : "wasm",
        threads: 1,
        relaxed: webgpu ? null : true,
      });
      try {
        all.push(await remote.call("firstStep", [loss, Number(options.width)], 120));
      } finally {
        await remote.close();
      }
    }
    console.log(
      `${loss.replace("-full", "")} 4 x ${options.width}, ${webgpu ? "WebGPU" : "WASM"}: first step after ` +
        `${Math.round(median(all))} ms (${all.map(Math.round).join(", ")})`,
    );
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
