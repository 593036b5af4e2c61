// A user's own network, path, loss and data: the engine trains, samples, judges, saves, loads and resumes with them, in a
// worker as on this thread, bit for bit; files of theirs need no code of theirs.
import { describe, expect, test } from "vitest";
import { defineData } from "../../src/data/define-data.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { defineLoss } from "../../src/flow/losses/define-loss.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { definePath } from "../../src/flow/paths/define-path.ts";
import type { Node } from "../../src/graph/node.ts";
import {
  CheckpointError,
  ConfigError,
  DataError,
  evaluateLosses,
  load,
  type Network,
  type Runtime,
  resume,
  rk4,
  type TrainerOptions,
} from "../../src/index.ts";
import { classes } from "../../src/nn/conditions.ts";
import { defineNetwork } from "../../src/nn/define-network.ts";
import { embeddingLayer, linearLayer, swish } from "../../src/nn/layers.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { residualMlp } from "../../src/nn/residual-mlp.ts";
import { add, cos, multiply, sin, subtract } from "../../src/ops/arithmetic.ts";
import { gather } from "../../src/ops/rows.ts";
import { concat } from "../../src/ops/shape.ts";
import { remoteEngine } from "./worker.ts";

const label = embeddingLayer("label", 4, 8);
const [first, last] = [linearLayer("first", 3, 8), linearLayer("last", 8, 2)];
const own = (): Network =>
  defineNetwork({
    name: "mine",
    sample: [2],
    conditions: { label: classes(3, { drop: 0.2 }) },
    parameters: [label, first, last],
    apply: (inputs, values) => {
      const { x, t, label: labels } = inputs as Record<string, Node>;
      const h = first.apply(values, concat([x as Node, t as Node], 1));
      return last.apply(values, swish(add(h, label.apply(values, labels as Node))));
    },
  });
const path = () =>
  definePath({ name: "mine", alpha: (t) => multiply(t, t), sigma: (t) => subtract(1, multiply(t, 0.9)) });
const loss = () => defineLoss({ name: "mine", build: (context) => fdm({ probe: "gaussian" }).build(context) as never });
const ring = () =>
  defineData({
    name: "ring",
    shape: [2],
    conditions: { label: { shape: [], classes: 3 } },
    draw: ({ rows, random }) => {
      const angle = multiply(random("uniform", [rows, 1]), 2 * Math.PI);
      return {
        points: concat([cos(angle), sin(angle)], 1),
        conditions: { label: random("index", [rows], { bound: 3 }) },
      };
    },
  });

const options = (): TrainerOptions => ({
  network: own(),
  path: path(),
  loss: loss(),
  data: ring(),
  batchSize: 16,
  seed: 3,
});

/** All that a few steps and their model give. */
async function everything(runtime: Runtime, given: TrainerOptions, conditions?: { readonly label: number }) {
  const trainer = await runtime.createTrainer(given);
  const losses: number[] = [];
  for await (const { loss } of trainer.run({ steps: 3, progressEvery: 1 })) losses.push(loss);
  const told = conditions ? { conditions } : {};
  const samples = await trainer.model.sample({ count: 5, solver: rk4({ steps: 4 }), seed: 1, ...told });
  const points = samples.values.slice(0, 2 * given.network.dimension);
  const { values } = await trainer.model.logDensity(points, { solver: rk4({ steps: 4 }), ...told });
  const means = await evaluateLosses(runtime, trainer.model, {
    data: given.data,
    loss: given.loss,
    batches: 2,
    batchSize: 7,
  });
  const bytes = await trainer.checkpoint();
  trainer.dispose();
  return { losses, samples: samples.values, values, means, bytes };
}

