// Golden cases of quantities alone, each held on the host to values computed elsewhere in f64, of 12 digits.
import { describe, expect, test } from "vitest";
import { openCase } from "../../src/engine/cases/open-case.ts";
import { errorsOnHost } from "./host-case.ts";

interface Golden {
  readonly name: string;
  readonly expected: object;
}

/** A test of each case: all its quantities, in f64 (to `exact`) and with results rounded to f32. */
export function testQuantities(fixtures: readonly Golden[], exact = 1e-10): void {
  describe.each(fixtures.map((golden) => [golden.name, golden] as const))("golden case %s", (name, golden) => {
    test.each([
      ["f64", exact],
      ["f32", 2e-5],
    ] as const)("every quantity agrees in %s", (precision, tolerance) => {
      const errors = errorsOnHost(openCase(JSON.stringify(golden), name), precision);
      expect(Object.keys(errors).sort()).toEqual(Object.keys(golden.expected).sort());
      expect(Object.entries(errors).filter(([, error]) => !(error <= tolerance))).toEqual([]);
    });
  });
}
