// Tables: which peer's row stands beside which of divflow's, and the README's text between its markers.
import { describe, expect, test } from "vitest";
import { parseOptions } from "../../bench/arguments.mjs";
import { checkoutContenders, everything, ownContenders, takesPart, tasksOf } from "../../bench/contenders.mjs";
import { peerContenders, peerNames, peers } from "../../bench/peers/contenders.mjs";
import type { Contender, Row } from "../../bench/rows.mjs";
import {
  inOrder,
  insertTable,
  markdownReport,
  markdownTable,
  markers,
  peerRow,
  ratioTo,
  shareOfMatmul,
  textTable,
  timeText,
} from "../../bench/table.mjs";

const base: Row = {
  ...{ workload: "fdm", width: 512, batch: 512, backend: "wasm", runtime: "chromium", threads: 2, relaxed: true },
  ...{ ms: 50, best: 40, gflops: 97, lossBefore: 9.58, lossAfter: 7.17, implementation: "divflow", version: "1.0.0" },
  ...{ deviation: null, ceiling: 194, scaled: false, samples: [50] },
};
const row = (change: Partial<Row>): Row => ({ ...base, ...change });
const jax = (change: Partial<Row>) => row({ implementation: "jax-js", version: "2.0.0", relaxed: null, ...change });

describe("beside a row of divflow's stands", () => {
  test("the peer's of the same task, backend and threads, in the same runtime", () => {
    const rows = [jax({ runtime: "deno", ms: 120 }), jax({ ms: 150 }), jax({ threads: 1, ms: 300 })];
    expect(peerRow(base, "jax-js", rows)?.ms).toBe(150);
    expect(ratioTo(base, "jax-js", rows)).toBe(3);
  });

  test("where it has none there, that of another runtime", () => {
    expect(ratioTo(row({ runtime: "node" }), "jax-js", [jax({ ms: 150 })])).toBe(3);
  });

  test("none of another width, workload, backend or number of threads, and none without a figure", () => {
    const others = [jax({ width: 128 }), jax({ workload: "cfm" }), jax({ backend: "webgpu" }), jax({ threads: 1 })];
    expect(ratioTo(base, "jax-js", [...others, jax({ ms: null })])).toBeUndefined();
    expect(ratioTo(row({ ms: null }), "jax-js", [jax({})])).toBeUndefined();
  });

  test("the rate of its own product at the hidden layers' shape", () => {
    const product = row({ workload: "matmul", shape: "1024x512x512", gflops: 100 });
    const others = [
      row({ workload: "matmul", shape: "1024x512x3", gflops: 20 }),
      row({ workload: "matmul", shape: "1024x512x512", gflops: 30, threads: 1 }),
    ];
    expect(shareOfMatmul(base, [...others, product])).toBeCloseTo(0.97, 12);
    expect(shareOfMatmul(base, others)).toBeUndefined();
  });
});

test("rows of several runs stand by width and workload, divflow before its peers", () => {
  const [small, gpu] = [{ width: 64 }, { backend: "webgpu", threads: 1, relaxed: null }] as const;
  const right = [
    row({ ...small, workload: "fdm", runtime: "node", threads: 1 }),
    row({ ...small, workload: "fdm", runtime: "chromium", threads: 1 }),
    row({ ...small, workload: "fdm", runtime: "node" }),
    jax({ ...small, workload: "fdm" }),
    row({ ...small, ...gpu, workload: "fdm" }),
    jax({ ...small, ...gpu, workload: "fdm" }),
    row({ ...small, workload: "matmul", shape: "1024x64x64" }),
    row({ ...small, workload: "matmul", shape: "1024x2x64" }),
    row({ workload: "cfm" }),
  ];
  for (const first of right.keys()) {
    const turned = [...right.slice(first), ...right.slice(0, first)];
    // Shapes of one workload keep the order in which they were measured.
    const shapes = turned.filter(({ workload }) => workload === "matmul");
    const expected = right.map((each) => (each.workload === "matmul" ? shapes.shift() : each));
    expect(inOrder(turned)).toEqual(expected);
  }
});

test("the terminal's table has a line for each contender, and reasons for those without a figure", () => {
  const rows = [base, jax({ ms: 150, best: 140, gflops: 32, ceiling: null })];
  const lines = textTable([...rows, row({ threads: 4, ms: null, leftOut: "no threads" })], peers);
  expect(lines[0]).toBe("fdm, width 512, batch 512");
  expect(lines[1]).toMatch(/median +best +GFLOP\/s +of ceiling +of matmul +jax-js takes$/);
  expect(lines[2]).toMatch(/^divflow, Chromium, WASM relaxed x2 +50.0 ms +40.0 ms +97.0 +50 % +3.0x$/);
  expect(lines[3]).toMatch(/^jax-js, Chromium, WASM x2 +150 ms +140 ms +32.0$/);
  expect(lines[4]).toBe("divflow, Chromium, WASM relaxed x4: left out, no threads");
});

test("times are said in three digits", () => {
  expect([0.01234, 1.234, 99.94, 123.4, 9999, 43_210, 1_720_400].map(timeText)).toEqual([
    "0.0123 ms",
    "1.23 ms",
    "99.9 ms",
    "123 ms",
    "9999 ms",
    "43.2 s",
    "1720 s",
  ]);
});

