// How work is cut where it holds up its own thread: by a clock of the test's own, so that nothing depends on the machine.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { Pace, runPaced } from "../../src/engine/pace.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import { compile } from "../../src/schedule/compile.ts";
import { nextTask } from "../../src/turns.ts";
import { trainStep } from "../schedule/graphs.ts";

/** Milliseconds of the test's clock, and since another task had its turn. */
let now = 0;
let turns: number[] = [];
let held = 0;
let ticking = true;

function work(milliseconds: number): void {
  now += milliseconds;
  held += milliseconds;
}

beforeEach(() => {
  [now, held, turns, ticking] = [0, 0, [], true];
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const tick = () => {
    if (held > 0) turns.push(held);
    held = 0;
    if (ticking) setImmediate(tick);
  };
  setImmediate(tick);
});
afterEach(() => {
  ticking = false;
  vi.restoreAllMocks();
});

/** A program of `count` calls of so many milliseconds, on a thread of its own or on this one. */
function program(count: number, milliseconds: number) {
  const log: string[] = [];
  const parts = {
    count,
    run(part: number) {
      log.push(`part ${part}`);
      work(milliseconds);
    },
  };
  const run = (times: number) => {
    log.push(`run ${times}`);
    work(times * count * milliseconds);
  };
  return { log, executable: { run, parts, dispose() {} } satisfies Executable };
}

const backend = createReferenceBackend();

test.each([
  ["many short runs", 2000, 10, 0.01],
  ["runs of some milliseconds", 60, 7, 1],
  ["a run of a second", 1, 100, 10],
  ["runs of 60 ms", 7, 6, 10],
  ["runs of 24 ms, just short enough", 9, 2, 12],
  ["runs of 26 ms, just too long", 9, 2, 13],
])("%s: timers and signals have their turn each 50 ms", async (_, times, count, milliseconds) => {
  const { log, executable } = program(count, milliseconds);
  expect(await runPaced(backend, executable, times, new Pace())).toBe(times);
  await nextTask();
  expect(Math.max(...turns)).toBeLessThanOrEqual(50);
  // No run is done by halves, and parts are in order.
  const whole = log.filter((entry) => entry.startsWith("run")).reduce((sum, entry) => sum + Number(entry.slice(4)), 0);
  const parts = log.filter((entry) => entry.startsWith("part")).map((entry) => Number(entry.slice(5)));
  expect(parts).toEqual(Array.from(parts, (_part, i) => i % count));
  expect(whole + parts.length / count).toBe(times);
  // And no more turns than that needs: the time between them is not wasted.
  expect(turns.length).toBeLessThanOrEqual(Math.ceil((times * count * milliseconds) / 12.5) + 10);
});

test("an abort is seen between runs, and a run that is under way is finished", async () => {
  const { log, executable } = program(20, 10);
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  const done = await runPaced(backend, executable, 5, new Pace(), { signal: controller.signal });
  expect(log).toHaveLength(20 * done);
  expect(done).toBeLessThan(5);
});

test("a device with a thread of its own gets submissions of a tenth of a second", async () => {
  const { log, executable } = program(10, 1);
  await runPaced(backend, { run: executable.run, dispose() {} }, 100, new Pace());
  const largest = Math.max(...log.map((entry) => Number(entry.slice(4))));
  expect(largest).toBe(10);
});

test.each<[string, () => Promise<Backend>]>([
  ["wasm", () => createWasmBackend()],
  ["reference", async () => createReferenceBackend()],
])("on %s the parts of a run are the run, bit for bit", async (_, create) => {
  const program = async (use: (executable: Executable) => void) => {
    const own = await create();
    const store = new StateStore(own);
    const compiled = compile(trainStep({}, { hidden: [16, 16], batchSize: 32 }), own.limits);
    store.declare(compiled.state);
    store.write(
      "parameters",
      Float32Array.from({ length: store.declaration("parameters").shape[0] as number }, (_v, i) => Math.sin(i)),
    );
    store.write("ok", Float32Array.of(1));
    store.write("seed", Uint32Array.of(1, 2));
    const executable = await own.load(compiled, store.buffers(compiled.state.map(({ name }) => name)));
    use(executable);
    return store.readAll(compiled.state.map(({ name }) => name));
  };
  const whole = await program((executable) => executable.run(3));
  const parted = await program(({ parts }) => {
    for (let time = 0; time < 3; time++) for (let part = 0; part < parts!.count; part++) parts!.run(part);
  });
  expect(parted).toEqual(whole);
  expect(whole.get("step")?.[0]).toBe(3);
});