describe.each(["reference", "wasm"] as const)("on %s", (backend) => {
  test("a worker gives what this thread gives, with parts of one's own", async () => {
    using local = await createLocalRuntime({ backend });
    using remote = await remoteEngine(backend);
    const here = await everything(local, options(), { label: 1 });
    const there = await everything(remote.runtime, options(), { label: 1 });
    expect(there).toEqual(here);
    expect(here.losses.every(Number.isFinite)).toBe(true);
    expect(new Set(here.losses).size).toBe(3);
  });

  test("so it does with a network that it has no code for, whose file names it", async () => {
    const network = (width = 6) => residualMlp({ dimension: 2, width, depth: 1, frequencies: 3 });
    const data = () =>
      defineData({ name: "noise", shape: [2], draw: ({ rows, random }) => random("normal", [rows, 2]) });
    const given = (): TrainerOptions => ({
      network: network(),
      path: condOT(),
      loss: fdm(),
      data: data(),
      batchSize: 4,
    });
    using local = await createLocalRuntime({ backend });
    using remote = await remoteEngine(backend);
    const here = await everything(local, given());
    const there = await everything(remote.runtime, given());
    expect(there).toEqual(here);
    const text = new TextDecoder().decode(here.bytes);
    expect(text).toContain(String.raw`\"kind\":\"residualMlp\"`);
    expect(text).not.toContain(String.raw`\"op\":\"sin\"`);
    for (const runtime of [local, remote.runtime]) {
      const model = await load(runtime, here.bytes);
      const { values } = await model.sample({ count: 5, solver: rk4({ steps: 4 }), seed: 1 });
      expect(values).toEqual(here.samples);
      await expect(load(runtime, here.bytes, { network: network(5) })).rejects.toThrow(ConfigError);
      expect(await load(runtime, here.bytes, { network: network() })).toBeDefined();
    }
  });

  test("a file alone samples, gives log-densities and goes on", async () => {
    using local = await createLocalRuntime({ backend });
    const whole = await local.createTrainer(options());
    for await (const _ of whole.run({ steps: 6 }));
    const expected = await whole.checkpoint();
    const half = await local.createTrainer(options());
    for await (const _ of half.run({ steps: 3 }));
    const bytes = await half.checkpoint();
    using remote = await remoteEngine(backend);
    for (const runtime of [local, remote.runtime]) {
      const trainer = await resume(runtime, bytes); // of a graph without numbers of its own, the file has all
      for await (const _ of trainer.run({ steps: 3 }));
      expect(await trainer.checkpoint()).toEqual(expected);
      const model = await load(runtime, bytes);
      const told = { conditions: { label: 2 }, solver: rk4({ steps: 4 }) };
      const [mine, theirs] = [half.model, model];
      const samples = await theirs.sample({ count: 4, seed: 9, ...told });
      expect(samples.values).toEqual((await mine.sample({ count: 4, seed: 9, ...told })).values);
      const points = samples.values.slice();
      expect((await theirs.logDensity(points, told)).values).toEqual((await mine.logDensity(points, told)).values);
    }
  });
});

test("a network that nobody defined is a graph too, in a worker", async () => {
  const plain = mlp({ dimension: 2, hidden: [4] });
  const network: Network = {
    ...plain,
    kind: "twice",
    config: {},
    apply: (...given) => multiply(plain.apply(...given), 2),
  };
  const data = () => defineData({ name: "noise", shape: [2], draw: ({ rows, random }) => random("normal", [rows, 2]) });
  const given: TrainerOptions = { network, path: condOT(), loss: fdm(), data: data(), batchSize: 4 };
  using local = await createLocalRuntime({ backend: "reference" });
  using remote = await remoteEngine("reference");
  const here = await everything(local, given);
  const { bytes, ...there } = await everything(remote.runtime, given);
  expect(there).toEqual({ losses: here.losses, samples: here.samples, values: here.values, means: here.means });
  const { values } = await (await load(local, bytes)).sample({ count: 5, solver: rk4({ steps: 4 }), seed: 1 });
  expect(values).toEqual(here.samples);
});

