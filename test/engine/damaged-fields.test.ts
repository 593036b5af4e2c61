// What a model file says of a run, field by field: missing, misspelt, out of range, changed by a bit. And files of 0.1.0.
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import * as divflow from "../../src/index.ts";
import { adamW, arrayData, CheckpointError, cosineDecay, ema, load, product, resume, warmUp } from "../../src/index.ts";
import * as networks from "../../src/networks.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { readSafetensors } from "../../src/train/read-safetensors.ts";
import { writeSafetensors } from "../../src/train/safetensors.ts";
import type { Json as Facts } from "../json.ts";
import { toldRun } from "../reliability/header-runs.mjs";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const rows = Array.from({ length: 12 }, (_, i) => [Math.sin(i), 0.1 * i]);
const data = arrayData(rows, undefined, { standardize: true });

let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await withRuntime("reference", async (runtime) => {
    const learningRate = product(1e-2, warmUp({ steps: 3 }), cosineDecay({ steps: 50, final: 0.1 }));
    const trainer = await runtime.createTrainer(
      smallOptions({
        data,
        optimizer: adamW({ learningRate, weightDecay: 0.02 }),
        ema: ema({ decay: 0.5 }),
        maximumGradientNorm: 1,
        jitter: 0.1,
        validation: 3,
        validateEvery: 1,
      }),
    );
    await trainSteps(trainer, 2);
    return trainer.checkpoint();
  });
});

/** The file with other facts, as a program would write it that knows of no checksum; or with other text for them. */
function changed(
  change: (facts: Facts) => unknown,
  text: (json: string) => string = (json) => json,
  whole = bytes,
): Uint8Array {
  const file = readSafetensors(whole);
  const facts = JSON.parse(file.metadata["divflow"] as string);
  change(facts);
  const metadata = { divflow: text(JSON.stringify(facts)) };
  return writeSafetensors({ ...file, metadata } as Parameters<typeof writeSafetensors>[0]);
}

const optimizer = (facts: Facts) => facts.training.optimizer.options;
const cosine = (facts: Facts) => optimizer(facts).learningRate.options.factors[2].options;
const nested = (open: string, within: string, close: string) => open.repeat(20_000) + within + close.repeat(20_000);
const inPlaceOf = (value: string) => (json: string) => json.replace('"here"', () => value);

