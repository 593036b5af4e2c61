/** Chains load what is repeated along middle axes, and parts of wider values, from where these lie. */
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import type { Shape } from "../../src/graph/node.ts";
import { add, multiply, square } from "../../src/ops/arithmetic.ts";
import { groupNorm } from "../../src/ops/normalize.ts";
import { sumAll } from "../../src/ops/reduce.ts";
import { broadcast, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { loadTerms } from "../../src/schedule/copies.ts";
import { drawState, graphOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const x = named("x", 3, 10, 8);
const told = named("told", 3, 6 * 8);
const part = (k: number) => reshape(slice(told, 1, k * 8, (k + 1) * 8), [3, 1, 8]);
const places = named("places", 2, 5, 3, 8);

describe.each(Object.entries(limitsByName))("limits of %s: nothing is copied for", (_name, limits) => {
  test.each([
    ["a scale and a shift for each sample", add(multiply(x, add(part(1), 1)), part(4))],
    ["group norm", groupNorm(x, named("weight", 8), named("bias", 8), { groups: 2 })],
    [
      "places twice as near",
      multiply(reshape(broadcast(reshape(places, [2, 5, 1, 3, 1, 8]), [2, 5, 2, 3, 2, 8]), [2, 10, 6, 8]), 2),
    ],
    ["heads", multiply(transpose(places, [0, 2, 1, 3]), 2)],
  ])("%s", (_what, node) => {
    const graph = graphOf(node, ...gradient(sumAll(square(node)), [x, told]));
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(2e-5);
    const kernels = compile(graphOf(node), limits).calls.map(({ kernel }) => kernel);
    expect(kernels).not.toContain("copy");
  });

  test("but a matrix is transposed before", () => {
    const graph = graphOf(multiply(transpose(named("wide", 12, 20), [1, 0]), 2));
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(1e-6);
    expect(compile(graph, limits).calls.map(({ kernel }) => kernel)).toContain("copy");
  });
});

test("terms of a load: one for each run of axes that does not repeat", () => {
  expect(loadTerms([3, 10, 8], [48, 0, 1])).toEqual([
    { divisor: 1, modulus: 8, stride: 1 },
    { divisor: 80, modulus: 3, stride: 48 },
  ]);
  expect(loadTerms([3, 10, 2, 4], [2, 0, 1, 0])).toEqual([
    { divisor: 4, modulus: 2, stride: 1 },
    { divisor: 80, modulus: 3, stride: 2 },
  ]);
  expect(loadTerms([3, 10, 8], [80, 8, 1])).toEqual([{ divisor: 1, modulus: 240, stride: 1 }]);
  expect(loadTerms([8, 10], [1, 8])).toBeUndefined(); // neighbours do not lie side by side
  expect(loadTerms([2, 2, 2, 2, 2, 2, 2, 2, 3], [48, 0, 24, 0, 12, 0, 6, 0, 1])).toBeUndefined(); // five terms
  expect(loadTerms([2, 3], [0, 0])).toBeUndefined();
});
