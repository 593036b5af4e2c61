// Letters on the simplex against values computed elsewhere in f64.
import { expect, test } from "vitest";
import { openCase } from "../../../src/engine/cases/open-case.ts";
import { simplexFixtures } from "../../conformance/golden-fixtures.ts";
import { testQuantities } from "../golden-quantities.ts";
import { errorsOnHost } from "../host-case.ts";

// Tables of the factor are cut at 1e-9 of their values, whatever the precision.
testQuantities(simplexFixtures, 3e-9);

test.each(["factor-k4", "path-k4", "classifier-k4", "linear-k4"])("a number that is off in %s is found", (name) => {
  const golden = simplexFixtures.find((each) => each.name === name) as (typeof simplexFixtures)[number];
  for (const quantity of Object.keys(golden.expected)) {
    const spoilt = JSON.parse(JSON.stringify(golden));
    const { data } = spoilt.expected[quantity];
    data[0] = data[0] * 1.001 + 1e-3 * Math.max(...data.map(Math.abs), spoilt.scales?.[quantity] ?? 0);
    const errors = errorsOnHost(openCase(JSON.stringify(spoilt), name), "f64");
    const off = Object.keys(errors).filter((each) => !((errors[each] as number) <= 5e-5));
    expect(off, quantity).toEqual([quantity]);
  }
});
