// Steps of networks: which there are, what they start from, and who is to blame where losses differ.
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { networkTasks } from "../../bench/contenders.mjs";
import { networkWork } from "../../bench/divflow/network.ts";
import { networkTables, pairedRatio } from "../../bench/network-table.mjs";
import { cases } from "../../bench/planning-cases.ts";
import { pythonCommands } from "../../bench/python.mjs";
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
  expect(networkTasks(["fdm"], ["sit"])).toMatchObject([{ workload: "fdm", network: "sit", batch: 64 }]);
  for (const task of tasks) expect(task.batch).toBe(cases[task.network]?.batch);
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

test("a step that takes longer than it may is left out", { timeout: 120_000 }, async () => {
  const backend = await createWasmBackend({});
  const task: Task = { workload: "cfm", network: "cnn-toy", width: 0, batch: 512, mostSeconds: 1e-4 };
  await expect(networkWork(backend, task)).rejects.toMatchObject({
    name: "NotOffered",
    message: expect.stringMatching(/^a step takes .* s, more than 0.0001 s$/),
  });
  const slow = networkWork(backend, { ...task, mostSeconds: 6 }, 0.09); // 1.5 GFLOP at 2.5 times 0.09 GFLOP/s
  await expect(slow).rejects.toMatchObject({
    name: "NotOffered",
    message: expect.stringContaining("by its operations"),
  });
  expect(backend.memory().buffers).toBe(1); // the threads' own
  backend.dispose();
});

test("a step of the smallest, on given inputs: its losses are PyTorch's", { timeout: 120_000 }, async () => {
  const backend = await createWasmBackend({});
  const work = await networkWork(backend, { workload: "fdm", network: "cnn-toy", width: 0, batch: 64 });
  // PyTorch 1.13 in f32.
  expect(work.evidence.lossBefore).toBeCloseTo(2.0321388, 5);
  expect(work.evidence.lossAfter).toBeCloseTo(2.0215796, 5);
  expect(work.flops).toBeGreaterThan(1e9);

  const { plan } = work;
  const times = await work.kinds?.(1);
  const { milliseconds = 0, kinds = [] } = times ?? {};
  expect(kinds.reduce((sum, { calls }) => sum + calls, 0)).toBe(plan?.calls);
  expect(kinds.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(plan?.bytes);
  expect(kinds.filter(({ isProduct }) => isProduct).map(({ name }) => name)).toContain("convolve of weights");
  expect(kinds.find(({ name }) => name === "chains")?.isProduct).toBe(false);
  expect(milliseconds).toBeGreaterThan(0);
  expect(plan?.leastPeakBytes).toBeLessThanOrEqual(plan?.peakBytes ?? 0);
  work.dispose();
  backend.dispose();
});

describe("Pythons that may have PyTorch", () => {
  test("are that which is named, then all of the path in its order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pythons-"));
    const folders = ["a", "b", "c"].map((name) => join(folder, name));
    for (const each of folders) await mkdir(each);
    const made = [join(folders[1] as string, "python3"), join(folders[2] as string, "python3")];
    for (const each of made) await writeFile(each, "");
    const path = [...folders, folders[1]].join(delimiter);
    expect(pythonCommands({ PATH: path })).toEqual(made);
    expect(pythonCommands({ PATH: path, PYTHON: "mine" })).toEqual(["mine", ...made]);
    await rm(folder, { recursive: true });
  });
});

describe("the table of networks", () => {
  const task = (workload: "cfm" | "fdm"): Task => ({ workload, network: "sit", width: 0, batch: 64 });
  const plan = { calls: 9, bytes: 100, copyBytes: 6, peakBytes: 200, leastPeakBytes: 100, stateBytes: 100 };
  const kinds = {
    milliseconds: 100,
    kinds: [
      { name: "linear", isProduct: true, calls: 3, milliseconds: 60, flops: 0, bytes: 0 },
      { name: "chains", isProduct: false, calls: 2, milliseconds: 30, flops: 0, bytes: 0 },
    ],
  };
  const rows = [
    makeRow(task("cfm"), contender, about, {
      ...{ evidence: evidence(2, 1), samples: [10, 10, 20, 40, 40], turns: [2, 1, 2] },
      plan: { ...plan, peakBytes: 100 },
    }),
    // Turn by turn 2, 3, 1.5: the medians' ratio would be another.
    makeRow(task("fdm"), contender, about, {
      ...{ evidence: evidence(2, 1), samples: [20, 60, 60], turns: [1, 1, 1], plan, kinds },
    }),
    makeRow(task("fdm"), torch, about, { evidence: evidence(2, 1), samples: [40, 30], turns: [1, 1] }),
  ];

  test("takes ratios within turns, as far as both go", () => {
    expect(pairedRatio(rows[1], rows[0])).toBe(2);
    expect(pairedRatio(rows[1], rows[2])).toBe((20 / 40 + 60 / 30) / 2);
    expect(pairedRatio(rows[1], undefined)).toBeUndefined();
  });

  test("says what is asked, what does not hold it, and why a figure is missing", () => {
    const lost = makeRow(task("cfm"), torch, about, { error: "the process ended" });
    const lines = networkTables([...rows, lost]);
    expect(lines).toContain("| sit | 20.0 / 60.0 | failed / 35.0 |");
    expect(lines).toContain(
      "| sit | 2.00 | 1.50 | 1.25 | **60 %** |  | **6.0 %** | **2.00** (<= 1.1) | 9 / 9 | chains 30 % (2) |",
    );
    expect(lines.at(-1)).toBe("- cfm sit, torch, CPU x2: failed, the process ended");
  });
});

describe("rows", () => {
  const task: Task = { workload: "fdm", network: "sit", width: 0, batch: 64 };

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
    expect(report).toContain("| sit | 100 / 210 | 200 / 420 |");
    expect(markdownTable({ machine, rows }, {})).not.toContain("| 0 |");
  });
});
