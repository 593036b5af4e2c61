// Couplings, which the host computes, and the Brownian bridge, against values computed elsewhere in f64.
import { describe, expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { couplingFixtures } from "../conformance/golden-fixtures.ts";
import { errorsOnHost } from "./host-case.ts";

// The goldens have 12 digits; of a plan, whose largest entry is what errors are relative to, some fewer.
describe.each(couplingFixtures.map((golden) => [golden.name, golden] as const))("golden case %s", (name, golden) => {
  test.each([
    ["f64", 1e-10],
    ["f32", 2e-5],
  ] as const)("every quantity agrees in %s", (precision, tolerance) => {
    const errors = errorsOnHost(openCase(JSON.stringify(golden), name), precision);
    expect(Object.keys(errors).sort()).toEqual(Object.keys(golden.expected).sort());
    expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
  });
});

test.each(["assignment-8", "sinkhorn-8", "brownian-bridge-1"])("a number that is off in %s is found", (name) => {
  const golden = couplingFixtures.find((each) => each.name === name) as (typeof couplingFixtures)[number];
  for (const quantity of Object.keys(golden.expected)) {
    const spoilt = JSON.parse(JSON.stringify(golden));
    const { data } = spoilt.expected[quantity];
    if (spoilt.expected[quantity].dtype === "u32") [data[0], data[1]] = [data[1], data[0]];
    else data[0] = data[0] * 1.001 + 1e-3 * Math.max(...data.map(Math.abs));
    const errors = errorsOnHost(openCase(JSON.stringify(spoilt), name), "f64");
    const off = Object.keys(errors).filter((each) => !(errors[each] <= 5e-5));
    expect(off, quantity).toEqual([quantity]);
  }
});