describe("is a CheckpointError that names the field", () => {
  test.each<[string, RegExp, (facts: Facts) => unknown, ((json: string) => string)?]>([
    [
      "no final rate",
      /learningRate, options, factors, 2, options, final: got "nothing"/,
      (f) => delete cosine(f).final,
    ],
    ["a misspelt final rate", /got "finale"/, (f) => Object.assign(cosine(f), { final: undefined, finale: 0.1 })],
    ["no weightDecay", /optimizer, weightDecay: got "nothing"/, (f) => delete optimizer(f).weightDecay],
    ["no beta1", /optimizer, beta1: got "nothing"/, (f) => delete optimizer(f).beta1],
    ["no learning rate", /learning rate/, (f) => delete optimizer(f).learningRate],
    ["a misspelt beta2", /got "betta2"/, (f) => Object.assign(optimizer(f), { beta2: undefined, betta2: 0.999 })],
    ["a field beside a rate", /got "extra"/, (f) => Object.assign(optimizer(f).learningRate, { extra: 1 })],
    ["no probes", /loss, probes: got "nothing"/, (f) => delete f.training.loss.options.probes],
    ["no sigmaMin", /path, sigmaMin: got "nothing"/, (f) => delete f.path.options.sigmaMin],
    ["no activation", /network, activation: got "nothing"/, (f) => delete f.network.config.activation],
    ["no decay", /decay of ema/, (f) => delete f.training.ema.decay],
    ["no ema", /training, ema: got "nothing"/, (f) => delete f.training.ema],
    ["an average that nobody asked for", /vectors/, (f) => Object.assign(f.training, { ema: null })],
    ["no maximumGradientNorm", /maximumGradientNorm: got "nothing"/, (f) => delete f.training.maximumGradientNorm],
    ["a norm below 0", /maximumGradientNorm: got -1/, (f) => Object.assign(f.training, { maximumGradientNorm: -1 })],
    ["an unknown field of training", /got "learningRate"/, (f) => Object.assign(f.training, { learningRate: 1 })],
    ["jitter beyond any", /jitter: got 11/, (f) => Object.assign(f.training, { jitter: 11 })],
    ["a batch of 2^30", /batchSize: got 1073741824/, (f) => Object.assign(f.training, { batchSize: 2 ** 30 })],
    ["no patience", /validation, patience: got "nothing"/, (f) => delete f.training.validation.patience],
    [
      "more rows held out than there are",
      /heldOut: got 12/,
      (f) => Object.assign(f.training.validation, { heldOut: 12 }),
    ],
    ["no best", /vectors/, (f) => delete f.best],
    ["a best step that is to come", /step of best: got 3/, (f) => Object.assign(f.best, { step: 3 })],
    ["a step of 2^32", /step: got 4294967296/, (f) => Object.assign(f, { step: 2 ** 32 })],
    ["a step of -1", /step: got -1/, (f) => Object.assign(f, { step: -1 })],
    ["a step of 1.5", /step: got 1.5/, (f) => Object.assign(f, { step: 1.5 })],
    ["a step of 1e400", /step: got Infinity/, (f) => Object.assign(f, { step: "here" }), inPlaceOf("1e400")],
    ["a rate of 1e400", /got Infinity/, (f) => Object.assign(cosine(f), { final: "here" }), inPlaceOf("1e400")],
    ["a rate twice", /final.*twice/, (f) => Object.assign(cosine(f), { final: "here" }), inPlaceOf('0.1,"final":0.2')],
    ["nested lists", /256 deep/, (f) => Object.assign(f, { step: "here" }), inPlaceOf(nested("[", "", "]"))],
    [
      "nested rates",
      /256 deep/,
      (f) => Object.assign(optimizer(f), { learningRate: "here" }),
      inPlaceOf(nested('{"name":"product","options":{"factors":[', "", "]}}")),
    ],
    ["another mean", /standardization: got/, (f) => Object.assign(f.standardization, { mean: [0, 0.56] })],
    ["a name with controls", /\\u001b\[2Jx/, (f) => Object.assign(f, { "\u001b[2Jx": 1 })],
  ])("%s", (_name, message, change, text) =>
    withRuntime("reference", async (runtime) => {
      const error = await resume(runtime, changed(change, text), { data }).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(CheckpointError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message.length).toBeLessThanOrEqual(1100);
    }),
  );

  test("nested lists in the header itself", async () => {
    const header = `{"a":${nested("[", "", "]")}}`;
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(new TextEncoder().encode(header), 8);
    await expect(readCheckpoint(file)).rejects.toThrow(CheckpointError);
  });
});

describe("what a file says of the shape and the conditions of a user's points", () => {
  const whole = {
    shape: [1, 2],
    standardize: "channel",
    conditions: {
      kind: { shape: [], classes: 2, names: ["ape", "cat"], fingerprint: "f64:0011223344556677" },
      frames: { shape: [3, 2], fingerprint: "f64:0011223344556677" },
    },
  };
  const withFields = (change: (options: Facts) => unknown) =>
    changed((facts) => {
      const { options } = facts.training.data;
      Object.assign(options, structuredClone(whole));
      change(options);
    });

  test("is kept", async () => {
    const { training } = await readCheckpoint(withFields(() => {}));
    expect(training?.data.options).toMatchObject(whole);
  });

  test.each<[string, RegExp, (options: Facts) => unknown]>([
    ["another product", /shape: got \[2,2\]/, (o) => Object.assign(o, { shape: [2, 2] })],
    ["a shape that is none", /shape: got "2"/, (o) => Object.assign(o, { shape: "2" })],
    ["an unknown mode", /standardize of data: got "row"/, (o) => Object.assign(o, { standardize: "row" })],
    ["no standardisation beside one", /standardization/, (o) => Object.assign(o, { standardize: false })],
    ["conditions that are a list", /conditions/, (o) => Object.assign(o, { conditions: [1] })],
    ["no fingerprint", /kind, fingerprint: got "nothing"/, (o) => delete o.conditions.kind.fingerprint],
    ["no shape", /frames, shape: got "nothing"/, (o) => delete o.conditions.frames.shape],
    ["a size of 0", /frames, shape: got \[3,0\]/, (o) => Object.assign(o.conditions.frames, { shape: [3, 0] })],
    ["no classes", /kind, names/, (o) => delete o.conditions.kind.classes],
    ["a name too few", /kind, names/, (o) => Object.assign(o.conditions.kind, { names: ["ape"] })],
    ["a label of a shape", /kind, shape/, (o) => Object.assign(o.conditions.kind, { shape: [2] })],
    ["an unknown field", /got "class"/, (o) => Object.assign(o.conditions.kind, { class: 1 })],
  ])("and refused with %s", async (_name, message, change) => {
    await expect(readCheckpoint(withFields(change))).rejects.toThrow(CheckpointError);
    await expect(readCheckpoint(withFields(change))).rejects.toThrow(message);
  });
});

describe("what a file says of what its model is told, and of the shape of samples, is what the data say", () => {
  const run = toldRun(divflow, networks);
  let told: Uint8Array;
  beforeAll(async () => {
    told = await withRuntime("reference", async (runtime) => (await runtime.createTrainer(run)).checkpoint());
  });

  test.each<[string, RegExp, (facts: Facts) => unknown]>([
    ["as it is", /^$/, () => {}],
    [
      "labels by other names",
      /kind, names: got \["ape","wolf","cat"\], expected \["ape","cat","wolf"\], as the data have/,
      (f) => Object.assign(f.conditions.kind, { names: ["ape", "wolf", "cat"] }),
    ],
    ["labels without names", /kind, names: got "none"/, (f) => delete f.conditions.kind.names],
    ["numbers in other units", /frames, standardization: got/, (f) => delete f.conditions.frames.standardization],
    [
      "numbers about another mean",
      /frames, standardization: got/,
      (f) => Object.assign(f.conditions.frames.standardization, { mean: [0, 0] }),
    ],
    ["samples of another shape", /shape: got \[2,3\], expected \[3,2\]/, (f) => Object.assign(f, { shape: [2, 3] })],
    ["samples of no shape", /shape: got \[6\], expected \[3,2\]/, (f) => delete f.shape],
  ])("%s", (_name, message, change) =>
    withRuntime("reference", async (runtime) => {
      const damaged = changed(change, undefined, told);
      const error = await resume(runtime, damaged, { data: run.data }).then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (error !== undefined) expect(error).toBeInstanceOf(CheckpointError);
      expect(error === undefined ? "" : (error as Error).message).toMatch(message);
    }),
  );
});

test("a bit that is flipped anywhere in what the file says is seen, also where it makes a digit another", async () => {
  const text = new TextDecoder("latin1").decode(bytes);
  const [start, end] = [text.indexOf('\\"training\\"'), text.indexOf('"divflow.checksum"')];
  expect(end - start).toBeGreaterThan(500);
  let digits = 0;
  for (let at = start; at < end; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    if (/\d/.test(text[at]!)) digits++;
    await expect(readCheckpoint(damaged)).rejects.toThrow(CheckpointError);
  }
  expect(digits).toBeGreaterThan(50);
});

describe("files of version 0.1.0", () => {
  const fixture = async (name: string) =>
    new Uint8Array(await readFile(new URL(`../checkpoints/0.1.0/${name}.safetensors`, import.meta.url)));
  const points = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i) + 0.1 * i);

  // What that version's own trainer reports of the next three steps, on the reference backend.
  test.each([
    ["mixture", {}, 4, [1.259192430567763, 1.7026858155079805, 3.0626576184862357]],
    [
      "points",
      { data: arrayData(points, [12, 2], { standardize: true }) },
      3,
      [2.499981960741973, 1.9163005524285133, 1.8145556902476592],
    ],
  ] as const)("%s: training goes on as it would have", (name, options, step, losses) =>
    withRuntime("reference", async (runtime) => {
      const trainer = await resume(runtime, await fixture(name), options);
      expect(trainer.step).toBe(step);
      expect((await trainSteps(trainer, 3)).map(({ loss }) => loss)).toEqual(losses);
      expect((await load(runtime, await fixture(name))).step).toBe(step);
    }),
  );
});
