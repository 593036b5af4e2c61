// Ops made of ops, to second order, against golden values: in f64 by the ops' rules, and in f32 as a device computes.

import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { opCaseGraph } from "../conformance/op-fixture.ts";
import { opFixtures } from "../conformance/op-fixtures.ts";
import { relativeError, valuesOf } from "../flow/evaluate.ts";

test("no golden case is left out", () => {
  expect(opFixtures).toHaveLength(readdirSync(new URL("./golden/", import.meta.url)).length);
});

describe.each(opFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
  const { outputs, expected, states } = opCaseGraph(fixture);
  const names = Object.keys(expected);
  test.each([
    ["f64", 1e-9],
    ["f32", 2e-5],
  ] as const)("in %s, every quantity within %d", (precision, tolerance) => {
    const values = valuesOf(
      names.map((name) => outputs[name]),
      states,
      precision,
    );
    names.forEach((name, i) => {
      expect(outputs[name].shape, name).toEqual(expected[name].shape);
      expect(relativeError(values[i], expected[name].data), name).toBeLessThan(tolerance);
    });
  });
});
