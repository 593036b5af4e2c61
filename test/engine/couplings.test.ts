// Starts and couplings in training: which pairs steps take, that they come again on resume, in a worker and in any cutting of runs.
import { describe, expect, test, vi } from "vitest";
import type { DataSource, DataStream } from "../../src/data/source.ts";
import { assignment } from "../../src/diagnostics.ts";
import { Feed } from "../../src/engine/feed.ts";
import { pairedData } from "../../src/engine/pairs.ts";
import {
  type Coupling,
  defineCoupling,
  entropicTransport,
  independent,
  optimalTransport,
  pairedWith,
} from "../../src/flows.ts";
import {
  arrayData,
  cfm,
  createTrainer,
  eightGaussians,
  euler,
  evaluateLosses,
  load,
  moons,
  type Runtime,
  resume,
  sampleData,
  streamData,
  type TrainerOptions,
  UnsupportedError,
} from "../../src/index.ts";
import { adam } from "../../src/train/adam.ts";
import { BATCH, byFirst, here, identity, options, points } from "./paired.ts";
import { trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

/** Batches of pairs from a step on, as states hold them. */
async function batches(
  of: { data: DataSource; start?: DataSource; coupling: Coupling; seed?: number },
  step = 0,
  count = 1,
) {
  const source = pairedData({ start: undefined, seed: 3, batchSize: BATCH, ...of });
  const feed = new Feed({ ...source, stream: source.stream as DataStream }, BATCH, step);
  const found = [];
  for (let i = 0; i < count; i++) {
    const { states } = await feed.fill(1, undefined);
    feed.used(1);
    found.push(states);
  }
  feed.close();
  return found;
}
const pointsIn = (states: ReadonlyMap<string, ArrayLike<number>>, name: string) => {
  const values = states.get(name) as Float32Array;
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]] as [number, number]);
};
const pairsIn = (states: ReadonlyMap<string, ArrayLike<number>>) => {
  const [start, data] = [pointsIn(states, "data.ring. start"), pointsIn(states, "data.ring")];
  return start.map((point, i) => [point, data[i] as [number, number]] as const);
};
const costOf = (pairs: ReturnType<typeof pairsIn>) =>
  pairs.reduce((sum, [[a, b], [c, d]]) => sum + (a - c) ** 2 + (b - d) ** 2, 0) / pairs.length;
const own = independent() as Coupling & { pair?: Coupling["pair"] };

