// metrics.jsonl as it grows and as it is found again; and that nothing in memory grows with the steps.
import { mkdtemp, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { History } from "../../src/cli/history.ts";
import { jsonPieces } from "../../src/cli/json.ts";
import { MetricsFile } from "../../src/cli/metrics-file.ts";
import { type MetricsLine, scanMetrics } from "../../src/cli/metrics-lines.ts";
import { Series } from "../../src/cli/series.ts";
import { DataError } from "../../src/index.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "divflow-metrics-"));
  path = join(folder, "metrics.jsonl");
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const rows = (from: number, to: number): MetricsLine[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ step: from + i, loss: 1 / (from + i) }));
const text = (lines: readonly MetricsLine[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
const validation = { step: 2, velocityLoss: 1, divergenceLoss: 0, best: true };

/** Goes on behind `step` as a resumed run does, with one more line, and gives the file. */
async function goOn(step: number, source = path): Promise<string> {
  const file = new MetricsFile(path);
  await file.goOn(step, await scanMetrics(source, step), source);
  await file.add(rows(step + 1, step + 1));
  await file.settle(step + 1);
  await file.close();
  return readFile(path, "utf8");
}

describe("a file of metrics", () => {
  test("holds lines when they are added, before anything is saved", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 3));
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 3)));
    await file.add(rows(4, 5));
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 5)));
    await file.close();
  });

  test("begun anew has none of those before", async () => {
    await writeFile(path, text(rows(1, 9)));
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 1));
    await file.close();
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 1)));
  });

  test.each([
    ["steps past the model's", text(rows(1, 8))],
    ["a torn last line", text(rows(1, 5)) + text(rows(6, 6)).slice(0, -9)],
    ["a last line without its end", text(rows(1, 5)).slice(0, -1)],
    ["zeros that a power cut left", `${text(rows(1, 5))}${"\0".repeat(3_000_000)}`],
    ["a step twice", text(rows(1, 3)) + text(rows(2, 5))],
    ["empty lines", `${text(rows(1, 3))}\n\n${text(rows(4, 5))}`],
  ])("goes on behind %s", async (_, found) => {
    await writeFile(path, found);
    const before = text(rows(1, 5));
    expect((await goOn(5)).replaceAll("\n\n", "")).toBe(before.replaceAll("\n\n", "") + text(rows(6, 6)));
  });

  test("goes on where another folder's run stood", async () => {
    const other = join(folder, "other.jsonl");
    await writeFile(other, text(rows(1, 7)));
    await writeFile(path, text(rows(1, 2)));
    expect(await goOn(5, other)).toBe(text(rows(1, 6)));
    expect(await readFile(other, "utf8")).toBe(text(rows(1, 7)));
  });

  test("goes on where there is none", async () => {
    expect(await goOn(5)).toBe(text(rows(6, 6)));
  });

  test.each([
    ["null", "null"],
    ["no JSON", "{"],
    ["no step", '{"loss":1}'],
    ["a line of two million characters", '"'.padEnd(2_000_000, "x")],
  ])("with %s in its midst is refused, shortly", async (_, line) => {
    await writeFile(path, `${text(rows(1, 3))}${line}\n${text(rows(5, 6))}`);
    const error = await goOn(6).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(/metrics\.jsonl, line 4: got /);
    expect((error as DataError).message.length).toBeLessThan(600);
  });

  test("a validation joins its step's line, also when it is made after a resume", async () => {
    const whole = text([...rows(1, 1), { ...(rows(2, 2)[0] as MetricsLine), validation }]);
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 2));
    await file.add([{ step: 2, validation }]);
    await file.close();
    expect(await readFile(path, "utf8")).toBe(whole);
    await writeFile(path, text(rows(1, 3)));
    const again = new MetricsFile(path);
    await again.goOn(2, await scanMetrics(path, 2));
    await again.add([{ step: 2, validation }]);
    await again.settle(2);
    await again.close();
    expect(await readFile(path, "utf8")).toBe(whole);
  });

  test("settles at the model's step: steps that a lost device took back come once", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 9));
    await file.settle(6);
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 6)));
    await file.add(rows(7, 8));
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 8)));
    await file.close();
  });

  test("on a full disk lines wait, and none is there by halves or twice", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 2));
    const handle = await open(path);
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { write } = prototype;
    const full = vi.spyOn(prototype, "write").mockImplementation(async function (this: unknown, ...given: unknown[]) {
      await write.call(this, given[0], given[1], 7, given[3]); // as much as there was room for
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    });
    await expect(file.add(rows(3, 4))).rejects.toThrow("ENOSPC");
    await expect(file.add(rows(5, 5))).rejects.toThrow("ENOSPC");
    await expect(file.settle(5)).rejects.toThrow("ENOSPC");
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 2)));
    full.mockRestore();
    await file.settle(5);
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 5)));
    await file.close();
  });

  test("lines give way to a model, up to the saved one's, which a validation has joined, and come back", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 3));
    file.saved();
    await file.add([{ step: 3, validation }, ...rows(4, 6)]);
    const whole = await readFile(path, "utf8");
    await file.giveWay();
    const kept = whole.split("\n").slice(0, 3);
    expect(kept[2]).toContain("validation");
    expect(await readFile(path, "utf8")).toBe(`${kept.join("\n")}\n`);
    await file.add([{ step: 6, validation }, ...rows(7, 7)]);
    await file.settle(7);
    expect(await readFile(path, "utf8")).toBe(`${kept.join("\n")}\n`);
    file.comeBack();
    await file.settle(7);
    const [first, second, third, ...others] = (await readFile(path, "utf8")).split("\n").slice(0, -1);
    expect([first, second, third]).toEqual(kept);
    expect(others.map((line) => JSON.parse(line).step)).toEqual([4, 5, 6, 7]);
    expect(JSON.parse(others[2] as string)).toEqual({ ...rows(6, 6)[0], validation });
    await file.close();
  });

  test("all lines give way where no step is saved", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    file.saved();
    await file.add(rows(1, 3));
    await file.giveWay();
    expect(await readFile(path, "utf8")).toBe("");
    file.comeBack();
    await file.settle(3);
    expect(await readFile(path, "utf8")).toBe(text(rows(1, 3)));
    await file.close();
  });

  test("that is a device is written to, and what it does not take is told", async () => {
    await symlink("/dev/full", path);
    const file = new MetricsFile(path);
    await file.begin();
    await expect(file.add(rows(1, 2))).rejects.toThrow("ENOSPC");
    await file.close();
  });
});

