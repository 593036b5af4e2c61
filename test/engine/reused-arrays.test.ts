// Arrays that a caller changes after handing them in, and arrays that are handed out: neither changes what was made.
import { expect, test } from "vitest";
import {
  adam,
  arrayData,
  cfm,
  classes,
  condOT,
  createRuntime,
  gaussianMixture,
  mlp,
  type Runtime,
  rings,
  sampleData,
} from "../../src/index.ts";
import { smallOptions } from "./small.ts";
import { remoteEngine } from "./worker.ts";

test("rings and mixtures keep lists of their own", () => {
  const radii = [1, 2];
  const means = [
    [0, 0],
    [1, 1],
  ];
  const variances = [
    [1, 1],
    [2, 2],
  ];
  const weights = [1, 3];
  const made = [rings({ radii }), gaussianMixture({ means, variances, weights })];
  const before = made.map((source) => ({ options: JSON.stringify(source.options), at: source.logDensity?.([1, 0.5]) }));
  radii.push(7);
  radii[0] = 5;
  weights[0] = 9;
  means[0][0] = 9;
  variances[1][1] = 9;
  means.pop();
  const after = made.map((source) => ({ options: JSON.stringify(source.options), at: source.logDensity?.([1, 0.5]) }));
  expect(after).toEqual(before);
  expect(sampleData(made[0], 4, 1)).toEqual(sampleData(rings({ radii: [1, 2] }), 4, 1));
});

test("an MLP keeps its widths", async () => {
  const hidden = [4, 4];
  const network = mlp({ dimension: 2, hidden });
  hidden.push(9);
  const runtime = await createRuntime({ backend: "wasm" });
  const trainer = await runtime.createTrainer({ ...smallOptions(), network, loss: cfm() });
  expect((await trainer.run({ steps: 1 })[Symbol.asyncIterator]().next()).value?.step).toBe(1);
  runtime.dispose();
});

test.each(["on this thread", "in a worker"])("names of columns cannot be changed, %s", async (where) => {
  const runtime: Runtime =
    where === "in a worker" ? (await remoteEngine("wasm")).runtime : await createRuntime({ backend: "wasm" });
  const columns = ["age", "income"];
  const data = arrayData(
    [
      [1, 2],
      [3, 5],
    ],
    undefined,
    { standardize: true, columns },
  );
  const network = mlp({ dimension: 2, hidden: [4] });
  const trainer = await runtime.createTrainer({ network, path: condOT(), loss: cfm(), optimizer: adam(), data });
  const loaded = await runtime.loadModel(await trainer.checkpoint());
  columns[0] = "other";
  for (const model of [trainer.model, loaded]) {
    expect(() => (model.columns as string[]).push("z")).toThrow(TypeError);
    expect(model.columns).toEqual(["age", "income"]);
  }
  runtime.dispose();
});

test("options of a trainer whose network is told something are taken as they are at the call", async () => {
  const runtime = await createRuntime({ backend: "wasm" });
  const points = Array.from({ length: 8 }, (_, i) => [i, i / 2]);
  const data = arrayData(points, undefined, { conditions: { label: Uint32Array.from(points, (_, i) => i % 2) } });
  const validation = [1, 4];
  const earlyStopping = { patience: 3 };
  const options = {
    ...{ ...smallOptions(), data, validation, earlyStopping, seed: 5 },
    network: mlp({ dimension: 2, hidden: [4], conditions: { label: classes(2) } }),
    ema: { decay: 0.9 },
  };
  const making = runtime.createTrainer(options);
  validation.push(0);
  validation[0] = 7;
  earlyStopping.patience = Number.NaN;
  options.ema.decay = Number.NaN;
  options.seed = -1;
  const trainer = await making;
  expect(trainer.heldOutRows).toEqual(Uint32Array.of(1, 4));
  expect((await trainer.run({ steps: 1 })[Symbol.asyncIterator]().next()).value?.step).toBe(1);
  runtime.dispose();
});