describe("pairs", () => {
  const both = { data: moons(), start: eightGaussians() };

  test("of exact transport are the least ones of the rows that would be drawn", async () => {
    const [plain] = await batches({ ...both, coupling: own });
    const [paired] = await batches({ ...both, coupling: optimalTransport() });
    const start = pointsIn(plain as never, "data.ring. start");
    const data = pointsIn(plain as never, "data.ring");
    const { permutation, cost } = assignment(start, data);
    expect(pairsIn(paired as never)).toEqual(start.map((point, i) => [point, data[permutation[i] as number]]));
    expect(costOf(pairsIn(paired as never))).toBeCloseTo(cost / BATCH, 6);
    expect(costOf(pairsIn(plain as never))).toBeGreaterThan(1.3 * (cost / BATCH));
  });

  test("with replacement come from the same plan, entropic ones nearly", async () => {
    const [exact, again, entropic, sharp, each] = await Promise.all(
      [
        optimalTransport(),
        optimalTransport({ replacement: true }),
        entropicTransport({ regularisation: 2 }),
        entropicTransport({ regularisation: 1e-3, tolerance: 1e-9, replacement: false }),
        entropicTransport({ regularisation: 2, replacement: false }),
      ].map(async (coupling) => pairsIn((await batches({ ...both, coupling }))[0] as never)),
    );
    const texts = (pairs: ReturnType<typeof pairsIn> = []) => pairs.map((pair) => JSON.stringify(pair)).sort();
    expect(new Set(texts(exact)).size).toBe(BATCH);
    expect(new Set(texts(again)).size).toBeLessThan(BATCH);
    for (const pair of texts(again)) expect(texts(exact)).toContain(pair);
    expect(texts(sharp)).toEqual(texts(exact));
    expect(costOf(entropic as never)).toBeGreaterThan(costOf(exact as never));
    const starts = (pairs: ReturnType<typeof pairsIn> = []) =>
      new Set(pairs.map(([start]) => JSON.stringify(start))).size;
    expect(starts(each)).toBe(BATCH);
    expect(starts(entropic)).toBeLessThan(BATCH);
  });

  test("are a function of seed and step: from any step on the same, other steps and seeds others", async () => {
    const coupling = entropicTransport({ regularisation: 1 });
    const all = await batches({ ...both, coupling }, 0, 4);
    const later = await batches({ ...both, coupling }, 2, 2);
    expect(later).toEqual(all.slice(2));
    expect(all[1]).not.toEqual(all[0]);
    expect(await batches({ ...both, coupling, seed: 4 })).not.toEqual(all.slice(0, 1));
  });

  test("of noise are those of the noise that devices draw", async () => {
    const changes = { start: undefined, coupling: defineCoupling({ name: "same", pair: identity }) };
    const [withHost, without] = await Promise.all([here(changes), here({ start: undefined })]);
    for (const [i, loss] of withHost.entries()) expect(loss).toBeCloseTo(without[i] as number, 5);
  });

  test("bring conditions along, and see them where they are to", async () => {
    const values = Float64Array.from({ length: 80 }, (_, i) => Math.sin(3 * i));
    const label = Uint32Array.from({ length: 40 }, (_, i) => i % 2);
    const age = Float64Array.from({ length: 40 }, (_, i) => values[2 * i] as number);
    const data = arrayData(values, [40, 2], { conditions: { label, age } });
    const rowOf = ([x, y]: [number, number]) =>
      label.findIndex(
        (_, i) => Math.fround(values[2 * i] as number) === x && Math.fround(values[2 * i + 1] as number) === y,
      );
    const seen = async (coupling: Coupling) => {
      const [plain] = await batches({ data, coupling: own });
      const [states] = await batches({ data, coupling });
      const given = states?.get("data.ring.label") as Uint32Array;
      const pairs = pairsIn(states as never);
      for (const [i, [, point]] of pairs.entries()) {
        expect(given[i]).toBe(label[rowOf(point)]);
        expect(states?.get("data.ring.age")?.[i]).toBeCloseTo(age[rowOf(point)] as number, 6);
      }
      // Labels that starts were drawn beside, by the start.
      const beside = pointsIn(plain as never, "data.ring. start").map(([x]) => x);
      const theirs = plain?.get("data.ring.label") as Uint32Array;
      return pairs.filter(([[x]], i) => theirs[beside.indexOf(x)] !== given[i]).length;
    };
    expect(await seen(optimalTransport())).toBeGreaterThan(0);
    expect(await seen(optimalTransport({ conditionCost: 1e6 }))).toBe(0);
  });

  test("come of streams too, from any step on", async () => {
    const rows = (scale: number) =>
      streamData({
        shape: [2],
        batches: ({ rows }) =>
          (function* () {
            for (let r = rows; ; r += 5) yield Array.from({ length: 5 }, (_, i) => [scale * Math.sin(r + i), r + i]);
          })(),
      });
    const of = { data: rows(1), start: rows(2), coupling: own };
    const all = await batches(of, 0, 3);
    expect(await batches(of, 1, 2)).toEqual(all.slice(1));
    expect(pairsIn(all[1] as never)[0]).toEqual([
      [Math.fround(2 * Math.sin(BATCH)), BATCH],
      [Math.fround(Math.sin(BATCH)), BATCH],
    ]);
    expect((await here({ data: rows(1), start: rows(2) }, 3)).every(Number.isFinite)).toBe(true);
  });
});

