// Parts of samples and log-densities are the rows of the whole, bit for bit, and together they are all of it, each once.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eulerMaruyama, flowMap, flowMapSteps, meanFlow } from "../../src/flows.ts";
import {
  arrayData,
  cfm,
  classes,
  createRuntime,
  dopri5,
  euler,
  type LogDensityOptions,
  type Model,
  mlp,
  type SampleOptions,
} from "../../src/index.ts";
import { logDensityOfRows, sampleChunks, shardRows } from "../../src/likelihoods.ts";
import { smallOptions, trainSteps } from "../engine/small.ts";
import { type RemoteEngine, remoteEngine } from "../engine/worker.ts";

let remote: RemoteEngine;
const models: Record<string, Model> = {};
beforeAll(async () => {
  remote = await remoteEngine("wasm");
  const local = await createRuntime({ backend: "wasm" });
  const network = flowMap({ network: mlp({ dimension: 3, hidden: [8] }), reverse: true });
  const rows = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i));
  const kind = { values: Array.from({ length: 30 }, (_, i) => i % 3), classes: 3 };
  const told = {
    data: arrayData(rows, [30, 2], { conditions: { kind } }),
    network: mlp({ dimension: 2, hidden: [8], conditions: { kind: classes(3, { drop: 0.1 }) } }),
    loss: cfm(),
  };
  for (const [name, runtime, options] of [
    ["plain", local, {}],
    ["in a worker", remote.runtime, {}],
    ["map", local, { network, loss: meanFlow() }],
    ["told", local, told],
  ] as const) {
    const trainer = await runtime.createTrainer(smallOptions(options));
    await trainSteps(trainer, 3);
    models[name] = trainer.model;
  }
}, 60_000);
afterAll(() => remote[Symbol.dispose]());

/** All parts, one after the other; checks that there is no row between them. */
async function parts(model: Model, count: number, of: number, options: SampleOptions) {
  const found = [];
  let next = 0;
  for (let index = 0; index < of; index++) {
    const rows = await shardRows(model, { ...options, count }, { index, of });
    expect(rows.first).toBe(next);
    next = rows.last;
    found.push(rows);
  }
  expect(next).toBe(count);
  return found;
}

const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 3);

// 4,096 points at most are solved at once: 9,000 are three times 3,000.
const cases: Readonly<Record<string, { model: string; count: number; of: readonly number[]; options: SampleOptions }>> =
  {
    "by whole blocks": { model: "plain", count: 9000, of: [1, 2, 3], options: { solver: dopri5() } },
    "within blocks": { model: "plain", count: 9001, of: [4, 7], options: { solver: dopri5() } },
    "of few": { model: "plain", count: 10, of: [3, 10], options: { solver: dopri5(), logDensity: true } },
    "in a worker": { model: "in a worker", count: 5000, of: [3], options: { solver: dopri5(), logDensity: true } },
    "with noise on the way": { model: "plain", count: 5000, of: [3], options: { solver: eulerMaruyama({ steps: 3 }) } },
    "of a flow map": {
      ...{ model: "map", count: 5000, of: [3] },
      options: { solver: flowMapSteps({ steps: 2, density: "exact" }), logDensity: true },
    },
    guided: {
      ...{ model: "told", count: 5000, of: [3] },
      options: { solver: euler({ steps: 3 }), conditions: { kind: labels(5000) }, guidance: 3 },
    },
    "told one for all": { model: "told", count: 70, of: [4], options: { solver: dopri5(), conditions: { kind: 2 } } },
  };

describe.each(Object.entries(cases))("samples %s", (_, { model: name, count, of, options }) => {
  test.each(of)("%i parts are the whole", async (shards) => {
    const model = models[name] as Model;
    const whole = await model.sample({ ...options, count, seed: 7 });
    const [values, densities]: [number[], number[]] = [[], []];
    for (const rows of await parts(model, count, shards, options)) {
      const { first, last } = rows;
      for await (const one of sampleChunks(model, { ...options, count, seed: 7, rows: { first, last }, chunk: 1999 })) {
        values.push(...one.values);
        densities.push(...(one.logDensity?.values ?? []));
      }
    }
    expect(values).toEqual([...whole.values]);
    expect(densities).toEqual([...(whole.logDensity?.values ?? [])]);
  });
});