describe("the disk", () => {
  /** What the file holds each time something is brought onto the disk. */
  async function atSyncs(work: () => Promise<unknown>): Promise<string[]> {
    const handle = await open(folder);
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const { sync } = prototype;
    const seen: string[] = [];
    vi.spyOn(prototype, "sync").mockImplementation(async function (this: unknown) {
      seen.push(await readFile(path, "utf8"));
      return sync.call(this);
    });
    await work();
    return seen;
  }

  test("has all lines when metrics settle", async () => {
    const file = new MetricsFile(path);
    await file.begin();
    await file.add(rows(1, 2));
    expect(await atSyncs(() => file.settle(2))).toEqual([text(rows(1, 2))]);
    await file.close();
  });
});

describe("a series", () => {
  test("of ten million values has 2,048 points at most, each the mean of equally many", () => {
    const series = new Series();
    for (let step = 1; step <= 10_000_000; step++) series.add(step, step);
    const { points } = series;
    expect(points.length).toBeLessThanOrEqual(2048);
    expect(points.length).toBeGreaterThan(1000);
    const each = (points[0] as readonly [number, number])[0];
    for (const [i, [step, mean]] of points.slice(0, -1).entries()) {
      expect(step).toBe((i + 1) * each);
      expect(mean).toBe(step - (each - 1) / 2);
    }
    expect(points.at(-1)?.[0]).toBe(10_000_000);
  });

  test("that is exact keeps values as they are", () => {
    const series = new Series({ exact: true });
    for (let step = 1; step <= 5000; step++) series.add(step, step ** 2);
    const { points } = series;
    expect(points.length).toBeLessThanOrEqual(2048);
    for (const [step, value] of points) expect(value).toBe(step ** 2);
    expect(points.at(-1)?.[0]).toBe(5000);
  });

  test("of few values is what was added", () => {
    const history = new History();
    history.add([
      { step: 0, validation: { ...validation, step: 0 } },
      { step: 1, velocityLoss: 3, divergenceLoss: 2 },
    ]);
    history.add([{ step: 2, velocityLoss: Number.NaN, divergenceLoss: 1, validation }]);
    expect(history.velocityLoss.points).toEqual([[1, 3]]);
    expect(history.divergenceLoss.points).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(history.heldOut.velocityLoss.points).toEqual([
      [0, 1],
      [2, 1],
    ]);
    expect([history.validations, history.judged, history.best]).toEqual([2, 0, validation]);
  });
});

describe("JSON in pieces", () => {
  const numbers = Array.from({ length: 25_000 }, (_, i) => i / 3);
  test.each([
    [{ a: 1, b: [1, { c: null, d: [] }], e: {}, "f\n": "g\n\u2028" }],
    [{ rows: { count: 3, validation: numbers }, none: undefined, NaN: Number.NaN }],
    [numbers.map((number) => ({ number, list: [number] }))],
    [[]],
    ["text"],
  ])("is what JSON.stringify gives, %#", (value) => {
    for (const indent of [0, 2]) {
      const pieces = [...jsonPieces(value, indent)];
      expect(pieces.join("")).toBe(`${JSON.stringify(value, null, indent)}\n`);
      for (const piece of pieces) expect(piece.length).toBeLessThan(1_000_000);
    }
  });
});