const couplings: readonly (readonly [string, Partial<TrainerOptions>])[] = [
  ["independent", {}],
  [
    "independent, points of one's own",
    { start: points, data: arrayData(sampleData(moons(), 60, 2), [60, 2], { standardize: true }) },
  ],
  ["exact", { coupling: optimalTransport() }],
  ["entropic", { coupling: entropicTransport({ regularisation: 0.5 }), start: undefined }],
  ["a user's own", { coupling: byFirst(), start: points }],
  [
    "given",
    {
      ...{ coupling: pairedWith(points.values, [50, 2]), start: undefined },
      data: arrayData(sampleData(moons(), 50, 2), [50, 2], { standardize: true }),
    },
  ],
];

describe.each(couplings)("%s", (_, changes) => {
  const again = {
    ...(changes.start === points ? { start: points } : {}),
    ...(changes.coupling?.name === "own" ? { coupling: byFirst() } : {}),
    ...(changes.coupling?.starts ? { coupling: changes.coupling } : {}),
  };
  const resumed = { ...again, ...(changes.data ? { data: changes.data } : {}) };

  test("trains with the same bits however runs are cut, on resume, and in a worker", async () => {
    const wanted = await here(changes, 20);
    await withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, options(changes));
      const found = [];
      for (const steps of [3, 8]) found.push(...(await trainSteps(trainer, steps)));
      const bytes = await trainer.checkpoint();
      found.push(...(await trainSteps(await resume(runtime, bytes, resumed), 9)));
      expect(found.map(({ loss }) => loss)).toEqual(wanted);
    });
    using remote = await remoteEngine("wasm");
    const far = await remote.runtime.createTrainer(options(changes));
    const found = await trainSteps(far, 11);
    const bytes = await far.checkpoint();
    found.push(...(await trainSteps(await remote.runtime.resumeTrainer(bytes, resumed), 9)));
    expect(found.map(({ loss }) => loss)).toEqual(wanted);
  });
});

test("starts and data in one unit: those of the data", async () => {
  const far = arrayData(
    sampleData(moons(), 64, 2).map((x) => 100 + 20 * x),
    [64, 2],
    { standardize: true },
  );
  const near = arrayData(
    sampleData(eightGaussians(), 64, 2).map((x) => 100 + 20 * x),
    [64, 2],
  );
  const [states] = await batches({ data: far, start: near, coupling: own });
  const { mean, std } = far.standardization as NonNullable<typeof far.standardization>;
  const known = new Set(
    Array.from({ length: 64 }, (_, i) => Math.fround(((near.values[2 * i] as number) - mean[0]) / std[0])),
  );
  for (const [[x]] of pairsIn(states as never)) expect(known).toContain(x);
  // On the device the same: a loss at a network that is 0 would differ otherwise.
  const onDevice = await here({ data: far, start: near });
  const onHost = await here({ data: far, start: near, coupling: defineCoupling({ name: "same", pair: identity }) });
  for (const [i, loss] of onDevice.entries()) expect(loss).toBeCloseTo(onHost[i] as number, 4);
});

test("are made while steps run: some ahead, a bounded number", async () => {
  const asked: number[] = [];
  const coupling = defineCoupling({
    name: "counted",
    pair(batches) {
      asked.push(batches.step);
      return identity(batches);
    },
  });
  await withRuntime("wasm", async (runtime) => {
    const trainer = await runtime.createTrainer(options({ coupling }));
    await trainSteps(trainer, 1);
    await vi.waitFor(() => expect(asked.length).toBeGreaterThanOrEqual(17), { timeout: 20_000 });
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    expect(asked).toEqual(Array.from({ length: asked.length }, (_, step) => step));
    expect(asked.length).toBe(17); // one that was taken, and those ahead;
    await trainSteps(trainer, 2); // these are there already
    expect(trainer.step).toBe(3);
  });
});