test("parts are of whole blocks where there are enough, else even", async () => {
  const model = models["plain"] as Model;
  const cuts = async (count: number, of: number) => (await parts(model, count, of, {})).map(({ last }) => last);
  expect(await cuts(9000, 2)).toEqual([3000, 9000]);
  expect(await cuts(9000, 4)).toEqual([2250, 4500, 6750, 9000]);
  expect(await cuts(7, 3)).toEqual([2, 4, 7]);
});

const judged: Readonly<Record<string, { model: string; count: number; options: LogDensityOptions }>> = {
  "by an adaptive solver": { model: "plain", count: 5000, options: {} },
  "by probes": { model: "in a worker", count: 5000, options: { divergence: "hutchinson", probes: 2 } },
  "of few points": { model: "plain", count: 11, options: {} },
  "of what is told": { model: "told", count: 5000, options: { conditions: { kind: labels(5000) } } },
  "of what is told, guided": { model: "told", count: 50, options: { conditions: { kind: 1 }, guidance: 2 } },
  "by a flow map": { model: "map", count: 50, options: { solver: flowMapSteps({ steps: 2 }) } },
};

test.each(Object.entries(judged))(
  "log-densities %s: parts are the whole",
  async (_, { model: name, count, options }) => {
    const model = models[name] as Model;
    const points = Float64Array.from({ length: 2 * count }, (_, i) => 2 * Math.sin(1.7 * i));
    const asked = { solver: dopri5(), seed: 4, ...options };
    const whole = await model.logDensity(points, asked);
    const { divergence, probes, ...solve } = asked;
    const logDensity = divergence && probes ? { divergence, probes } : true;
    for (const of of [2, 3, 5]) {
      const [values, errors]: [number[], number[]] = [[], []];
      for (const { first, last } of await parts(model, count, of, { ...solve, logDensity })) {
        const part = await logDensityOfRows(model, points, { ...asked, rows: { first, last } });
        values.push(...part.values);
        errors.push(...part.standardError);
      }
      expect(values).toEqual([...whole.values]);
      expect(errors).toEqual([...whole.standardError]);
    }
  },
);

test("progress tells rows of all; what cannot be is refused", async () => {
  const model = models["plain"] as Model;
  const told: (readonly [done: number, count: number])[] = [];
  const rows = { first: 3000, last: 6000 };
  const onProgress = (...now: [done: number, count: number]) => void told.push(now);
  for await (const { count } of sampleChunks(model, { count: 9000, rows, solver: euler({ steps: 1 }), onProgress })) {
    expect(count).toBe(3000);
  }
  expect([told[0], told.at(-1)]).toEqual([
    [3000, 9000],
    [6000, 9000],
  ]);
  expect(() => sampleChunks(model, { count: 9, rows: { first: 3, last: 3 } })).toThrow(
    /rows of sampleChunks.*"3 to 3"/,
  );
  expect(() => sampleChunks(model, { count: 9, rows: { first: 3, last: 10 } })).toThrow(/at least one of 9 rows/);
  await expect(shardRows(model, { count: 3 }, { index: 0, of: 4 })).rejects.toThrow(/at most 3, as many as there are/);
  await expect(shardRows(model, { count: 3 }, { index: 2, of: 2 })).rejects.toThrow(/index of shardRows.*0 to 1/);
  const [points, range] = [[1, 2, 3], { first: 0, last: 1 }];
  await expect(logDensityOfRows(model, points, { rows: range })).rejects.toThrow(/a multiple of 2/);
  await expect(logDensityOfRows(model, [1, 2], { rows: { first: 0, last: 2 } })).rejects.toThrow(/of 1 rows/);
});
