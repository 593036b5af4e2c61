// Case files of every kind as users meet them: attributes in all their forms, what is unknown, what is damaged.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { verifyCase, verifyTolerances } from "../../src/engine/verify.ts";
import { DataError, DivflowError, UnsupportedError } from "../../src/errors.ts";
import { couplingFixtures, guidanceFixtures, opFixtures, simplexFixtures } from "../conformance/golden-fixtures.ts";
import { errorsOnHost } from "../flow/host-case.ts";
import { changed, type Json, numbersIn } from "../json.ts";
import { damagedCase } from "./damage-case.ts";
import { remoteEngine } from "./worker.ts";

const networkText = (name: string) => readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8");
const opText = (name: string) => JSON.stringify(opFixtures.find((each) => each.name === name));
const guidanceText = (name: string) => JSON.stringify(guidanceFixtures.find((each) => each.name === name));
const couplingText = (name: string) => JSON.stringify(couplingFixtures.find((each) => each.name === name));
const simplexText = (name: string) => JSON.stringify(simplexFixtures.find((each) => each.name === name));

test.each([
  ["an op", opText("conv1d-k3-stride2")],
  ["labels", opText("cross-entropy-none")],
  ["a network", networkText("cnn-classes")],
  ["a solve, whose step is repeated", guidanceText("log-likelihood")],
  ["what the host computes", couplingText("sinkhorn-16")],
  ["what is looked up in tables", simplexText("classifier-k4")],
])("where the engine is in a worker, %s gives the same bits: its graphs cross as plain data", async (_, text) => {
  using remote = await remoteEngine("wasm");
  using local = await createLocalRuntime({ backend: "wasm" });
  const errors = await remote.runtime.verifyCase(text, "mine.json");
  expect(errors).toEqual(await verifyCase(local, text));
  expect(Object.values(errors).every((error) => error <= verifyTolerances.wasm)).toBe(true);
});

describe("what files may leave out", () => {
  const agree = (text: string) => {
    const off = Object.entries(errorsOnHost(openCase(text, "case"), "f64")).filter(([, error]) => !(error <= 1e-8));
    expect(off).toEqual([]);
  };

  test("strides and paddings of convolutions that are 1 and 0, scales, information", () => {
    agree(
      changed(opText("conv2d-k1"), (fields) => {
        Object.assign(fields, { attributes: {}, information: { made: "elsewhere" } });
        delete fields.name;
      }),
    );
  });

  test("some of what is differentiable", () => {
    agree(
      changed(opText("conv1d-k3"), (fields) => {
        Object.assign(fields, { differentiable: ["weight"] });
        for (const part of [fields.tangents, fields.grads, fields.secondGrads.inputs, fields.secondGrads.tangents]) {
          delete part.x;
          delete part.bias;
        }
        // Of one tangent alone these are others: what is left is what does not follow from the others.
        const { jvp, secondGrads, tangents } = fields;
        for (const { data } of [jvp, secondGrads.inputs.weight, tangents.weight]) numbersIn(data).fill(0);
      }),
    );
  });

  test("classes and conditions where there are none", () => {
    const without = changed(networkText("cnn"), ({ config }) => {
      delete config.classes;
      delete config.fourierScale;
    });
    expect(() => openCase(without, "case")).not.toThrow();
    const unconditioned = changed(networkText("unet1d"), ({ config }) => {
      delete config.conditionSteps;
      delete config.conditionDivisor;
    });
    expect(() => openCase(unconditioned, "case")).not.toThrow();
  });
});

test("errors are relative to the file's scale, where it has one, else to what is largest", () => {
  const text = changed(opText("film"), (fields) => {
    for (const { data } of [fields.output, fields.jvp]) numbersIn(data)[0] += 0.5;
    Object.assign(fields, { scales: { output: 4 } });
  });
  const errors = errorsOnHost(openCase(text, "case"), "f64");
  expect(errors["output"]).toBeCloseTo(0.125, 9);
  const largest = Math.max(...JSON.parse(text).jvp.data.map(Math.abs));
  expect(errors["jvp"]).toBeCloseTo(0.5 / largest, 9);
});

