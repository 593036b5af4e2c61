// Arithmetic in f64 against Math, and its wrappers: broadcasting, constants, what they leave out.
import { expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import * as arithmetic from "../../src/ops/arithmetic.ts";
import { add, divide, maximum, minimum, multiply, select, subtract } from "../../src/ops/arithmetic.ts";
import { reshape } from "../../src/ops/shape.ts";
import { constantValue, state, table } from "../../src/ops/sources.ts";

const { Infinity: infinity, NaN: notANumber } = globalThis;

function listOf(node: Node): number[] {
  return [...evaluate([node])[0].data];
}

function vector(...values: number[]): Node {
  return table(values, [values.length]);
}

const given = [-3, -1.5, -0.25, 0, 1e-9, 0.5, 2, 700];
const unary: [string, (x: Node | number) => Node, (x: number) => number][] = [
  ["negate", arithmetic.negate, (x) => 0 - x],
  ["abs", arithmetic.abs, Math.abs],
  ["sign", arithmetic.sign, Math.sign],
  ["sqrt", arithmetic.sqrt, Math.sqrt],
  ["exp", arithmetic.exp, Math.exp],
  ["expm1", arithmetic.expm1, Math.expm1],
  ["log", arithmetic.log, Math.log],
  ["log1p", arithmetic.log1p, Math.log1p],
  ["sin", arithmetic.sin, Math.sin],
  ["cos", arithmetic.cos, Math.cos],
  ["floor", arithmetic.floor, Math.floor],
];
test.each(unary)("%s", (_name, op, expected) => {
  expect(listOf(op(vector(...given))).map((x) => x + 0)).toEqual(given.map((x) => expected(x) + 0));
  expect(constantValue(op(2))).toBe(expected(2)); // a number gives a constant
});

const binary: [string, (a: Node | number, b: Node | number) => Node, (a: number, b: number) => number][] = [
  ["add", arithmetic.add, (a, b) => a + b],
  ["subtract", arithmetic.subtract, (a, b) => a - b],
  ["multiply", arithmetic.multiply, (a, b) => a * b],
  ["divide", arithmetic.divide, (a, b) => a / b],
  ["minimum", arithmetic.minimum, (a, b) => (a < b ? a : b)],
  ["maximum", arithmetic.maximum, (a, b) => (a > b ? a : b)],
  ["less", arithmetic.less, (a, b) => Number(a < b)],
  ["lessEqual", arithmetic.lessEqual, (a, b) => Number(a <= b)],
  ["equal", arithmetic.equal, (a, b) => Number(a === b)],
];
test.each(binary)("%s of all pairs, by broadcasting a column and a row", (_name, op, expected) => {
  const pairs = op(reshape(vector(...given), [8, 1]), vector(...given));
  expect(pairs.shape).toEqual([8, 8]);
  expect(listOf(pairs)).toEqual(given.flatMap((a) => given.map((b) => expected(a, b))));
  expect(constantValue(op(3, 4))).toBe(expected(3, 4));
  expect(listOf(op(3, vector(4, 5)))).toEqual([expected(3, 4), expected(3, 5)]);
});

test("minimum and maximum give their first operand the derivative where both are equal", () => {
  const [a, b] = [vector(1, 2, 3), vector(1, 3, 2)];
  expect(vjp([minimum(a, b)], [vector(10, 20, 30)], [a, b]).map(listOf)).toEqual([
    [10, 20, 0],
    [0, 0, 30],
  ]);
  expect(vjp([maximum(a, b)], [vector(10, 20, 30)], [a, b]).map(listOf)).toEqual([
    [10, 0, 30],
    [0, 20, 0],
  ]);
});

test("select lets nothing through of what it does not take, in value and in derivatives", () => {
  const [condition, a, b] = [vector(1, 0, -2), vector(1, notANumber, infinity), vector(notANumber, 5, 6)];
  const chosen = select(condition, a, b);
  expect(listOf(chosen)).toEqual([1, 5, infinity]);
  expect(listOf(jvp([chosen], [a], [b])[0] as Node)).toEqual([notANumber, 0, 6]);
  expect(listOf(vjp([chosen], [vector(7, 8, 9)], [b])[0])).toEqual([0, 8, 0]);
});

test("finite is 1 of finite numbers only", () => {
  expect(listOf(arithmetic.finite(vector(0, -1e300, infinity, -infinity, notANumber)))).toEqual([1, 1, 0, 0, 0]);
});

test("u32: toFloat and increment, which wraps", () => {
  const given = table([0, 5, 2 ** 32 - 1], [3], "u32");
  expect(arithmetic.toFloat(given).dtype).toBe("f32");
  expect(listOf(arithmetic.toFloat(given))).toEqual([0, 5, 2 ** 32 - 1]);
  expect(arithmetic.increment(given).dtype).toBe("u32");
  expect(listOf(arithmetic.increment(given))).toEqual([1, 6, 0]);
});

test("neutral operands leave no node", () => {
  const x = state({ name: "x", shape: [3], dtype: "f32" });
  expect([add(x, 0), add(0, x), subtract(x, 0), multiply(x, 1), multiply(1, x), divide(x, 1)]).toEqual(
    Array(6).fill(x),
  );
  expect(select(1, x, 0)).toBe(x);
});
