// Long use leaves the heap and the device as they were: counts of objects after forced collections, not megabytes.
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cache } from "../../.build/files.mjs";
import { bundleChecks } from "../../.build/platforms/bundle-checks.mjs";
import { runModule } from "../../.build/platforms/run.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { MOST_UNUSED } from "../../src/backends/webgpu/pipelines.ts";
import { KEPT_PROGRAMS } from "../../src/engine/kept-programs.ts";
import type { Input, Report } from "./memory.ts";

const folder = join(cache, `memory-${randomUUID()}`);
let file: string;
beforeAll(async () => {
  file = await bundleChecks(folder, fileURLToPath(new URL("memory.ts", import.meta.url)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const seconds = 480;

/**
 * Objects of a kind that may come or go with what the platform compiles and keeps for itself, however much is done. What
 * a call, a report or a submission left would be hundreds.
 */
const CHANGES = 50;

/** Bytes of array buffers that may do so. */
const BYTES = 20_000;

/** Pipelines that a solve here has to itself: those of its three products, on a software adapter. */
const OF_A_SOLVE = 3;

describe.each<[name: string, platform: "node-wasm" | "node-webgpu", input: Input]>([
  ["WebAssembly", "node-wasm", { worker: false, work: { samples: 1000, checkpoints: 200, steps: 100_000 }, counts: 0 }],
  [
    "WebAssembly through messages",
    "node-wasm",
    { worker: true, work: { samples: 1000, checkpoints: 200, steps: 100_000 }, counts: 0 },
  ],
  ["Dawn", "node-webgpu", { worker: false, work: { samples: 150, checkpoints: 100, steps: 10_000 }, counts: 40 }],
])("%s", (_, platform, input) => {
  test.skipIf(skippedRuntimes().includes(platform))(
    "keeps nothing of samples, checkpoints and steps, and of pipelines a bounded number",
    { timeout: (seconds + 30) * 1000 },
    async () => {
      const reports: Report[] = [];
      await runModule({ platform, file, input, seconds, report: (value) => reports.push(value) });
      const { before, after, reported, pipelines } = reports[0] as Report;
      expect(reported).toBe(input.work.steps);
      for (const [kind, count] of Object.entries(after.objects)) {
        expect(count - (before.objects[kind] as number), `more of ${kind}`).toBeLessThan(CHANGES);
      }
      expect(after.bytes - before.bytes).toBeLessThan(BYTES);
      expect(after.device).toEqual(before.device);
      const [first, last] = pipelines;
      const bound = MOST_UNUSED + OF_A_SOLVE * KEPT_PROGRAMS;
      expect(last.live - first.live).toBeLessThanOrEqual(bound);
      if (input.counts > 0) expect(last.made - first.made).toBeGreaterThan(bound); // else nothing had to go
    },
  );
});
