// Dynamical systems, which the host solves, and events of their trajectories, against values computed elsewhere in f64.
import { expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { DataError } from "../../src/errors.ts";
import { dynamicsFixtures } from "../conformance/golden-fixtures.ts";
import { changed } from "../json.ts";
import { testQuantities } from "./golden-quantities.ts";
import { errorsOnHost } from "./host-case.ts";

testQuantities(dynamicsFixtures);

test.each(dynamicsFixtures.map((golden) => [golden.name, golden] as const))(
  "a number that is off in %s is found",
  (name, golden) => {
    for (const quantity of Object.keys(golden.expected)) {
      const spoilt = JSON.parse(JSON.stringify(golden));
      const { data } = spoilt.expected[quantity];
      data[0] += 1e-3 * Math.max(...data.map(Math.abs));
      const errors = errorsOnHost(openCase(JSON.stringify(spoilt), name), "f64");
      const off = Object.keys(errors).filter((each) => !(errors[each] <= 5e-5));
      expect(off, quantity).toEqual([quantity]);
    }
  },
);

const textOf = (name: string) => JSON.stringify(dynamicsFixtures.find((each) => each.name === name));

test.each([
  ["lorenz", "beta", "8/0"],
  ["lorenz", "rho", null],
  ["fitzhugh-nagumo", "a", [1]],
  ["double-pendulum", "links", 3],
  ["harmonic-oscillator", "mass", 1],
])("%s refuses %s = %j among its parameters", (name, parameter, value) => {
  const text = changed(textOf(name), ({ attributes }) => Object.assign(attributes.parameters, { [parameter]: value }));
  expect(() => openCase(text, "case.json")).toThrow(DataError);
  expect(() => openCase(text, "case.json")).toThrow(`case.json: attributes.parameters.${parameter}`);
});

test("samples by another factor than the data set's are refused", () => {
  const text = changed(textOf("lorenz"), ({ attributes }) => Object.assign(attributes, { sampleFactor: 0.5 }));
  expect(() => openCase(text, "case.json")).toThrow("case.json: attributes.sampleFactor: got 0.5, expected 0.05");
});

test("parameters of a file's own are those of its derivatives", () => {
  const text = changed(textOf("lorenz"), ({ attributes }) => Object.assign(attributes.parameters, { beta: 3 }));
  expect(errorsOnHost(openCase(text, "case.json"), "f64").derivative).toBeGreaterThan(0.01);
});
