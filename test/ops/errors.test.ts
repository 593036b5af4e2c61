// Inputs that do not fit: each op refuses them by a ConfigError that says what was given and what fits.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { DType, Node, Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, increment, select, sin, toFloat } from "../../src/ops/arithmetic.ts";
import { linear, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { random } from "../../src/ops/random.ts";
import { max, sum } from "../../src/ops/reduce.ts";
import { gather, replaceRow, scatterAdd } from "../../src/ops/rows.ts";
import { broadcast, concat, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { constant, state, table } from "../../src/ops/sources.ts";

function input(shape: Shape, dtype: DType = "f32"): Node {
  return state({ name: "x", shape, dtype });
}

const seed = input([2], "u32");
const counter = input([1], "u32");

const refused: [string, () => Node][] = [
  ["add of shapes that do not broadcast", () => add(input([2, 3]), input([2]))],
  ["add of u32", () => add(input([2], "u32"), input([2], "u32"))],
  ["add of u32 and a number", () => add(input([2], "u32"), 1)],
  ["sin of u32", () => sin(input([2], "u32"))],
  ["toFloat of f32", () => toFloat(input([2]))],
  ["increment of f32", () => increment(input([2]))],
  ["select of f32 or u32", () => select(input([2]), input([2]), input([2], "u32"))],
  ["select on u32", () => select(input([2], "u32"), input([2]), input([2]))],
  ["activation of u32", () => activation([input([2], "u32")], { kind: "silu", order: 0 })],
  ["activation of two inputs", () => activation([input([2]), input([2])], { kind: "silu", order: 0 })],
  ["matmul of other depths", () => matmul(input([2, 3]), input([2, 3]))],
  [
    "matmul of other depths, transposed",
    () => matmul(input([2, 3]), input([2, 3]), { transposeLeft: true, transposeRight: true }),
  ],
  ["matmul of a vector", () => matmul(input([2, 3]), input([3]))],
  ["matmul of u32", () => matmul(input([2, 3], "u32"), input([3, 2], "u32"))],
  ["linear of another depth", () => linear(input([2, 3]), input([4, 5]), input([5]))],
  ["linear with another bias", () => linear(input([2, 3]), input([3, 5]), input([3]))],
  ["linear with a matrix of biases", () => linear(input([2, 3]), input([3, 5]), input([1, 5]))],
  ["linear with more bias rows than rows", () => linearOp([input([2, 3]), input([3, 5]), input([5])], { biasRows: 3 })],
  ["linear with half a bias row", () => linearOp([input([2, 3]), input([3, 5]), input([5])], { biasRows: 0.5 })],
  ["sum over an axis that is not there", () => sum(input([2, 3]), [2])],
  ["sum over an axis twice", () => sum(input([2, 3]), [1, 1])],
  ["max over an axis counted from behind", () => max(input([2, 3]), [-1])],
  ["sum of u32", () => sum(input([2], "u32"), [0])],
  ["reshape to another size", () => reshape(input([2, 3]), [5])],
  ["reshape of a constant to another size", () => reshape(constant(1, [2, 3]), [5])],
  ["reshape to a size that is no integer", () => reshape(input([3]), [1.5, 2])],
  ["broadcast to a smaller shape", () => broadcast(input([2, 3]), [3])],
  ["broadcast of another size", () => broadcast(input([2]), [4])],
  ["broadcast of a constant of another size", () => broadcast(constant(1, [2]), [4])],
  ["transpose by half a permutation", () => transpose(input([2, 3]), [0])],
  ["transpose by an axis twice", () => transpose(input([2, 3]), [0, 0])],
  ["concat of shapes that differ elsewhere", () => concat([input([2, 3]), input([3, 4])], 1)],
  ["concat of other ranks", () => concat([input([2, 3]), input([2])], 0)],
  ["concat along an axis that is not there", () => concat([input([2, 3]), input([2, 3])], 2)],
  ["concat of f32 and u32", () => concat([input([2]), input([2], "u32")], 0)],
  ["concat of nothing", () => concat([], 0)],
  ["slice of nothing", () => slice(input([4]), 0, 2, 2)],
  ["slice past the end", () => slice(input([4]), 0, 2, 5)],
  ["slice from before the start", () => slice(input([4]), 0, -1, 2)],
  ["slice along an axis that is not there", () => slice(input([4]), 1, 0, 1)],
  ["gather by f32", () => gather(input([4, 2]), input([3]))],
  ["gather by a matrix of indices", () => gather(input([4, 2]), input([3, 1], "u32"))],
  ["gather from a scalar", () => gather(input([]), input([3], "u32"))],
  ["scatterAdd of more values than indices", () => scatterAdd(input([4, 2]), input([3], "u32"), 5)],
  ["scatterAdd to no rows", () => scatterAdd(input([3, 2]), input([3], "u32"), 0)],
  ["replaceRow of two rows", () => replaceRow(input([4, 2]), input([2], "u32"), input([2, 2]))],
  ["replaceRow by a longer row", () => replaceRow(input([4, 2]), input([1], "u32"), input([3]))],
  ["random with half a seed", () => random("normal", [2], { seed: counter, counter, stream: 0 })],
  ["random with an f32 seed", () => random("normal", [2], { seed: input([2]), counter, stream: 0 })],
  ["random of a negative stream", () => random("normal", [2], { seed, counter, stream: -1 })],
  ["random of a stream past u32", () => random("normal", [2], { seed, counter, stream: 2 ** 32 })],
  ["random index without a bound", () => random("index", [2], { seed, counter, stream: 0 })],
  ["random of an empty shape", () => random("normal", [0], { seed, counter, stream: 0 })],
  ["table of too few values", () => table([1, 2], [3])],
  ["constant of a negative size", () => constant(1, [-1])],
];

test.each(refused)("%s", (_what, make) => {
  let error: unknown;
  try {
    make();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  const { facts } = error as ConfigError;
  expect(facts.given).toBeDefined();
  expect(facts.subject.length * facts.expected.length * facts.remedy.length).toBeGreaterThan(0);
});

describe("evaluate", () => {
  test("refuses state without a value, or of another size", () => {
    const x = input([2, 2]);
    expect(() => evaluate([x])).toThrow(ConfigError);
    expect(() => evaluate([x], new Map([["x", { shape: [3], data: new Float64Array(3) }]]))).toThrow(ConfigError);
  });

  test("takes a state's shape from its declaration", () => {
    const [{ shape, data }] = evaluate(
      [input([2, 2])],
      new Map([["x", { shape: [4], data: Float64Array.of(1, 2, 3, 4) }]]),
    );
    expect(shape).toEqual([2, 2]);
    expect([...data]).toEqual([1, 2, 3, 4]);
  });
});