describe("the README's table", () => {
  const machine = {
    ...{ cpu: "a CPU", cores: 2, memoryGiB: 24, system: "linux x64", date: "2026-01-02" },
    ...{ runtimes: ["Node 20", "Chromium 143"] },
    devices: { "divflow chromium webgpu 1 ": "a software adapter", "jax-js chromium webgpu 1 ": "webgpu" },
  };

  test("has the faster of both SIMD builds, and each peer's factor", () => {
    const rows = [base, row({ relaxed: false, ms: 60, gflops: 81 }), jax({ ms: 150 }), row({ workload: "matmul" })];
    const text = markdownTable({ machine, rows }, peers);
    expect(text).toContain(
      "a CPU, 2 cores, WebGPU on a software adapter; Node 20, Chromium 143; divflow 1.0.0, jax-js 2.0.0; 2026-01-02",
    );
    expect(text).toContain("| WASM, two threads, Chromium | width | divflow | jax-js |\n| --- | --: | --: | --: |\n");
    expect(text.split("\n").slice(4)).toEqual(["| FDM step | 512 | 50.0 ms (97) | 150 ms (3.0x) |"]);
  });

  test("marks what is scaled, and peers of another runtime", () => {
    const solve = { workload: "sample", batch: 4096, scaled: true };
    const rows = [
      row({ ...solve, runtime: "node", threads: 1 }),
      jax({ ...solve, threads: 1, ms: 100, scaled: false }),
    ];
    expect(markdownTable({ machine, rows }, peers)).toContain(
      "| 100 Euler steps of 4096 | 512 | 50.0 ms\\* (97) | 100 ms (2.0x, Chromium) |",
    );
  });

  test("is told apart from the page of everything, which has every contender and every reason", () => {
    const rows = [base, jax({ ms: 150, best: 140, gflops: 32 }), row({ threads: 4, ms: null, leftOut: "no threads" })];
    const text = markdownReport({ machine, rows }, peers);
    expect(text).toContain("a software adapter; Node 20, Chromium 143; divflow 1.0.0, jax-js 2.0.0; 2026-01-02");
    for (const line of textTable(rows, peers)) expect(text).toContain(line);
  });

  test("says on the page of everything what FDM takes beside CFM, by contender and width", () => {
    const steps = { cfm: 20, fdm: 40, "cfm-full": 25, "fdm-full": 52, "fraction-full": 37.5 };
    const own = Object.entries(steps).map(([workload, ms]) => row({ workload, ms }));
    const text = markdownReport({ machine, rows: [...own, row({ workload: "cfm", width: 64, ms: 1 })] }, peers);
    expect(text).toMatch(/\n +FDM \/ CFM +public steps +on half of the batch, public steps\n/);
    expect(text).toMatch(/\ndivflow, Chromium, WASM relaxed x2, width 512 +2\.0x +2\.1x +1\.5x\n/);
  });

  test("replaces what stands between the markers, and nothing else", () => {
    const text = `a\n${markers.start}\nold\n${markers.end}\nb\n`;
    const once = insertTable(text, "| new |");
    expect(once).toBe(`a\n${markers.start}\n\n| new |\n\n${markers.end}\nb\n`);
    expect(insertTable(once, "| new |")).toBe(once);
  });

  test("needs both markers, in their order", () => {
    expect(() => insertTable(`a ${markers.start} b`, "")).toThrow(/no place/);
    expect(() => insertTable(`${markers.end} ${markers.start}`, "")).toThrow(/no place/);
  });
});

describe("what is run", () => {
  test("follows from the options", () => {
    const { selection, peers: names } = parseOptions([
      "--only",
      "cfm",
      "--width",
      "512,64",
      "--threads",
      "2",
      "--peers",
      "none",
    ]);
    expect(tasksOf(selection).map(({ workload, width }) => `${workload} ${width}`)).toEqual([
      "cfm 64",
      "cfm-full 64",
      "cfm 512",
      "cfm-full 512",
    ]);
    expect(
      ownContenders("node", selection).map(({ backend, threads, relaxed }) => [backend, threads, relaxed]),
    ).toEqual([
      ["wasm", 2, false],
      ["wasm", 2, true],
      ["webgpu", 1, null],
    ]);
    expect(names).toEqual([]);
  });

  test.each([
    [["--only", "fdm,cmf"], /--only: got "cmf"/],
    [["--width", "65"], /--width: got "65"/],
    [["--seconds", "0"], /--seconds: got "0"/],
    [["--name", "../x"], /--name: got/],
    [["--colour"], /--colour/],
  ])("%s is refused", (given, sentence) => {
    expect(() => parseOptions(given)).toThrow(sentence);
  });

  test("in a checkout is divflow in all three runtimes, and each peer where it can", () => {
    const places = (contenders: Contender[]) =>
      new Set(contenders.map(({ runtime, backend }) => `${runtime} ${backend}`));
    const own = checkoutContenders(everything);
    expect([...places(own)].sort()).toEqual(["chromium wasm", "chromium webgpu", "deno webgpu", "node wasm"]);
    const others = peerContenders(peerNames, everything);
    const onnx = others.find(({ implementation }) => implementation === "onnxruntime-web") as Contender;
    const parts = tasksOf({ only: everything.only, width: [64] }).filter((task) => takesPart(onnx, task));
    expect(parts.map(({ workload }) => workload)).toEqual(["sample"]);
    expect(new Set(others.map(({ implementation }) => implementation))).toEqual(new Set(peerNames));
  });
});