describe("models", () => {
  const trained = async (runtime: Runtime, changes: Partial<TrainerOptions> = {}) => {
    const trainer = await runtime.createTrainer(options(changes));
    await trainSteps(trainer, 3);
    return trainer;
  };

  test("sample from their start, or from points that are given", async () => {
    for (const remote of [false, true]) {
      const engine = remote ? await remoteEngine("wasm") : undefined;
      await withRuntime("wasm", async (local) => {
        const runtime = engine?.runtime ?? local;
        const { model } = await trained(runtime);
        const start = sampleData(eightGaussians(), 5, 7);
        const solver = euler({ steps: 2 });
        const { values } = await model.sample({ count: 5, seed: 7, solver });
        expect(await model.sample({ start, solver })).toMatchObject({ values });
        expect(await model.sample({ count: 5, seed: 8, solver })).not.toMatchObject({ values });
        const file = await model.checkpoint();
        const loaded = await runtime.loadModel(file);
        expect(await loaded.sample({ start, solver })).toMatchObject({ values });
        expect(await loaded.sample({ count: 5, seed: 7, solver })).toMatchObject({ values });
        const there = await loaded.sample({ start, times: [0, 1], solver });
        expect(Array.from(there.trajectory?.values.slice(0, 10) ?? [])).toEqual(Array.from(start));
      });
      engine?.[Symbol.dispose]();
    }
  });

  test("from points of a user's own are given points once they come from a file", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await trained(runtime, { start: points });
      expect((await model.sample({ count: 4 })).count).toBe(4);
      const loaded = await load(runtime, await model.checkpoint());
      await expect(loaded.sample({ count: 4 })).rejects.toThrow(/not at hand/);
      expect((await loaded.sample({ start: [[0, 1]] })).count).toBe(1);
    }));

  test("start in the data's units", () =>
    withRuntime("wasm", async (runtime) => {
      const data = arrayData(
        sampleData(moons(), 60, 2).map((x) => 100 + 20 * x),
        [60, 2],
        { standardize: true },
      );
      const { model } = await trained(runtime, { data });
      const start = [[100, 80]];
      const { trajectory } = await model.sample({ start, times: [0] });
      expect(trajectory?.values[0]).toBeCloseTo(100, 4);
      expect(trajectory?.values[1]).toBeCloseTo(80, 4);
    }));

  test("have no density, nor a guide", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await trained(runtime);
      for (const call of [
        model.logDensity([[0, 0]]),
        model.encode([[0, 0]], { logDensity: true }),
        model.sample({ count: 2, logDensity: true }),
        model.sample({ count: 2, known: { values: [0, 0], mask: [1, 0] } }),
      ]) {
        const error = await call.catch((error) => error);
        expect(error).toBeInstanceOf(UnsupportedError);
        expect(error.message).toMatch(/eight-gaussians/);
      }
      const { values } = await model.encode([[0.3, 0.2]]);
      const back = await model.sample({ noise: values });
      expect(back.values[0]).toBeCloseTo(0.3, 3);
    }));

  test("that start from noise refuse a start", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await trained(runtime, { start: undefined });
      await expect(model.sample({ start: [[0, 0]] })).rejects.toThrow(/start of sample.*starts from noise/);
    }));

  test("are judged by losses from their own start", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await trained(runtime, { optimizer: adam({ learningRate: 1e-7 }) });
      const noise = await trained(runtime, { start: undefined, optimizer: adam({ learningRate: 1e-7 }) });
      const judged = { data: moons(), loss: cfm(), batches: 40 };
      const [own, other] = [
        await evaluateLosses(runtime, model, judged),
        await evaluateLosses(runtime, noise.model, judged),
      ];
      // |x1 - x0|^2 / 2 about a field that is nearly 0: eight Gaussians lie 2 from the origin, noise 1.4.
      expect(own.loss).toBeGreaterThan(other.loss * 1.2);
    }));
});

test("what a coupling writes into its rows is not trained on", async () => {
  const both = { data: moons(), start: eightGaussians() };
  const writing = defineCoupling({
    name: "writing",
    pair(given) {
      given.start.fill(7);
      given.data.fill(7);
      return identity(given);
    },
  });
  expect(await batches({ ...both, coupling: writing })).toEqual(await batches({ ...both, coupling: own }));
});
