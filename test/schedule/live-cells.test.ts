// What recomputation may read again: the old value of a state until the run overwrites it, constants always.
import { expect, test } from "vitest";
import { Cell } from "../../src/schedule/cells.ts";
import { LiveCells } from "../../src/schedule/live-cells.ts";
import type { Task } from "../../src/schedule/tasks.ts";

const declared = (name: string) => ({ name, shape: [4], dtype: "f32" }) as const;

test("a state's old value is there until its new one is written over it", () => {
  const [old, other] = [new Cell(4, "f32", declared("parameters")), new Cell(4, "f32", declared("data"))];
  const constant = new Cell(4, "f32", { constantsOffset: 0 });
  const written = new Cell(4, "f32");
  written.boundTo = declared("parameters");
  const nothing: Task = { call: undefined, chain: undefined, reads: [], writes: [] };
  const cells = new LiveCells([
    nothing,
    { ...nothing, writes: [{ cell: written, offset: 0, length: 4, stride: 1 }] },
    nothing,
  ]);
  expect([0, 1, 2].map((at) => cells.isThere(old, at))).toEqual([true, false, false]);
  expect([0, 1, 2].map((at) => cells.isThere(other, at))).toEqual([true, true, true]);
  expect([0, 1, 2].map((at) => cells.isThere(constant, at))).toEqual([true, true, true]);
  expect(cells.isThere(written, 0)).toBe(false);
  expect(cells.isThere(new Cell(4, "f32"), 0)).toBe(false);
});