describe("a loss of one's own judges what came from a file", () => {
  const judging = () => ({ data: ring(), loss: loss(), batches: 2, batchSize: 5 });

  test("in a worker as on this thread, whatever the network", async () => {
    using local = await createLocalRuntime({ backend: "reference" });
    using remote = await remoteEngine("reference");
    const label = { label: classes(3) };
    for (const network of [
      own(),
      mlp({ dimension: 2, hidden: [4], conditions: label }),
      residualMlp({ dimension: 2, width: 4, depth: 1, frequencies: 2, conditions: label }),
    ]) {
      const trainer = await local.createTrainer({ ...options(), network });
      for await (const _ of trainer.run({ steps: 2 }));
      const expected = await evaluateLosses(local, trainer.model, judging());
      expect(expected.divergenceLoss).toBeGreaterThan(0);
      const bytes = await trainer.checkpoint();
      for (const model of [await load(remote.runtime, bytes), (await resume(remote.runtime, bytes)).model]) {
        expect(await evaluateLosses(remote.runtime, model, judging())).toEqual(expected);
        expect(await evaluateLosses(remote.runtime, model, judging())).toEqual(expected); // what it asked for is kept
      }
    }
  });

  test("on the path that is asked for, where that is another", async () => {
    using local = await createLocalRuntime({ backend: "reference" });
    using remote = await remoteEngine("reference");
    const [here, there] = await Promise.all([local.createTrainer(options()), remote.runtime.createTrainer(options())]);
    const onOther = { ...judging(), path: condOT() };
    const expected = await evaluateLosses(local, here.model, onOther);
    expect(expected).not.toEqual(await evaluateLosses(local, here.model, judging()));
    expect(await evaluateLosses(remote.runtime, there.model, onOther)).toEqual(expected);
    const loaded = await load(remote.runtime, await there.checkpoint());
    expect(await evaluateLosses(remote.runtime, loaded, onOther)).toEqual(expected);
  });
});

test("data that draw from numbers of their own have to be given again", async () => {
  const numbers = Float32Array.from({ length: 20 }, (_, i) => Math.sin(i * i));
  const data = (values = numbers) =>
    defineData({
      name: "rows",
      shape: [2],
      state: { points: { values, shape: [10, 2] } },
      draw: ({ rows, random, state }) => gather(state("points"), random("index", [rows], { bound: 10 })),
    });
  const given = (): TrainerOptions => ({
    ...{ network: mlp({ dimension: 2, hidden: [4] }), path: condOT(), loss: fdm(), data: data(), batchSize: 4 },
  });
  using local = await createLocalRuntime({ backend: "reference" });
  using remote = await remoteEngine("reference");
  const here = await everything(local, given());
  expect(await everything(remote.runtime, given())).toEqual(here);
  for (const runtime of [local, remote.runtime]) {
    await expect(resume(runtime, here.bytes)).rejects.toThrow(DataError);
    await expect(resume(runtime, here.bytes, { data: data(numbers.map((x) => -x)) })).rejects.toThrow(DataError);
    expect((await resume(runtime, here.bytes, { data: data() })).step).toBe(3);
  }
});

describe("what cannot be", () => {
  test("is said: a loss of one's own beside no network", async () => {
    using remote = await remoteEngine("reference");
    const { network: _, ...rest } = options();
    await expect(remote.runtime.createTrainer(rest as TrainerOptions)).rejects.toThrow(/network.*got "?undefined/);
  });

  test("is said: a graph that was changed in its file", async () => {
    using local = await createLocalRuntime({ backend: "reference" });
    const trainer = await local.createTrainer(options());
    const bytes = await trainer.checkpoint();
    const text = new TextDecoder("latin1").decode(bytes);
    for (const [from, to] of [
      ["silu", "tanh"],
      ["transposeLeft", "transposeLegt"],
      ['perRow\\":1', 'perRow\\":2'],
      ["mine", "mind"],
    ] as const) {
      const at = text.indexOf(from);
      expect(at).toBeGreaterThan(0);
      const damaged = bytes.slice();
      damaged.set(new TextEncoder().encode(to), at);
      await expect(load(local, damaged)).rejects.toThrow(CheckpointError);
    }
  });
});
