// The bench's workload: the numbers of its definition, and losses that f64 confirms.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { trainingWork } from "../../bench/divflow/training.ts";
import { faultOf } from "../../bench/rows.mjs";
import { expectedLosses, flopsOf, makeWorkload, matmulShapes, median, widths } from "../../bench/workload.mjs";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import fixture from "./workload.json";

describe.each(fixture.cases)("width $width", ({ width, batch, count, flops, arrays }) => {
  test("the arrays are the definition's, bit for bit", () => {
    const { weights, biases, ...rest } = makeWorkload(width, batch, count);
    const named = { weights0: weights[0], weights2: weights[2], weights4: weights[4], biases0: biases[0], ...rest };
    const ours = new Map(Object.entries({ ...named, biases4: biases[4] }));
    for (const [name, { length, first, sha256 }] of Object.entries(arrays)) {
      const values = ours.get(name) as Float32Array;
      expect([...values.subarray(0, 3)], name).toEqual(first);
      expect(values.length, name).toBe(length);
      expect(createHash("sha256").update(new Uint8Array(values.buffer)).digest("hex"), name).toBe(sha256);
    }
  });

  test("so are the operations that count", () => {
    expect(flopsOf.cfm(width, batch)).toBe(flops.cfm);
    expect(flopsOf.fdm(width, batch)).toBe(flops.fdm);
    expect(flopsOf.sample(width, count)).toBe(flops.sample);
    expect(flopsOf.logdensity(width, count)).toBe(flops.logdensity);
  });
});

describe.each(["cfm", "fdm"] as const)("%s at width 64", (workload) => {
  const task = { workload, width: 64, batch: 512 };

  test("f64 has the losses that runs must show", async () => {
    const work = await trainingWork(createReferenceBackend(), workload, task);
    const [before, after] = expectedLosses[64]?.[workload] ?? [];
    // The table has six digits.
    expect(work.evidence.lossBefore).toBeCloseTo(before ?? Number.NaN, 4);
    expect(work.evidence.lossAfter).toBeCloseTo(after ?? Number.NaN, 4);
    work.dispose();
  });

  test("WASM shows them too, and frees what it took", async () => {
    const backend = await createWasmBackend({ relaxed: false });
    const before = backend.memory();
    const work = await trainingWork(backend, workload, task);
    expect(faultOf(task, work.evidence)).toBeUndefined();
    await work.run(1);
    work.dispose();
    expect(backend.memory()).toEqual(before);
    backend.dispose();
  });
});

test("every width has losses that runs must show", () => {
  for (const width of widths) expect(Object.keys(expectedLosses[width] ?? {})).toEqual(["cfm", "fdm"]);
});

test("the products of an FDM step have primal and tangent stacked", () => {
  const shapes = matmulShapes(512).map(({ rows, columns, depth }) => [rows, columns, depth]);
  expect(shapes).toContainEqual([1024, 512, 512]);
  expect(shapes).toContainEqual([512, 512, 1024]);
  expect(shapes).toContainEqual([4096, 512, 512]);
});

test("median of odd and even counts", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});
