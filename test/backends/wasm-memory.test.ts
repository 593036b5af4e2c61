// Memory on WASM: ranges are taken, given back and used again; it grows; too much is refused.
import { expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { WasmMemory } from "../../src/backends/wasm/memory.ts";
import { LimitError, OutOfMemoryError } from "../../src/errors.ts";

test("ranges are zeroed, aligned, disjoint; a range given back is used again", () => {
  const memory = new WasmMemory();
  const sizes = [4, 1000, 256, 300_000, 1];
  const allocations = sizes.map((bytes) => memory.allocate("test", bytes));
  allocations.forEach(({ address, bytes }, i) => {
    expect(address % 256).toBe(0);
    expect(bytes).toBeGreaterThanOrEqual(sizes[i]!);
    memory.words(address, bytes / 4).fill(i + 1);
  });
  allocations.forEach(({ address, bytes }, i) => {
    expect(memory.words(address, bytes / 4).every((word) => word === i + 1)).toBe(true);
  });
  memory.release(allocations[1]!);
  memory.release(allocations[2]!); // joins with the one before
  const again = memory.allocate("test", 1024 + 256);
  expect(again.address).toBe(allocations[1]!.address);
  expect(memory.words(again.address, 320).every((word) => word === 0)).toBe(true);
});

test("everything given back, in any order, is one range again", () => {
  const memory = new WasmMemory();
  const size = memory.memory.buffer.byteLength;
  const allocations = [5, 3000, 100_000, 700, 70_000].map((bytes) => memory.allocate("test", bytes));
  for (const i of [3, 0, 4, 2, 1]) memory.release(allocations[i]!);
  const all = memory.allocate("test", size - 65536 - 256); // all but the first page and the last bytes
  expect(all.address).toBe(65536);
  expect(memory.memory.buffer.byteLength).toBe(size);
});

test("there is memory past the end of each range, for vectors that begin before it", () => {
  const memory = new WasmMemory();
  for (const bytes of [1_114_112 - 65536 - 256, 65536, 2 ** 21]) {
    const range = memory.allocate("test", bytes);
    expect(range.address + range.bytes + 256).toBeLessThanOrEqual(memory.memory.buffer.byteLength);
  }
});

test("it grows, and what it held stays", () => {
  const memory = new WasmMemory();
  const small = memory.allocate("test", 256);
  memory.words(small.address, 64).fill(9);
  const large = memory.allocate("test", 5_000_000);
  expect(memory.words(large.address, 1_250_000).every((word) => word === 0)).toBe(true);
  expect(memory.words(small.address, 64).every((word) => word === 9)).toBe(true);
});

test("too much is a typed error, and harms nothing", async () => {
  const backend = await createWasmBackend();
  const before = backend.memory();
  expect(() => backend.createState("huge", 2 ** 30)).toThrow(LimitError);
  expect(() => backend.createState("large", 2 ** 30 - 2 ** 15)).toThrow(OutOfMemoryError);
  expect(backend.memory()).toEqual(before);
  const state = backend.createState("small", 3);
  expect([...(await backend.read(state, 0, 3, "f32"))]).toEqual([0, 0, 0]);
  backend.dispose();
});
