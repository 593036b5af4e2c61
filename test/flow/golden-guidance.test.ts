// Guidance, and the known fields of mixtures, against values computed elsewhere in f64; in f32 to what each backend keeps.
import { describe, expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { guidanceFixtures } from "../conformance/golden-fixtures.ts";
import { errorsOnHost } from "./host-case.ts";

// The goldens have 12 digits.
describe.each(guidanceFixtures.map((golden) => [golden.name, golden] as const))("golden case %s", (name, golden) => {
  test.each([
    ["f64", 1e-10],
    ["f32", 2e-5],
  ] as const)("every quantity agrees in %s", (precision, tolerance) => {
    const errors = errorsOnHost(openCase(JSON.stringify(golden), name), precision);
    expect(Object.keys(errors).sort()).toEqual(Object.keys(golden.expected).sort());
    expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
  });
});
