/** A step of convolutions with tangents is planned as one of layers is: stacked, followed in their calls, without copies. */
import { expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { conv1d, conv2d } from "../../src/ops/convolve.ts";
import { meanAll } from "../../src/ops/reduce.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { drawState, graphOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const LAYERS = 3;
const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });

/** Gradients of what squares of the last layer and of its tangent come to. */
function step(sample: Shape, weight: Shape, layer: (x: Node, w: Node, b: Node) => Node) {
  const [x, z] = [named("x", ...sample), named("z", ...sample)];
  const parameters = [...Array(LAYERS).keys()].flatMap((i) => [named(`w${i}`, ...weight), named(`b${i}`, 8)]);
  let y: Node = x;
  for (let i = 0; i < LAYERS; i++) {
    const before = i > 0 ? activation([y], { kind: "silu", order: 0 }) : y;
    y = layer(before, parameters[2 * i] as Node, parameters[2 * i + 1] as Node);
  }
  const [tangent] = jvp([y], [x], [z]) as [Node];
  const loss = add(meanAll(multiply(y, y)), meanAll(multiply(tangent, add(tangent, y))));
  return graphOf(...vjp([loss], [named("one")], parameters));
}

const graphs = {
  sequences: step([2, 6, 8], [3, 8, 8], (x, w, b) => conv1d(x, w, b, { padding: 1 })),
  images: step([2, 4, 3, 8], [3, 3, 8, 8], (x, w, b) => conv2d(x, w, b, { padding: 1 })),
};

for (const name of ["webgpu", "wasm"]) {
  const limits = limitsByName[name] as PlanLimits;
  test.each(Object.entries(graphs))(`limits of ${name}: %s`, (_, graph) => {
    const { calls } = compile(graph, limits);
    const products = calls.filter(({ kernel }) => kernel === "convolve");
    expect(products.length).toBe(LAYERS + (LAYERS - 1) + LAYERS);
    expect(calls.filter(({ kernel }) => kernel === "copy")).toEqual([]);
    const weights = products.filter(({ parameters }) => parameters["transposeLeft"]);
    const primals = graph === graphs.images ? 2 * 4 * 3 : 2 * 6;
    expect(weights.map(({ parameters }) => parameters["sumsDepth"])).toEqual(Array(LAYERS).fill(primals));
    for (const { parameters, chain } of products) {
      if (!parameters["transposeLeft"]) expect([chain !== undefined, parameters["groups"]]).toEqual([true, 2]);
    }
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(2e-5);
  });
}
