/** `using` where the platform has no Symbol.dispose, as Safari and Firefox before 141. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cache, root } from "../../.build/files.mjs";

const folder = join(cache, `dispose-${randomUUID()}`);

beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true, force: true }));

test("what owns memory is disposed of by the symbol that compilers put in its place", async () => {
  const outfile = join(folder, "index.mjs");
  await build({
    entryPoints: [join(root, "src", "index.ts")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { "Symbol.dispose": "undefined" },
    external: ["webgpu", "node:*"],
    logLevel: "silent",
  });
  const divflow: typeof import("../../src/index.ts") = await import(pathToFileURL(outfile).href);
  const runtime = await divflow.createRuntime({ backend: "reference" });
  const trainer = await divflow.createTrainer(runtime, {
    network: divflow.mlp({ dimension: 2, hidden: [4], activation: "silu" }),
    path: divflow.condOT(),
    loss: divflow.cfm(),
    data: divflow.moons(),
    batchSize: 8,
  });
  const placed: typeof Symbol.dispose = Symbol.for("Symbol.dispose") as typeof Symbol.dispose;
  trainer[placed]();
  await expect(trainer.checkpoint()).rejects.toThrow(divflow.DisposedError);
  trainer.model[placed]();
  runtime[placed]();
  await expect(runtime.memory()).rejects.toThrow(divflow.DisposedError);
});
