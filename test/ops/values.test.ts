// What products, reductions and moves of elements give in f64, against the plainest statement of it: literals, loops.
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { linearInPrimitives, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { max, maxOp, mean, meanAll, sum, sumAll } from "../../src/ops/reduce.ts";
import { gather, replaceRow, scatterAdd } from "../../src/ops/rows.ts";
import { broadcast, concat, pad, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { constant, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { relativeError } from "../differences.ts";

function listOf(node: Node): number[] {
  return [...evaluate([node])[0].data];
}

function vector(...values: number[]): Node {
  return table(values, [values.length]);
}

function drawn(shape: Shape, stream: number): Node {
  return table([...new HostRandom(1).draw("normal", sizeOf(shape), stream)], shape);
}

/** Element [i, j] of a matrix, or of its transpose. */
function entries(node: Node, transposed: boolean): (i: number, j: number) => number {
  const data = listOf(node);
  const columns = node.shape[1];
  return (i, j) => (transposed ? data[j * columns + i] : data[i * columns + j]);
}

describe("matmul", () => {
  const transpositions = [false, true].flatMap((left) => [false, true].map((right) => [left, right]));
  test.each(transpositions)("left transposed: %s, right: %s", (transposeLeft, transposeRight) => {
    for (const [rows, depth, columns] of [
      [1, 1, 1],
      [3, 4, 2],
      [5, 1, 7],
      [17, 9, 3],
    ]) {
      const a = drawn(transposeLeft ? [depth, rows] : [rows, depth], 1);
      const b = drawn(transposeRight ? [columns, depth] : [depth, columns], 2);
      const product = matmul(a, b, { transposeLeft, transposeRight });
      const [left, right] = [entries(a, transposeLeft), entries(b, transposeRight)];
      const expected = Array.from({ length: rows * columns }, (_, element) => {
        let total = 0;
        for (let k = 0; k < depth; k++) total += left(Math.floor(element / columns), k) * right(k, element % columns);
        return total;
      });
      expect(product.shape).toEqual([rows, columns]);
      expect(relativeError(listOf(product), expected)).toBeLessThan(1e-14);
      const explicit = matmul(transposeLeft ? transpose(a, [1, 0]) : a, transposeRight ? transpose(b, [1, 0]) : b);
      expect(listOf(product)).toEqual(listOf(explicit));
    }
  });
});

describe("linear", () => {
  test.each([0, 1, 2, 5])("is its composition in primitives, with bias on %i of 5 rows", (biasRows) => {
    const inputs = [drawn([5, 3], 1), drawn([3, 4], 2), drawn([4], 3)];
    const tangents = [drawn([5, 3], 4), drawn([3, 4], 5), drawn([4], 6)];
    const cotangent = drawn([5, 4], 7);
    const [x, w, b] = inputs;
    const both = [linearOp(inputs, { biasRows }), linearInPrimitives(x, w, b, { biasRows })].map((y) => {
      const gradients = vjp([y], [cotangent], inputs);
      const [tangent] = jvp([y], inputs, tangents) as Node[];
      const ofTangent = vjp([tangent], [cotangent], [...inputs, ...tangents]);
      return [y, ...gradients, tangent, ...ofTangent].map(listOf);
    });
    expect(both[0]).toHaveLength(11);
    both[0].forEach((value, i) => {
      expect(relativeError(value, both[1][i])).toBeLessThan(1e-14);
    });
  });
});

describe("reductions", () => {
  const x = table([1, 5, 2, -3, 4, 5], [2, 3]);
  test("keep their axes with size 1", () => {
    expect([sum(x, [0]).shape, sum(x, [1]).shape, max(x, [1, 0]).shape]).toEqual([
      [1, 3],
      [2, 1],
      [1, 1],
    ]);
    expect([sumAll(x).shape, meanAll(x).shape]).toEqual([[], []]);
  });
  test("sum, mean and max", () => {
    expect(listOf(sum(x, [0]))).toEqual([-2, 9, 7]);
    expect(listOf(sum(x, [1]))).toEqual([8, 6]);
    expect(listOf(mean(x, [1]))).toEqual([8 * (1 / 3), 2]);
    expect(listOf(max(x, [0]))).toEqual([1, 5, 5]);
    expect(listOf(max(x, [1]))).toEqual([5, 5]);
    expect(listOf(sumAll(x))).toEqual([14]);
    expect(listOf(meanAll(x))[0]).toBeCloseTo(14 / 6, 15);
    expect(listOf(max(vector(-3, -1, -2), [0]))).toEqual([-1]);
    expect(sum(x, [])).toBe(x);
  });
  test("elements that tie for the largest share the derivative", () => {
    expect(listOf(vjp([maxOp([x], { axes: [0, 1] })], [constant(6, [1, 1])], [x])[0])).toEqual([0, 3, 0, 0, 0, 3]);
  });
});

describe("shapes", () => {
  const x = table([0, 1, 2, 3, 4, 5], [2, 3]);
  test("transpose, slice, concat, pad and broadcast", () => {
    expect(listOf(transpose(x, [1, 0]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(listOf(slice(x, 1, 1, 3))).toEqual([1, 2, 4, 5]);
    expect(listOf(slice(x, 0, 1, 2))).toEqual([3, 4, 5]);
    expect(listOf(concat([x, table([8, 9], [2, 1])], 1))).toEqual([0, 1, 2, 8, 3, 4, 5, 9]);
    expect(listOf(concat([x, table([6, 7, 8], [1, 3])], 0))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(listOf(pad(x, 1, 1, 2))).toEqual([0, 0, 1, 2, 0, 0, 0, 3, 4, 5, 0, 0]);
    expect(listOf(broadcast(table([7, 8], [2, 1]), [2, 2, 3]))).toEqual([7, 7, 7, 8, 8, 8, 7, 7, 7, 8, 8, 8]);
    expect(listOf(broadcast(constant(4), [2, 1]))).toEqual([4, 4]);
    expect(listOf(reshape(x, [3, 2]))).toEqual([0, 1, 2, 3, 4, 5]);
  });
  test("of three axes, by index", () => {
    const cube = table([...Array(24).keys()], [2, 3, 4]);
    const turned = listOf(transpose(cube, [2, 0, 1]));
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 2; j++) {
        for (let k = 0; k < 3; k++) expect(turned[i * 6 + j * 3 + k]).toBe(j * 12 + k * 4 + i);
      }
    }
  });
  test("what changes nothing leaves no node", () => {
    expect([reshape(x, [2, 3]), broadcast(x, [2, 3]), slice(x, 0, 0, 2), concat([x], 0), pad(x, 0, 0, 0)]).toEqual(
      Array(5).fill(x),
    );
  });
  test("a reshape of a reshape keeps both: the one between may be a variable", () => {
    const between = reshape(x, [6]);
    expect(reshape(between, [2, 3]).inputs).toEqual([between]);
  });
  test("keep the element type", () => {
    const counts = table([1, 2], [2], "u32");
    const moved = [
      reshape(counts, [1, 2]),
      broadcast(counts, [2, 2]),
      concat([counts, counts], 0),
      slice(counts, 0, 0, 1),
    ];
    expect(moved.map(({ dtype }) => dtype)).toEqual(Array(4).fill("u32"));
  });
});

describe("rows", () => {
  const rows = table([0, 1, 10, 11, 20, 21], [3, 2]);
  const indices = table([2, 0, 2], [3], "u32");
  test("gather, its adjoint scatterAdd, and replaceRow modulo the number of rows", () => {
    expect(listOf(gather(rows, indices))).toEqual([20, 21, 0, 1, 20, 21]);
    expect(listOf(scatterAdd(rows, indices, 4))).toEqual([10, 11, 0, 0, 20, 22, 0, 0]);
    expect(listOf(replaceRow(rows, table([7], [1], "u32"), vector(-1, -2)))).toEqual([0, 1, -1, -2, 20, 21]);
    expect(gather(indices, table([1], [1], "u32")).dtype).toBe("u32");
  });
});
