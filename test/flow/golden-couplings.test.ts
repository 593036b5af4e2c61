// Couplings, which the host computes, and the Brownian bridge, against values computed elsewhere in f64.
import { expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { couplingFixtures } from "../conformance/golden-fixtures.ts";
import { testQuantities } from "./golden-quantities.ts";
import { errorsOnHost } from "./host-case.ts";

// Of a plan errors are relative to its largest entry.
testQuantities(couplingFixtures);

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
