/** Turns the checks of test/conformance/, run on one platform, into one test each. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { cache } from "../../.build/files.mjs";
import { bundleChecks } from "../../.build/platforms/bundle-checks.mjs";
import { type Platform, platforms, runModule } from "../../.build/platforms/run.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import type { Result } from "../conformance/check.ts";
import { checksFor } from "../conformance/index.ts";

/**
 * For a whole platform, which takes up to 15 minutes on two cores that others share. A check has its own, shorter limit; this one is for
 * what hangs without yielding.
 */
const platformSeconds = 1800;

/** Declares a test per check. They run in one process or page, in order; a test waits for its check's result. */
export function conformance(platform: Platform): void {
  const { backend, runtime } = platforms[platform];
  const checks = checksFor(backend).filter(({ slowInSoftware }) => !slowInSoftware || !isRepeated(platform));
  const skipped = skippedRuntimes().includes(runtime);

  describe.skipIf(skipped)(platform, () => {
    const results = new Map(checks.map(({ name }) => [name, pending<Result>()]));
    const stop = new AbortController();
    let finished: Promise<void> | undefined;

    // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the parameters' text and insists on a pattern.
    beforeAll(({}, suite) => {
      const names = suite.tasks.filter(({ mode }) => mode === "run").map(({ name }) => name);
      finished = runChecksOn(platform, names, stop.signal, (result) => results.get(result.name)?.resolve(result)).then(
        () => fail(new Error(`${platform}: the check gave no result.`)),
        fail,
      );
    });

    function fail(reason: unknown): void {
      for (const { promise, reject } of results.values()) {
        promise.catch(() => {}); // a check that no test waits for
        reject(reason);
      }
    }

    for (const { name } of checks) {
      test(name, { timeout: (platformSeconds + 60) * 1000 }, async ({ skip }) => {
        const result = await results.get(name)!.promise;
        if (result.skipped !== undefined) skip(result.skipped);
        if (!result.ok) throw Object.assign(new Error(result.message), result.stack && { stack: result.stack });
      });
    }

    afterAll(async () => {
      stop.abort();
      await finished;
    });
  });
}

/** Chromium's WebGPU is Dawn, as Node's: in software both compile the same WGSL by the same compiler for the same adapter. */
function isRepeated(platform: Platform): boolean {
  return platform === "chromium-webgpu" && process.env["DIVFLOW_ADAPTER"] !== "hardware";
}

/** A promise and what settles it. */
function pending<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settlers) => {
    [resolve, reject] = settlers;
  });
  return { promise, resolve, reject };
}

async function runChecksOn(
  platform: Platform,
  names: string[],
  signal: AbortSignal,
  report: (result: Result) => void,
): Promise<void> {
  const folder = join(cache, `conformance-${platform}-${randomUUID()}`);
  try {
    const file = await bundleChecks(folder);
    await runModule({ platform, file, input: { names }, seconds: platformSeconds, report, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
