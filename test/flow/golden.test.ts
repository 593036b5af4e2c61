// The losses, their parts and both gradients against values from PyTorch's double backward, in f64 and in f32.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseMLPCase } from "../../src/engine/cases/mlp-case.ts";
import { caseErrors, caseGraph, caseInputs } from "../../src/engine/cases/mlp-graph.ts";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { DataError } from "../../src/errors.ts";
import { changed, type Json, numbersIn } from "../json.ts";
import { runGraph } from "./evaluate.ts";

const names = ["cond-ot-silu", "cosine-softplus", "linear-vp-tanh", "poly3-silu", "ve-sin", "vp-gelu"];
const textOf = (name: string) => readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8");

describe.each(names)("golden case %s", (name) => {
  // f64: rounding only. f32: the promise of every backend, 2e-5, is kept by arithmetic whose functions are exact.
  test.each([
    ["f64", 1e-11],
    ["f32", 2e-5],
  ] as const)("every quantity agrees in %s", (precision, tolerance) => {
    const golden = parseMLPCase(JSON.parse(textOf(name)), name);
    const states = new Map<string, ArrayLike<number>>(caseInputs(golden));
    runGraph(caseGraph(golden), states, precision);
    const values = new Map([...states].map(([state, data]) => [state, [Float64Array.from(data)]]));
    const off = Object.entries(caseErrors(golden, values)).filter(([, error]) => !(error <= tolerance));
    expect(off).toEqual([]);
  });
});

describe("a case that is not right", () => {
  const text = textOf("cond-ot-silu");

  test("a wrong value shows as an error of its quantity, and of no other", () => {
    const golden = parseMLPCase(JSON.parse(text), "case");
    const moved = parseMLPCase(
      JSON.parse(
        changed(text, ({ expected }) => {
          numbersIn(expected.jvp)[3] += 0.5;
          numbersIn(expected.sliceWeightGrads[1])[0] += 0.25;
        }),
      ),
      "case",
    );
    const states = new Map<string, ArrayLike<number>>(caseInputs(golden));
    runGraph(caseGraph(golden), states);
    const values = new Map([...states].map(([state, data]) => [state, [Float64Array.from(data)]]));
    const off = Object.entries(caseErrors(moved, values)).filter(([, error]) => !(error <= 1e-9));
    expect(off.map(([quantity]) => quantity)).toEqual(["jvp", "sliceWeightGrads"]);
    expect(off[0][1]).toBeCloseTo(0.5 / Math.max(...moved.expected.jvp.map(Math.abs)), 9);
    expect(caseErrors(golden, new Map(values).set("xt", [values.get("xt")![0].fill(Number.NaN)])).xt).toBeNaN();
    expect(caseErrors(golden, new Map()).xt).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[string, (fields: Json) => unknown]>([
    ["batch", (fields) => delete fields.batch],
    ["batch", (fields) => Object.assign(fields, { batch: 2.5 })],
    ["dimension", (fields) => Object.assign(fields, { dimension: "2" })],
    ["dimension", (fields) => Object.assign(fields, { dimension: 1e9 })],
    ["hidden", (fields) => Object.assign(fields, { hidden: 1e15 })],
    ["weights", (fields) => Object.assign(fields, { hiddenLayers: 1e9 })],
    ["weights[0]", (fields) => Object.assign(fields, { hidden: 9 })],
    ["activation", (fields) => Object.assign(fields, { activation: "constructor" })],
    ["path", (fields) => Object.assign(fields, { path: "toString" })],
    ["detachVelocity", (fields) => Object.assign(fields, { detachVelocity: 1 })],
    ["power", (fields) => Object.assign(fields, { power: 3 })],
    ["divergenceWeight", (fields) => Object.assign(fields, { divergenceWeight: 0 })],
    ["divergenceWeight", (fields) => Object.assign(fields, { divergenceWeight: null })],
    ["weights[1]", (fields) => numbersIn(fields.weights[1]).pop()],
    ["weights[1][2]", (fields) => Object.assign(fields.weights[1], { 2: [1] })],
    ["biases", (fields) => Object.assign(fields, { biases: {} })],
    ["x1", (fields) => numbersIn(fields.x1).push(0)],
    ["x0[4]", (fields) => Object.assign(fields.x0, { 4: 1e39 })],
    ["t[0]", (fields) => Object.assign(fields.t, { 0: 1.5 })],
    ["probe[1]", (fields) => Object.assign(fields.probe, { 1: null })],
    ["expected", (fields) => delete fields.expected],
    ["expected", (fields) => Object.assign(fields, { expected: [1] })],
    ["expected.jvp", (fields) => delete fields.expected.jvp],
    ["expected.cfm", (fields) => Object.assign(fields.expected, { cfm: "1" })],
    ["expected.velocitty", (fields) => Object.assign(fields.expected, { velocitty: [1] })],
    ["expected.biasGrads[2][1]", (fields) => Object.assign(fields.expected.biasGrads[2], { 1: true })],
  ])("%s is named", (field, change) => {
    expect(() => openCase(changed(text, change), "mine.json")).toThrow(DataError);
    expect(() => openCase(changed(text, change), "mine.json")).toThrow(`mine.json: ${field}: got `);
  });

  test.each(["", "{", "[]", "null", "3", '"case"'])("%j is no case", (spoilt) => {
    expect(() => openCase(spoilt, "mine.json")).toThrow(DataError);
    expect(() => openCase(spoilt, "mine.json")).toThrow("mine.json: got ");
  });
});
