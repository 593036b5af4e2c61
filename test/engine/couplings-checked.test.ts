// Starts and couplings that do not fit: refused, warned of, and what ends while pairs are pending.
import { describe, expect, test } from "vitest";
import {
  type Coupling,
  defineCoupling,
  entropicTransport,
  eulerMaruyama,
  independent,
  optimalTransport,
} from "../../src/flows.ts";
import {
  arrayData,
  ConfigError,
  classes,
  createTrainer,
  DataError,
  DisposedError,
  eightGaussians,
  euler,
  evaluateLosses,
  fdm,
  LimitError,
  load,
  mlp,
  moons,
  type Runtime,
  resume,
  sampleData,
  streamData,
  type TrainerOptions,
  ve,
} from "../../src/index.ts";
import { totalVariationBound } from "../../src/likelihoods.ts";
import { byFirst, options, points } from "./paired.ts";
import { trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

describe("refused:", () => {
  const failing = (changes: object) =>
    withRuntime("wasm", (runtime) =>
      createTrainer(runtime, options(changes as never)).then(
        () => undefined,
        (error) => error,
      ),
    );

  test.each([
    [
      "a start of another dimension",
      { start: arrayData([[1, 2, 3]]) },
      ConfigError,
      /dimension of start: got 3, expected 2/,
    ],
    ["no start", { start: 3 }, ConfigError, /start of createTrainer/],
    ["a function as a coupling", { coupling: () => 0 }, ConfigError, /defineCoupling/],
    ["a path that does not begin at its start", { path: ve() }, ConfigError, /alpha 1 and sigma/],
    ["FDM from data to data", { loss: fdm() }, ConfigError, /between given ends/],
    [
      "FDM beside a coupling",
      { loss: fdm(), start: undefined, coupling: optimalTransport() },
      ConfigError,
      /optimal-transport/,
    ],
  ] as const)("%s", async (_, changes, kind, words) => {
    const error = await failing(changes);
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(words);
  });

  test.each([
    [
      "too few pairs",
      ({ count }: { count: number }) => ({ rows: new Uint32Array(count), columns: new Uint32Array(count - 1) }),
      /15 of the data/,
    ],
    [
      "a row that there is not",
      ({ count }: { count: number }) => ({ rows: new Array(count).fill(count), columns: new Array(count).fill(0) }),
      /pair 0: got 16/,
    ],
    [
      "what is no number of a row",
      ({ count }: { count: number }) => ({ rows: new Array(count).fill(0.5), columns: new Array(count).fill(0) }),
      /pair 0: got 0.5/,
    ],
    ["nothing", () => undefined, /"wrong"/],
  ])("%s", async (_, pair, words) => {
    const coupling = defineCoupling({ name: "wrong", pair: pair as never });
    await withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, options({ coupling }));
      const error = await trainSteps(trainer, 2).catch((error) => error);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(words);
    });
  });

  test("what a function throws, in a worker too", async () => {
    const mine = new Error("mine");
    const coupling = defineCoupling({
      name: "thrower",
      pair: () => {
        throw mine;
      },
    });
    await withRuntime("wasm", async (runtime) => {
      await expect(trainSteps(await createTrainer(runtime, options({ coupling })), 2)).rejects.toBe(mine);
    });
    using remote = await remoteEngine("wasm");
    await expect(trainSteps(await remote.runtime.createTrainer(options({ coupling })), 2)).rejects.toBe(mine);
  });

  test("another coupling or start on resume", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, options({ coupling: byFirst(), start: points }));
      const bytes = await trainer.checkpoint();
      await expect(resume(runtime, bytes, { start: points })).rejects.toThrow(/coupling to resume with: got "none"/);
      await expect(resume(runtime, bytes, { start: points, coupling: optimalTransport() })).rejects.toThrow(
        /coupling to resume/,
      );
      await expect(resume(runtime, bytes, { coupling: byFirst() })).rejects.toThrow(/start to resume with/);
    }));
});

test("a coupling that does not see conditions is warned of", () =>
  withRuntime("wasm", async (runtime) => {
    const data = arrayData(
      [
        [1, 2],
        [3, 4],
        [0, 1],
      ],
      undefined,
      { conditions: { label: Uint32Array.of(0, 1, 1) } },
    );
    const network = mlp({ dimension: 2, hidden: [6], conditions: { label: classes(2) } });
    const warned = async (coupling: Coupling) =>
      (await createTrainer(runtime, options({ network, data, start: undefined, coupling }))).warnings.filter((text) =>
        /conditions/.test(text),
      );
    expect(await warned(optimalTransport())).toHaveLength(1);
    expect(await warned(entropicTransport({ conditionCost: 100 }))).toHaveLength(0);
    expect(await warned(independent())).toHaveLength(0);
    expect(await warned(byFirst())).toHaveLength(1);
  }));

