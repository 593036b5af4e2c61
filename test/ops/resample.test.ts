// Halved and doubled pictures against their definition, to second order: both are linear, so their tangents are themselves.
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { enlargeTwice, shrinkTwice } from "../../src/ops/resample.ts";
import { table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { relativeError } from "../differences.ts";

const drawn = (shape: Shape, stream: number) => table([...new HostRandom(2).normal(sizeOf(shape), stream)], shape);
const values = (nodes: readonly Node[]) => evaluate(nodes).map(({ data }) => Float64Array.from(data));

/** For each pixel of the larger picture [B, H, W, C]: its own place, and the place that it lies in of the smaller one. */
function* places([batch, height, width, channels]: Shape): Generator<readonly [large: number, small: number]> {
  for (let b = 0; b < batch!; b++)
    for (let i = 0; i < height!; i++)
      for (let j = 0; j < width!; j++)
        for (let c = 0; c < channels!; c++) {
          const half = (b * (height! / 2) + Math.floor(i / 2)) * (width! / 2) + Math.floor(j / 2);
          yield [((b * height! + i) * width! + j) * channels! + c, half * channels! + c];
        }
}

/** Means of four, [B, 2 H, 2 W, C] to [B, H, W, C]. */
const shrunk = (x: Float64Array, large: Shape): Float64Array => {
  const y = new Float64Array(x.length / 4);
  for (const [from, to] of places(large)) y[to] = (y[to] as number) + (x[from] as number) / 4;
  return y;
};
/** Each value four times. */
const enlarged = (x: Float64Array, large: Shape): Float64Array => {
  const y = new Float64Array(4 * x.length);
  for (const [to, from] of places(large)) y[to] = x[from] as number;
  return y;
};

const large = [2, 4, 6, 3];
const small = [2, 2, 3, 3];

describe.each([
  // The gradient of means is a quarter each, that of repeating the sum of four: each is the other's, but for a 4.
  { name: "shrinkTwice", op: shrinkTwice, from: large, to: small, forward: shrunk, back: enlarged, factor: 1 / 4 },
  { name: "enlargeTwice", op: enlargeTwice, from: small, to: large, forward: enlarged, back: shrunk, factor: 4 },
])("$name", ({ op, from, to, forward, back, factor }) => {
  test("is its definition; its tangent is itself, its gradient the transpose", () => {
    const [x, dx, cotangent] = [drawn(from, 1), drawn(from, 2), drawn(to, 3)];
    const y = op(x);
    expect(y.shape).toEqual(to);
    const [tangent] = jvp([y], [x], [dx]) as [Node];
    const [gradient] = vjp([y], [cotangent], [x]) as [Node];
    const [again, second] = vjp([tangent], [cotangent], [dx, x]) as [Node, Node];
    const found = values([y, tangent, gradient, again, second]);
    const [given, along, above] = values([x, dx, cotangent]) as [Float64Array, Float64Array, Float64Array];
    const transposed = back(above, large).map((value) => value * factor);
    const expected = [forward(given, large), forward(along, large), transposed, transposed];
    expected.forEach((data, i) => {
      expect(relativeError(found[i] as Float64Array, data)).toBeLessThan(1e-14);
    });
    expect(found[4]).toEqual(new Float64Array(given.length));
  });
});

test.each([[[1, 3, 4, 2]], [[1, 4, 5, 2]], [[4, 4, 2]]])("shrinkTwice refuses %j", (shape) => {
  expect(() => shrinkTwice(drawn(shape, 1))).toThrow("H and W even");
});
