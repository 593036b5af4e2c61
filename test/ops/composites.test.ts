// Ops made of ops, to second order, against golden values: in f64 by the ops' rules, and in f32 as a device computes.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { opFixtures } from "../conformance/golden-fixtures.ts";
import { errorsOnHost } from "../flow/host-case.ts";

test("no golden case is left out", () => {
  expect(opFixtures).toHaveLength(readdirSync(new URL("./golden/", import.meta.url)).length);
});

describe.each(opFixtures.map((fixture) => [fixture.name, fixture] as const))("%s", (name, fixture) => {
  const golden = openCase(JSON.stringify(fixture), name);
  test.each([
    ["f64", 1e-9],
    ["f32", 2e-5],
  ] as const)("in %s, every quantity within %d", (precision, tolerance) => {
    const errors = errorsOnHost(golden, precision);
    const { differentiable } = fixture;
    expect(Object.keys(errors)).toEqual([
      ...["output", "jvp"],
      ...["grads", "secondGrads.inputs", "secondGrads.tangents"].flatMap((kind) =>
        differentiable.map((input) => `${kind}.${input}`),
      ),
    ]);
    expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
  });
});