describe("what takes noise for independent of the data", () => {
  const paired = (coupling: Coupling) =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, options({ coupling, start: undefined }));
      await trainSteps(trainer, 2);
      const file = await trainer.checkpoint();
      const models = [
        trainer.model,
        await load(runtime, file),
        await load(runtime, await trainer.model.checkpoint()),
        await load(runtime, await (await load(runtime, file)).checkpoint()),
      ];
      for (const model of models) {
        for (const call of [
          model.sample({ count: 2, solver: eulerMaruyama({ steps: 2 }) }),
          model.sample({ count: 2, known: { values: [0, 0], mask: [1, 0] } }),
          evaluateLosses(runtime, model, { data: moons(), loss: fdm(), batches: 1 }),
          totalVariationBound(model, sampleData(moons(), 64, 1)),
        ]) {
          const error = await call.catch((error) => error);
          expect(error).toBeInstanceOf(ConfigError);
          expect(error.message).toMatch(/of pairs.*independently of the data/s);
        }
        expect((await model.sample({ count: 2, logDensity: true, solver: euler({ steps: 2 }) })).count).toBe(2);
        await expect(model.sample({ start: [[0, 0]] })).rejects.toThrow(/start of sample.*starts from noise/);
      }
    });
  test("is refused beside exact pairs, trained or from a file", () => paired(optimalTransport()));
  test("is refused beside pairs of a user's own", () => paired(byFirst()));
  test("is not beside independent ones", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, options({ coupling: independent(), start: undefined }));
      const loaded = await load(runtime, await trainer.checkpoint());
      for (const model of [trainer.model, loaded]) {
        expect((await model.sample({ count: 2, solver: eulerMaruyama({ steps: 2 }) })).count).toBe(2);
      }
    }));
});

test("a start or a coupling that a run had not is refused on resume", () =>
  withRuntime("wasm", async (runtime) => {
    const bytes = await (await createTrainer(runtime, options({ start: undefined }))).checkpoint();
    for (const [part, changes] of [
      ["coupling", { coupling: optimalTransport() }],
      ["start", { start: eightGaussians() }],
    ] as const) {
      const error = await resume(runtime, bytes, changes).catch((error) => error);
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain(`${part} to resume with`);
    }
    expect((await resume(runtime, bytes, { coupling: independent() })).step).toBe(0);
  }));

describe.each([
  [
    "pairs",
    (): Partial<TrainerOptions> => ({
      coupling: defineCoupling({ name: "never", pair: () => new Promise(() => {}) }),
    }),
  ],
  [
    "rows",
    (): Partial<TrainerOptions> => ({
      start: undefined,
      data: streamData({
        shape: [2],
        batches: async function* () {
          await new Promise(() => {});
          yield [[0, 0]];
        },
      }),
    }),
  ],
] as const)("dispose() while %s are waited for ends a run", (_, changes) => {
  const ended = async (runtime: Pick<Runtime, "createTrainer">) => {
    const trainer = await runtime.createTrainer(options(changes()));
    const run = trainSteps(trainer, 2).catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    trainer.dispose();
    expect(await run).toBeInstanceOf(DisposedError);
  };
  test("here", () => withRuntime("wasm", ended));
  test("in a worker", async () => {
    using remote = await remoteEngine("wasm");
    await ended(remote.runtime);
  });
});

test("conditions of a start are those of the data", () =>
  withRuntime("wasm", async (runtime) => {
    const labels = Uint32Array.of(0, 1, 1);
    const told = (name: string, values: Uint32Array | Float64Array = labels) =>
      arrayData([1, 2, 3, 4, 5, 6], [3, 2], { conditions: { [name]: values } });
    const network = mlp({ dimension: 2, hidden: [6], conditions: { label: classes(2) } });
    const refused = async (changes: Partial<TrainerOptions>, words: RegExp) => {
      const error = await createTrainer(runtime, options(changes)).catch((error) => error);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(words);
    };
    await refused({ start: told("k") }, /conditions of start: got "k".*none/);
    await refused({ network, data: told("label"), start: told("k") }, /conditions of start: got "k".*label/);
    await refused(
      { network, data: told("label"), start: told("label", Float64Array.of(0.5, 1, 2)) },
      /numbers of shape/,
    );
    const coupling = optimalTransport({ conditionCost: 10 });
    const trainer = await createTrainer(
      runtime,
      options({ network, data: told("label"), start: told("label", Uint32Array.of(0, 0, 0)), coupling }),
    );
    await trainSteps(trainer, 2);
    const blank = await createTrainer(runtime, options({ coupling }));
    expect(blank.warnings.join()).toMatch(/conditionCost.*nothing to weigh/);
  }));

test("batches too large to pair are refused, large ones warned of", () =>
  withRuntime("wasm", async (runtime) => {
    const made = (batchSize: number, coupling: Coupling) => createTrainer(runtime, options({ batchSize, coupling }));
    await expect(made(100_000, optimalTransport())).rejects.toThrow(LimitError);
    await expect(made(8193, entropicTransport())).rejects.toThrow(/batchSize beside coupling.*8192/s);
    expect((await made(1024, optimalTransport())).warnings.join()).toMatch(/third power/);
    expect((await made(1023, optimalTransport())).warnings.join()).not.toMatch(/third power/);
  }));

test("count beside a start is told in words of the start", () =>
  withRuntime("wasm", async (runtime) => {
    const { model } = await createTrainer(runtime, options());
    await expect(model.sample({ start: [[1, 2]], count: 4 })).rejects.toThrow(/count of sample.*as many as start has/);
    expect((await model.sample({ start: [[1, 2]], count: 1 })).count).toBe(1);
  }));
