/** What no chain reads is moved by as few calls as may be: each takes four axes. */
import { describe, expect, test } from "vitest";
import { sizeOf } from "../../src/graph/node.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { enlargeTwice } from "../../src/ops/resample.ts";
import { reshape, transpose } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { drawState, graphOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const picture = state({ name: "picture", shape: [4, 5, 6, 8], dtype: "f32" });
const many = state({ name: "many", shape: [3, 2, 4, 5, 2, 3], dtype: "f32" });

describe.each(Object.entries(limitsByName))("limits of %s", (_name, limits) => {
  test.each([
    ["pixels, each twice along both axes, axes of 20, 2, 6, 2 and 8", enlargeTwice(picture), 2],
    ["six axes the other way round", transpose(many, [5, 4, 3, 2, 1, 0]), 4],
  ])("%s: a call for each index of the shortest beyond four", (_what, moved, calls) => {
    const width = moved.shape.at(-1) as number;
    const rows = reshape(moved, [sizeOf(moved.shape) / width, width]);
    const graph = graphOf(matmul(rows, state({ name: "w", shape: [width, 3], dtype: "f32" })));
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(1e-5);
    expect(compile(graph, limits).calls.filter(({ kernel }) => kernel === "copy").length).toBe(calls);
  });
});
