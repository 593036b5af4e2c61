// Steps of networks: which there are, what they start from, and who is to blame where losses differ.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { networkTasks } from "../../bench/contenders.mjs";
import { networkWork } from "../../bench/divflow/network.ts";
import { mergeRows } from "../../bench/results.mjs";
import { blameTheFew, type Contender, faultOf, makeRow, type Outcome } from "../../bench/rows.mjs";
import type { Evidence, Task } from "../../bench/session.ts";
import { markdownReport, markdownTable } from "../../bench/table.mjs";
import { networkNames, uniformOf } from "../../bench/workload.mjs";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";

const source = readFileSync(new URL("../../bench/peers/torch_networks.py", import.meta.url), "utf8");
const about = { version: "1.2.3", ceiling: null };
const contender: Contender = { implementation: "divflow", runtime: "node", backend: "wasm", threads: 2, relaxed: true };
const torch: Contender = { implementation: "torch", runtime: "python", backend: "cpu", threads: 2, relaxed: null };
const evidence = (lossBefore: number, lossAfter: number): Evidence => ({ lossBefore, lossAfter, deviation: null });

test("both losses of each network, and PyTorch has the same networks", () => {
  const tasks = networkTasks(["fdm", "cfm", "sample"]);
  expect(tasks).toHaveLength(2 * networkNames.length);
  expect(networkTasks(["fdm"], ["sit"])).toEqual([{ workload: "fdm", network: "sit", width: 0, batch: 0 }]);
  for (const name of networkNames) expect(source).toContain(`    "${name}": (`);
});

describe("the numbers that all start from", () => {
  test("follow from the name, and are spread evenly", () => {
    const numbers = uniformOf("input.weight", 4096);
    expect(Array.from(uniformOf("input.weight", 3))).toEqual(Array.from(numbers.slice(0, 3)));
    expect(Array.from(uniformOf("output.weight", 3))).not.toEqual(Array.from(numbers.slice(0, 3)));
    const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 / Math.sqrt(12 * numbers.length));
    expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  // What numpy gave for the same function there.
  test("are PyTorch's", () => {
    expect(Array.from(uniformOf("input.weight", 3), (value) => value * 2 ** 24)).toEqual([
      16533755, 11656513, 13550685,
    ]);
  });
});

test("a step of the smallest, on given inputs: its losses are PyTorch's", { timeout: 120_000 }, async () => {
  const backend = await createWasmBackend({});
  const work = await networkWork(backend, { workload: "fdm", network: "cnn-toy", width: 0, batch: 0 });
  // PyTorch 1.13 in f32.
  expect(work.evidence.lossBefore).toBeCloseTo(2.0321388, 5);
  expect(work.evidence.lossAfter).toBeCloseTo(2.0215796, 5);
  expect(work.flops).toBeGreaterThan(1e9);
  work.dispose();
  backend.dispose();
});

describe("rows", () => {
  const task: Task = { workload: "fdm", network: "sit", width: 0, batch: 0 };

  test("name the network, and keep those of others in a file", () => {
    const row = makeRow(task, contender, about, { evidence: evidence(2, 1), flops: 5e9, samples: [100] });
    expect(row).toMatchObject({ workload: "fdm", network: "sit", ms: 100, gflops: 50 });
    const other = makeRow({ ...task, network: "cnn" }, contender, about, { evidence: evidence(2, 1), samples: [9] });
    expect(mergeRows([row], [other])).toEqual([row, other]);
    expect(mergeRows([row], [{ ...row, ms: 1 }])).toHaveLength(1);
  });

  test("of losses that are not finite do not count; of those unlike the others neither", () => {
    expect(faultOf(task, evidence(Number.NaN, 1))).toMatch(/not finite/);
    expect(faultOf(task, evidence(2, 1))).toBeUndefined();
    const outcomes: Outcome[] = [evidence(2, 1), evidence(2.0001, 1.0001), evidence(2, 1.1)].map((shown) => ({
      evidence: shown,
      samples: [],
    }));
    blameTheFew(outcomes);
    expect(outcomes.map(({ error }) => error !== undefined)).toEqual([false, false, true]);
    const two: Outcome[] = [{ evidence: evidence(2, 1) }, { evidence: evidence(3, 1) }];
    blameTheFew(two);
    expect(two.map(({ error }) => error)).toEqual([undefined, "losses 3, 1, where others have 2, 1"]);
  });

  test("stand in the report beside PyTorch's, and not in the README's table", () => {
    const rows = (["cfm", "fdm"] as const).flatMap((workload) =>
      [contender, torch].map((who, i) =>
        makeRow({ ...task, workload }, who, about, {
          ...{ evidence: evidence(2, 1), flops: 5e9 },
          samples: [(workload === "fdm" ? 210 : 100) * (i + 1)],
        }),
      ),
    );
    const machine = {
      ...{ cpu: "x", cores: 2, memoryGiB: 1, system: "y", runtimes: [], devices: {}, date: "2026-01-01" },
    };
    const report = markdownReport({ machine, rows }, {});
    expect(report).toContain("fdm, sit, batch 0");
    expect(report).toMatch(/PyTorch takes\n.*2\.0x/);
    expect(report).toMatch(/sit +2\.1x/);
    expect(markdownTable({ machine, rows }, {})).not.toContain("| 0 |");
  });
});