describe("is refused with what is known", () => {
  test.each<[string, string, RegExp]>([
    ["a kind of a later version", '{"kind": "heat-kernel"}', /mine: kind: got "heat-kernel".* op, network/],
    [
      "another",
      '{"kind": "event-guidanec"}',
      /this version of divflow knows: op, network, .*, or none.*Did you mean event-guidance/,
    ],
    ["a name of every object", '{"kind": "constructor"}', /mine: kind: got "constructor"/],
    ["a kind that is no text", '{"kind": 3}', /mine: kind: got "?3/],
    ["an unknown op", changed(opText("film"), (f) => Object.assign(f, { op: "conv3d" })), /knows: conv1d, conv2d/],
    ["an unknown network", changed(networkText("cnn"), (f) => Object.assign(f, { network: "vit" })), /knows: unet1d,/],
  ])("%s", (_, text, message) => {
    expect(() => openCase(text, "mine")).toThrow(UnsupportedError);
    expect(() => openCase(text, "mine")).toThrow(message);
  });

  test.each<[string, string, (fields: Json) => unknown]>([
    ["attributes.dilations", opText("conv1d-k3"), (f) => Object.assign(f.attributes, { dilations: 2 })],
    ["attributes.stride", opText("conv1d-k3"), (f) => Object.assign(f.attributes, { stride: 0 })],
    ["window of conv1d", opText("conv1d-k3"), (f) => Object.assign(f.attributes, { dilation: 100 })],
    ["cotangent.shape", opText("conv1d-k3"), (f) => Object.assign(f.attributes, { padding: 2 })],
    ["inputs of conv1d", opText("conv1d-k3"), (f) => Object.assign(f.inputs.x, { shape: [2, 21] })],
    ["inputs.weight", opText("conv1d-k3"), (f) => delete f.inputs.weight],
    ["inputs.wieght", opText("conv1d-k3"), (f) => Object.assign(f.inputs, { wieght: f.inputs.weight })],
    ["differentiable", opText("conv1d-k2"), (f) => Object.assign(f.differentiable, { 2: "bias" })],
    ["differentiable", opText("film"), (f) => Object.assign(f, { differentiable: [] })],
    [
      "attributes.order",
      opText("space-from-channels-factor-major"),
      (f) => Object.assign(f.attributes, { order: "major" }),
    ],
    ["attributes.scale", opText("attention"), (f) => Object.assign(f.attributes, { scale: 1 })],
    ["attributes.axis", opText("softmax"), (f) => Object.assign(f.attributes, { axis: 0 })],
    ["attributes.reduction", opText("cross-entropy-mean"), (f) => Object.assign(f.attributes, { reduction: "sum" })],
    ["attributes.approximation", opText("gelu-tanh"), (f) => delete f.attributes.approximation],
    ["attributes.count", opText("time-embedding"), (f) => Object.assign(f.attributes, { count: 127 })],
    [
      "attributes.maximumFrequency",
      opText("time-embedding"),
      (f) => Object.assign(f.attributes, { maximumFrequency: 3 }),
    ],
    ["groups of groupNorm", opText("group-norm"), (f) => Object.assign(f.attributes, { groups: 3 })],
    ["attributes.labels", opText("cross-entropy-mean"), (f) => Object.assign(f.inputs.labels.data, { 1: 5 })],
    ["attributes.indices", opText("embedding"), (f) => Object.assign(f.inputs.indices.data, { 1: 1e9 })],
    ["inputs.labels.dtype", opText("cross-entropy-mean"), (f) => delete f.inputs.labels.dtype],
    ["scales.outptu", opText("film"), (f) => Object.assign(f, { scales: { outptu: 1 } })],
    ["grads.h.data[3]", opText("film"), (f) => Object.assign(f.grads.h.data, { 3: null })],
    ["config.hieght", networkText("unet2d"), (f) => Object.assign(f.config, { hieght: 6 })],
    ["config.groups", networkText("unet2d"), (f) => delete f.config.groups],
    ["attentionAt of unet2d", networkText("unet2d"), (f) => Object.assign(f.config, { attentionAt: [0] })],
    ["blocks of unet1d", networkText("unet1d"), (f) => numbersIn(f.config.subBlocks).pop()],
    ["length in sample of unet1d", networkText("unet1d"), (f) => Object.assign(f.config, { length: 18 })],
    ["depth of transformer", networkText("transformer"), (f) => Object.assign(f.config.depth, { out: 2 })],
    ["width of transformer", networkText("transformer"), (f) => Object.assign(f.config, { heads: 3 })],
    ["height in sample of sit", networkText("sit"), (f) => Object.assign(f.config, { patch: 4 })],
    ["stacks of cnn", networkText("cnn"), (f) => Object.assign(f.config, { stacks: 1e9 })],
    [
      "inputs.label",
      networkText("cnn"),
      (f) => Object.assign(f.inputs, { label: { shape: [2], data: [0, 1], dtype: "u32" } }),
    ],
    ["inputs.label", networkText("cnn-classes"), (f) => delete f.inputs.label],
    ["inputs.label", networkText("cnn-classes"), (f) => Object.assign(f.inputs.label.data, { 0: 3 })],
    ["inputs.t.data[0]", networkText("cnn"), (f) => Object.assign(f.inputs.t.data, { 0: 1 })],
    ["inputs.x1.shape", networkText("cnn"), (f) => numbersIn(f.inputs.x1.shape).reverse()],
    ["loss.weight", networkText("cnn"), (f) => Object.assign(f.loss, { weight: "none" })],
    ["parameters", networkText("cnn"), (f) => numbersIn(f.parameters).pop()],
    ["buffers", networkText("cnn"), (f) => numbersIn(f.buffers).pop()],
    [
      "weights.time.frequencies",
      networkText("unet2d"),
      (f) => Object.assign(f.weights["time.frequencies"], { base64: "AAAAAAAAAAAAAAAAAAAAAA==" }),
    ],
    ['tensor "output2.bias"', networkText("cnn"), (f) => delete f.weights["output2.bias"]],
    [
      "weights.output2.bias.base64",
      networkText("cnn"),
      (f) => Object.assign(f.weights["output2.bias"], { base64: "AAAA" }),
    ],
    [
      "weights.output2.bias.base64",
      networkText("cnn"),
      (f) => Object.assign(f.weights["output2.bias"], { base64: "?" }),
    ],
    [
      "expected.velocity",
      networkText("cnn"),
      (f) => Object.assign(f.expected, { velocity: { shape: [1], data: [0] } }),
    ],
    [
      "expected.gradNorms",
      networkText("cnn"),
      (f) => Object.assign(f.expected, { gradNorms: { shape: [1], data: [0] } }),
    ],
    ["expected.velocitty", networkText("cnn"), (f) => Object.assign(f.expected, { velocitty: f.expected.velocity })],
    ["grads.input.bias", networkText("cnn"), (f) => Object.assign(f.grads["input.bias"], { shape: [1, 16] })],
    ["attributes.path", guidanceText("event"), (f) => Object.assign(f.attributes, { path: "vee" })],
    ["attributes.sigmaMinimum", guidanceText("mixture-ve"), (f) => delete f.attributes.sigmaMinimum],
    [
      "attributes.sigmaMinimum",
      guidanceText("mixture-cond-ot"),
      (f) => Object.assign(f.attributes, { sigmaMinimum: 0.01 }),
    ],
    ["attributes.path", guidanceText("log-likelihood"), (f) => Object.assign(f.attributes, { path: "vp" })],
    ["attributes.label", guidanceText("classifier-ve"), (f) => Object.assign(f.attributes, { label: 2 })],
    ["attributes.form", guidanceText("classifier-free"), (f) => Object.assign(f.attributes, { form: "w v" })],
    ["attributes.rule", guidanceText("total-variation"), (f) => Object.assign(f.attributes, { rule: "trapezoid" })],
    ["attributes.gridPoints", guidanceText("total-variation"), (f) => Object.assign(f.attributes, { gridPoints: 1e4 })],
    ["inputs.weights.data[1]", guidanceText("event"), (f) => Object.assign(f.inputs.weights.data, { 1: 0 })],
    ["inputs.variances.shape", guidanceText("event"), (f) => numbersIn(f.inputs.variances.shape).reverse().push(1)],
    ["inputs.means.shape", guidanceText("total-variation"), (f) => Object.assign(f.inputs.means, { shape: [4, 1] })],
    ["inputs.x.shape", guidanceText("event"), (f) => numbersIn(f.inputs.x.shape).reverse()],
    ["inputs.t.data[2]", guidanceText("event"), (f) => Object.assign(f.inputs.t.data, { 2: 1.5 })],
    [
      "inputs.strengths.shape",
      guidanceText("classifier-free"),
      (f) => Object.assign(f.inputs.strengths, { shape: [4, 1] }),
    ],
    ["attributes.cost", couplingText("assignment-8"), (f) => Object.assign(f.attributes, { cost: "distance" })],
    ["attributes.n", couplingText("assignment-8"), (f) => Object.assign(f.attributes, { n: 9 })],
    ["inputs.x1.shape", couplingText("assignment-8"), (f) => numbersIn(f.inputs.x1.shape).reverse()],
    ["expected.permutation.dtype", couplingText("assignment-8"), (f) => delete f.expected.permutation.dtype],
    ["expected.plan.shape", couplingText("sinkhorn-8"), (f) => Object.assign(f.expected.plan, { shape: [64] })],
    ["expected.plna", couplingText("sinkhorn-8"), (f) => Object.assign(f.expected, { plna: f.expected.plan })],
    ["expected", couplingText("sinkhorn-8"), (f) => Object.assign(f, { expected: {} })],
    [
      "attributes.regularisation",
      couplingText("sinkhorn-8"),
      (f) => Object.assign(f.attributes, { regularisation: 0 }),
    ],
    ["attributes.marginals", couplingText("sinkhorn-8"), (f) => Object.assign(f.attributes, { marginals: "given" })],
    ["attributes.sigma", couplingText("brownian-bridge-1"), (f) => Object.assign(f.attributes, { sigma: 0 })],
    ["attributes.D", couplingText("brownian-bridge-1"), (f) => Object.assign(f.attributes, { D: 2 })],
    ["inputs.t.data[2]", couplingText("brownian-bridge-1"), (f) => Object.assign(f.inputs.t.data, { 2: 1 })],
    ["attributes.K", simplexText("factor-k4"), (f) => Object.assign(f.attributes, { K: 257 })],
    ["attributes.L", simplexText("path-k40"), (f) => Object.assign(f.attributes, { L: 1 })],
    ["inputs.x.shape", simplexText("path-k4"), (f) => Object.assign(f.attributes, { K: 5 })],
    ["inputs.x.data[3]", simplexText("factor-k4"), (f) => Object.assign(f.inputs.x.data, { 3: -1e-9 })],
    ["inputs.a.data[1]", simplexText("path-k4"), (f) => Object.assign(f.inputs.a.data, { 1: 0.99 })],
    ["inputs.labels.data[2]", simplexText("classifier-k4"), (f) => Object.assign(f.inputs.labels.data, { 2: 4 })],
    ["inputs.labels.dtype", simplexText("linear-k4"), (f) => delete f.inputs.labels.dtype],
    ["inputs.t.data[0]", simplexText("linear-k4"), (f) => Object.assign(f.inputs.t.data, { 0: 1 })],
    ["expected.C.shape", simplexText("factor-k4"), (f) => Object.assign(f.expected.C, { shape: [105, 1] })],
    ["inputs.threshold", guidanceText("event"), (f) => delete f.inputs.threshold],
    ["expected.std.shape", guidanceText("event"), (f) => Object.assign(f.expected.std, { shape: [7, 1] })],
    ["expected.sdt", guidanceText("event"), (f) => Object.assign(f.expected, { sdt: f.expected.std })],
    ["expected", guidanceText("event"), (f) => Object.assign(f, { expected: {} })],
    ["grads.inputbias", networkText("cnn"), (f) => Object.assign(f.grads, { inputbias: f.grads["input.bias"] })],
  ])("%s", (field, text, change) => {
    expect(() => openCase(changed(text, change), "mine")).toThrow(DataError);
    expect(() => openCase(changed(text, change), "mine")).toThrow(`mine: ${field}`);
  });
});

// From a seed each, which repeats one alone; ops: a network's graph takes too long to try so often.
test("no damaged file crashes, and none agrees", () => {
  // Attention to a single place does not depend on queries and keys.
  const texts = opFixtures.filter(({ name }) => name !== "attention-one").map((fixture) => JSON.stringify(fixture));
  const outcomes = { refused: 0, off: 0 };
  for (let seed = 1; seed <= 600; seed++) {
    const { text, what } = damagedCase(texts, seed);
    try {
      const errors = Object.values(errorsOnHost(openCase(text, `seed ${seed}`), "f64"));
      expect(
        errors.every((error) => error <= 1e-8),
        `seed ${seed}, ${what} agrees`,
      ).toBe(false);
      outcomes.off++;
    } catch (error) {
      if (!(error instanceof DivflowError)) throw new Error(`seed ${seed}, ${what}`, { cause: error });
      expect(error.message).toMatch(new RegExp(`^seed ${seed}`));
      expect(error.message.length).toBeLessThan(1200);
      outcomes.refused++;
    }
  }
  expect(outcomes.refused).toBeGreaterThan(200);
  expect(outcomes.off).toBeGreaterThan(50);
});

test("no damaged file of a network opens otherwise than it says", () => {
  const texts = ["unet1d-conditioned", "cnn-classes", "transformer", "unet2d-classes", "sit"].map(networkText);
  let refused = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const { text, what } = damagedCase(texts, seed);
    try {
      openCase(text, `seed ${seed}`);
    } catch (error) {
      if (!(error instanceof DivflowError)) throw new Error(`seed ${seed}, ${what}`, { cause: error });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(40);
});
