// Rows: their form, which figures they hold, and what makes a run not count.
import { describe, expect, test } from "vitest";
import { mergeRows } from "../../bench/results.mjs";
import { type Contender, faultOf, flopsOfTask, makeRow, shapeText } from "../../bench/rows.mjs";
import type { Evidence, Task } from "../../bench/session.ts";
import { matmulShapes } from "../../bench/workload.mjs";

const contender: Contender = { implementation: "divflow", runtime: "node", backend: "wasm", threads: 2, relaxed: true };
const about = { version: "1.2.3", ceiling: 80 };
const fdm: Task = { workload: "fdm", width: 512, batch: 512 };
const right: Evidence = { lossBefore: 9.5844, lossAfter: 7.17086, deviation: null };

describe("a row", () => {
  test("has the fields that readers of the JSON expect", () => {
    const row = makeRow(fdm, contender, about, { evidence: right, units: 1, samples: [90, 100, 101, 120] });
    expect(row).toEqual({
      workload: "fdm",
      width: 512,
      batch: 512,
      backend: "wasm",
      runtime: "node",
      threads: 2,
      relaxed: true,
      ms: 100.5,
      best: 90,
      gflops: 48.234, // 12 x 512 x 788,992 / 100.5 ms
      lossBefore: 9.5844,
      lossAfter: 7.17086,
      implementation: "divflow",
      version: "1.2.3",
      deviation: null,
      ceiling: 80,
      scaled: false,
      samples: [90, 100, 101, 120],
    });
  });

  test("of a solve is for 100 steps, and says so when fewer were run", () => {
    const task: Task = { workload: "sample", width: 64, batch: 4096 };
    const evidence = { lossBefore: null, lossAfter: null, deviation: 1e-6 };
    const part = makeRow(task, contender, about, { evidence, units: 20, samples: [2] });
    expect(part).toMatchObject({ ms: 200, best: 200, scaled: true, deviation: 1e-6 });
    expect(makeRow(task, contender, about, { evidence, units: 100, samples: [2] }).scaled).toBe(false);
  });

  test("of an error or of what was left out has no figure", () => {
    const wrong = makeRow(fdm, contender, about, { evidence: right, samples: [1], error: "off" });
    expect(wrong).toMatchObject({ ms: null, best: null, gflops: null, error: "off" });
    const out = makeRow(fdm, contender, { version: "", ceiling: null }, { leftOut: "no threads" });
    expect(out).toMatchObject({ ms: null, lossBefore: null, leftOut: "no threads", samples: [] });
  });

  test("of a matmul names its shape", () => {
    const [, , shape] = matmulShapes(64);
    if (!shape) throw new Error("no third shape");
    const task: Task = { workload: "matmul", width: 64, batch: shape.rows, shape };
    expect(shapeText(shape)).toBe("64x64x1024 left^T");
    expect(flopsOfTask(task)).toBe(2 * 64 * 64 * 1024);
    expect(makeRow(task, contender, about, {}).shape).toBe("64x64x1024 left^T");
  });
});

describe("a run counts only", () => {
  test.each<[string, Partial<Evidence>, RegExp | undefined]>([
    ["with its losses", {}, undefined],
    ["within their tolerance", { lossAfter: 7.17086 * (1 + 0.9e-4) }, undefined],
    ["not with another loss before", { lossBefore: 9.58 }, /before step 1 is 9.58, expected 9.5844/],
    ["not with another loss after", { lossAfter: 7.17086 * (1 + 2e-4) }, /after 3 steps/],
    ["not with a loss that is no number", { lossBefore: Number.NaN }, /before step 1/],
    ["not without a loss", { lossAfter: null }, /after 3 steps/],
  ])("%s", (_, change, sentence) => {
    const fault = faultOf(fdm, { ...right, ...change });
    if (sentence) expect(fault).toMatch(sentence);
    else expect(fault).toBeUndefined();
  });

  test("with results near those of f64, when it is a solve or a product", () => {
    const task: Task = { workload: "sample", width: 64, batch: 4096 };
    const evidence = { lossBefore: null, lossAfter: null, deviation: 1e-5 };
    expect(faultOf(task, evidence)).toBeUndefined();
    expect(faultOf(task, { ...evidence, deviation: 0.1 })).toMatch(/off by 0.1/);
    expect(faultOf(task, { ...evidence, deviation: Number.NaN })).toBeDefined();
  });

  test("with losses that are finite, when it draws its own batches", () => {
    const task: Task = { workload: "cfm-full", width: 64, batch: 512 };
    expect(faultOf(task, { lossBefore: 3, lossAfter: 2, deviation: null })).toBeUndefined();
    expect(faultOf(task, { lossBefore: 3, lossAfter: Number.NaN, deviation: null })).toMatch(/not finite/);
  });
});

test("a row measured anew takes the place of the old one; others stay", () => {
  const row = (workload: Task["workload"], ms: number) =>
    makeRow({ ...fdm, workload }, contender, about, { evidence: right, samples: [ms] });
  const merged = mergeRows([row("fdm", 100), row("cfm", 50)], [row("fdm", 80), row("fdm-full", 90)]);
  expect(merged.map(({ workload, ms }) => [workload, ms])).toEqual([
    ["fdm", 80],
    ["cfm", 50],
    ["fdm-full", 90],
  ]);
});
