// The JavaScript of docs/onnx.md samples: as it stands there, in a program of its own.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { cache, root } from "../../.build/files.mjs";
import { arrayData, exportOnnx } from "../../src/index.ts";
import { smallOptions, withRuntime } from "../engine/small.ts";

test("sampling by Euler's steps", { timeout: 60_000 }, async () => {
  const text = await readFile(join(root, "docs/onnx.md"), "utf8");
  const [program = ""] = [...text.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code ?? "").slice(-1);
  const data = Float64Array.from(
    { length: 2 * 400 },
    (_, i) => 100 + 5 * Math.sin(i * i + 1) * (i % 2 === 0 ? 1 : 0.2),
  );
  const folder = join(cache, `onnx-${randomUUID()}`); // below the checkout, which has the package
  await mkdir(folder, { recursive: true });
  try {
    const file = await withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer(
        smallOptions({ data: arrayData(data, [400, 2], { standardize: true }), batchSize: 64 }),
      );
      for await (const _ of trainer.run({ steps: 300 }));
      return exportOnnx(trainer.model);
    });
    await writeFile(join(folder, "model.onnx"), file);
    await writeFile(join(folder, "sample.mjs"), `${program}\nconsole.log(JSON.stringify([...x]));\n`);
    const { stdout } = await promisify(execFile)(process.execPath, ["sample.mjs"], { cwd: folder, timeout: 50_000 });
    const samples: number[] = JSON.parse(stdout);
    expect(samples).toHaveLength(2000);
    // About 100, as the data are, which noise in model units would not come near.
    for (const column of [0, 1]) {
      const values = samples.filter((_, i) => i % 2 === column);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(mean - 100)).toBeLessThan(2);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
