import { expect, test } from "vitest";
import { jvpProbes } from "../../src/autodiff/jvp.ts";
import { gradient } from "../../src/autodiff/vjp.ts";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import { add, multiply, negate } from "../../src/ops/arithmetic.ts";
import { linear } from "../../src/ops/linear.ts";
import { matmul, matmulOp } from "../../src/ops/matmul.ts";
import { sumAll, sumOp } from "../../src/ops/reduce.ts";
import { state } from "../../src/ops/sources.ts";
import { joinProducts } from "../../src/schedule/join-products.ts";
import { simplify } from "../../src/schedule/simplify.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [a, b, c, d] = [named("a", 3, 4), named("b", 3, 2), named("c", 5, 4), named("d", 5, 2)];
const transposed = { transposeLeft: true };

function joined(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = simplify(joinProducts(graph, 0));
  expect(largestDifference(graph, result)).toBeLessThan(1e-14); // additions in another order
  return result;
}

test("a sum of products becomes one product of stacked rows", () => {
  const result = joined(add(matmul(a, b, transposed), matmul(c, d, transposed)));
  expect(countOps(result)).toEqual({ state: 4, concat: 2, matmul: 1 });
});

test("other terms of the sum stay, wherever they stand in it", () => {
  const other = named("other", 4, 2);
  const result = joined(
    add(add(matmul(a, b, transposed), other), add(matmul(c, d, transposed), matmul(a, b, transposed))),
  );
  expect(countOps(result)).toMatchObject({ matmul: 1, add: 1 });
});

test("a product that something else reads stays", () => {
  const product = matmul(a, b, transposed);
  expect(countOps(joined(add(product, matmul(c, d, transposed)), product))["matmul"]).toBe(2);
});

test("products with the left operand not transposed stay", () => {
  const square = named("square", 4, 4);
  const result = joined(add(matmul(square, square), matmul(square, named("other", 4, 4))));
  expect(countOps(result)["matmul"]).toBe(2);
});

test("products that are multiplied and not added stay", () => {
  expect(countOps(joined(multiply(matmul(a, b, transposed), matmul(c, d, transposed))))["matmul"]).toBe(2);
});

test("a weight's gradient is one product, the rows that get the bias first", () => {
  const [x, z, w, bias] = [named("x", 3, 4), named("z", 3, 4), named("w", 4, 2), named("bias", 2)];
  const y = linear(x, w, bias);
  const [[tangent]] = jvpProbes([y], [x], [[z]]) as [[Node]];
  const loss = add(sumAll(multiply(tangent, tangent)), sumAll(multiply(y, y)));
  const result = joined(negate(z), ...gradient(loss, [w])); // z comes before x in the graph
  const gradients = nodesOf(result).filter((node) => isNodeOf(node, matmulOp.op) && node.attributes.transposeLeft);
  expect(gradients.map((node) => node.inputs[0]?.inputs)).toEqual([[x, z]]);
});

test("a bias's gradient over several layers' rows is one sum, over the rows of the weight's joint", () => {
  const [w, bias] = [named("w", 4, 2), named("bias", 2)];
  const [head, tail] = [linear(a, w, bias), linear(c, w, bias)];
  const loss = add(sumAll(multiply(head, head)), sumAll(multiply(tail, tail)));
  const result = joined(...gradient(loss, [w, bias]));
  const nodes = nodesOf(result);
  const product = nodes.find((node) => isNodeOf(node, matmulOp.op) && node.attributes.transposeLeft);
  const sums = nodes.filter((node) => isNodeOf(node, sumOp.op) && node.attributes.axes.join() === "0");
  expect(sums.length).toBe(1);
  expect(sums[0]?.inputs[0]?.inputs).toEqual(product?.inputs[1]?.inputs);
});
