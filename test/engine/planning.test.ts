// Planning takes the thread that also hears of aborts: it goes in parts, tells how far it is, and can be given up.
import { expect, test, vi } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { DisposedError, fdm, mlp, rk4, type TrainerOptions } from "../../src/index.ts";
import { drawingParameters, initialParameters } from "../../src/nn/initialize.ts";
import { parameterLayout } from "../../src/nn/network.ts";
import { selfAttention } from "../../src/ops/attention.ts";
import { state } from "../../src/ops/sources.ts";
import { streamOf } from "../../src/ops/streams.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { compile } from "../../src/schedule/compile.ts";
import { describeProgram } from "../../src/schedule/describe.ts";
import { morePasses } from "../../src/schedule/more-passes.ts";
import { PASSES, planning } from "../../src/schedule/planning.ts";
import type { PlanLimits, Program } from "../../src/schedule/program.ts";
import { atOnce } from "../../src/turns.ts";
import { graphOf, trainStep } from "../schedule/graphs.ts";
import { limitsByName } from "../schedule/limits.ts";
import { smallOptions, withRuntime } from "./small.ts";

const named = (name: string, ...shape: number[]) => state({ name, shape, dtype: "f32" });

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
      expect(describeProgram(value as Program)).toBe(describeProgram(compile(graph, all)));
      break;
    }
    parts++;
  }
  expect(parts).toBeGreaterThan(100);
});

test.each<[string, Graph, Partial<PlanLimits>]>([
  ["attention by its kernel", graphOf(selfAttention(named("joined", 2, 16, 24), 2)), {}],
  ["a loss on part of the batch", trainStep({ fraction: 0.5 }), {}],
  ["storage in f16", trainStep(), { halvesFrom: 16 }],
])("%s takes passes that a page has on demand", (_name, graph, limits) => {
  const all = {
    ...(limitsByName["wasm"] as PlanLimits),
    optionalKernels: ["attention", "attentionReverse"],
    ...limits,
  };
  expect(atOnce(planning(graph, all))).toBeUndefined();
  const whole = atOnce(planning(graph, all, undefined, morePasses)) as Program;
  expect(describeProgram(whole)).toBe(describeProgram(compile(graph, all)));
});

test.each(Object.entries(limitsByName))("a step of an MLP takes none, %s", (_name, limits) => {
  const all = { ...limits, optionalKernels: ["attention", "attentionReverse"] };
  for (const graph of [trainStep(), trainStep("cfm"), trainStep({ estimator: "exact" })]) {
    expect(atOnce(planning(graph, all))).toBeDefined();
  }
});

/** The largest parameter is drawn in several blocks, the last one not whole. */
const wide = mlp({ dimension: 2, hidden: [520, 512] });

test("a wide network's parameters are drawn block by block, and are the numbers of one draw", () => {
  const told = [...drawingParameters(wide, 5)];
  const { total, entries } = parameterLayout(wide);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(told.at(-1)).toBe(total);
  expect(told.length).toBeGreaterThan(entries.length);
  const flat = initialParameters(wide, 5);
  for (const { declaration, offset } of entries) {
    const { initial, shape } = declaration;
    if (initial.kind !== "uniform") throw new Error("parameters of an mlp are uniform");
    const count = shape.reduce((product, size) => product * size, 1);
    const drawn = new HostRandom(5).uniform(count, streamOf("parameters", wide.parameters.indexOf(declaration)));
    const others = drawn.filter((value, i) => flat[offset + i] !== Math.fround(initial.bound * (2 * value - 1)));
    expect(others.length).toBe(0);
  }
});

/** Counts the blocks that are drawn, and does something at the second. */
function watched(atSecond: () => void) {
  const drawn = { blocks: 0 };
  const parameters = wide.parameters.map((declaration) => ({
    ...declaration,
    get initial() {
      if (++drawn.blocks === 2) atSecond();
      return declaration.initial;
    },
  }));
  return { drawn, network: { ...wide, parameters } };
}

test.each(["aborted", "aborted from a timer", "disposed of"])("drawing is given up when %s", (how) =>
  withRuntime("reference", async (runtime) => {
    const controller = new AbortController();
    const { drawn, network } = watched(() => {
      if (how === "aborted") controller.abort();
      else if (how === "disposed of") runtime.dispose();
      else setImmediate(() => controller.abort());
    });
    let time = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (time += 1000)); // a turn after each block
    const refused = runtime.createTrainer(smallOptions({ network, signal: controller.signal }));
    const error = await refused.catch((caught: unknown) => caught);
    clock.mockRestore();
    if (how === "disposed of") expect(error).toBeInstanceOf(DisposedError);
    else expect(error).toBe(controller.signal.reason);
    expect(drawn.blocks).toBe(2); // and no more
  }),
);
