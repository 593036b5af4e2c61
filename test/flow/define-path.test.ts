// Paths of a user's own: what their graphs compute is what their functions say, bit for bit, also when they come of
// plain JSON; what is wrong is refused.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import { definePath } from "../../src/flow/paths/define-path.ts";
import { graphPath } from "../../src/flow/paths/graph-path.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import type { Node } from "../../src/graph/node.ts";
import { add, multiply, sqrt, subtract } from "../../src/ops/arithmetic.ts";
import { constant, table } from "../../src/ops/sources.ts";
import { valuesOf } from "./evaluate.ts";

const through = (given: unknown) => JSON.parse(JSON.stringify(given));

describe("definePath", () => {
  const paths: readonly (readonly [string, PathScheduler])[] = [
    ["cond-ot", condOT({ sigmaMin: 0.1 })],
    ["vp", vp()],
    ["cosine", cosine()],
    ["polynomial", polynomial({ degree: 3 })],
  ];

  test.each(paths)("of the functions of %s is that path", (name, path) => {
    const ours = definePath({
      name,
      alpha: (t) => path.at(t).alpha,
      sigma: (t) => path.at(t).sigma,
      alphaRate: (t) => path.at(t).alphaRate,
      sigmaRate: (t) => path.at(t).sigmaRate,
      priorDeviation: path.priorDeviation,
    });
    expect(ours.priorDeviation).toBe(path.priorDeviation);
    expect(ours.dilationVanishes).toBe(path.dilationVanishes);
    for (const rows of [1, 7]) {
      const t = table(
        Array.from({ length: rows }, (_, i) => (i + 0.5) / rows),
        [rows, 1],
      );
      const both = [path, ours, graphPath(through(ours.options))].map((each) => {
        const { alpha, sigma, alphaRate, sigmaRate } = each.at(t);
        return valuesOf([alpha, sigma, alphaRate, sigmaRate]);
      });
      expect(both[1]).toEqual(both[0]);
      expect(both[2]).toEqual(both[0]);
    }
  });

  test("takes rates by forward mode, and the prior's deviation from sigma(0)", () => {
    const path = definePath({ name: "mine", alpha: (t) => multiply(t, t), sigma: (t) => subtract(2, multiply(t, 2)) });
    expect(path.priorDeviation).toBe(2);
    expect(path.dilationVanishes).toBe(false);
    const { alphaRate, sigmaRate } = path.at(table([0.25, 0.5], [2, 1]));
    expect(valuesOf([alphaRate, sigmaRate]).map((values) => Array.from(values))).toEqual([
      [0.5, 1],
      [-2, -2],
    ]);
    const still = definePath({ name: "still", alpha: (t) => t, sigma: () => constant(0.5) });
    expect(still.priorDeviation).toBe(0.5);
    expect(still.dilationVanishes).toBe(true);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a wrong rate", { alphaRate: (t: Node) => multiply(t, 3) }, /alphaRate of path "mine" at t = 0.0.*the derivative/],
    ["a sigma that ends too soon", { sigma: (t: Node) => subtract(0.5, t) }, /sigma of path "mine" at t = 0.5/],
    ["a value that is none", { alpha: (t: Node) => sqrt(subtract(t, 0.5)) }, /alpha of path "mine" at t = 0/],
    ["another shape", { alpha: () => table([1, 2], [2]) }, /alpha of path "mine".*\[B, 1\]/],
    ["no function", { sigma: 1 }, /sigma of path "mine"/],
    ["no name", { name: "" }, /name of definePath/],
    ["another option", { beta: 1 }, /beta/],
  ])("refuses %s", (_, change, message) => {
    const definition = {
      name: "mine",
      alpha: (t: Node) => multiply(t, t),
      sigma: (t: Node) => subtract(1, t),
      ...change,
    };
    expect(() => definePath(definition)).toThrow(message);
    expect(() => definePath(definition)).toThrow(ConfigError);
  });

  test("finds a dilation that vanishes", () => {
    const bump = (t: Node) => add(1, multiply(multiply(t, subtract(0.5, t)), 1));
    expect(definePath({ name: "mine", alpha: (t) => t, sigma: bump }).dilationVanishes).toBe(true);
  });
});
