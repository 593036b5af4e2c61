// Planning takes the thread that also hears of aborts: it goes in parts, tells how far it is, and can be given up.
import { expect, test } from "vitest";
import { DisposedError, fdm, mlp, rk4, type TrainerOptions } from "../../src/index.ts";
import { compile, PASSES, planning } from "../../src/schedule/compile.ts";
import { describeProgram } from "../../src/schedule/describe.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { trainStep } from "../schedule/graphs.ts";
import { limitsByName } from "../schedule/limits.ts";
import { smallOptions, withRuntime } from "./small.ts";

/** Planned for longer than a turn. */
const deep = (more: Partial<TrainerOptions> = {}): TrainerOptions => ({
  ...smallOptions({ network: mlp({ dimension: 2, hidden: Array(32).fill(8) }), loss: fdm({ probes: 2 }) }),
  ...more,
});

test("a trainer tells of passes in order, and is the same that is not asked", () =>
  withRuntime("reference", async (runtime) => {
    const told: [number, number][] = [];
    const trainer = await runtime.createTrainer(deep({ onProgress: (...passes) => told.push(passes) }));
    expect(told[0]).toEqual([0, PASSES]);
    expect(told.at(-1)).toEqual([PASSES, PASSES]);
    expect(new Set(told.map(([done]) => done)).size).toBeGreaterThan(2);
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).sort((a, b) => a - b));
    expect(await trainer.describe()).toBe(await (await runtime.createTrainer(deep())).describe());
  }));

test.each([0, 1])("aborted with %i passes done, it is given up with the signal's reason", (passes) =>
  withRuntime("reference", async (runtime) => {
    const controller = new AbortController();
    const told: number[] = [];
    const onProgress = (done: number) => {
      told.push(done);
      if (done >= passes) controller.abort();
    };
    const refused = runtime.createTrainer(deep({ signal: controller.signal, onProgress }));
    await expect(refused).rejects.toBe(await refused.catch(() => controller.signal.reason));
    expect(told.at(-1)).toBeLessThan(PASSES);
    expect(await runtime.memory()).toEqual({ buffers: 0, bytes: 0 });
  }),
);

test("a signal aborted from a timer is heard while planning", () =>
  withRuntime("reference", async (runtime) => {
    const controller = new AbortController();
    let last = -1;
    setImmediate(() => controller.abort());
    const onProgress = (done: number) => {
      last = done;
    };
    await expect(runtime.createTrainer(deep({ signal: controller.signal, onProgress }))).rejects.toThrow("abort");
    expect(last).toBeLessThan(PASSES);
  }));

test("a model's call is given up while its solve is planned", () =>
  withRuntime("reference", async (runtime) => {
    const { model } = await runtime.createTrainer(deep());
    const controller = new AbortController();
    setImmediate(() => setImmediate(() => controller.abort()));
    let told = 0;
    const options = { solver: rk4({ steps: 2 }), signal: controller.signal, onProgress: () => told++ };
    await expect(model.logDensity([[0, 1]], options)).rejects.toThrow("abort");
    expect(told).toBe(0); // it never began
  }));

test.each(["runtime", "trainer"] as const)("dispose() of the %s during planning is a DisposedError", (which) =>
  withRuntime("reference", async (runtime) => {
    if (which === "trainer") {
      const trainer = await runtime.createTrainer(deep());
      setImmediate(() => trainer.dispose());
      await expect(trainer.model.sample({ count: 4, solver: rk4({ steps: 2 }) })).rejects.toThrow(DisposedError);
      return;
    }
    setImmediate(() => runtime.dispose());
    await expect(runtime.createTrainer(deep())).rejects.toThrow(DisposedError);
  }),
);

test("a plan in parts is the plan at once", () => {
  const graph = trainStep({ probes: 2 });
  const all = limitsByName["wasm"] as PlanLimits;
  let parts = 0;
  const plan = planning(graph, all);
  for (;;) {
    const { done, value } = plan.next();
    if (done) {
      expect(describeProgram(value)).toBe(describeProgram(compile(graph, all)));
      break;
    }
    parts++;
  }
  expect(parts).toBeGreaterThan(100);
});
