// Forward and reverse mode on whole graphs: what they share, what they leave out, what they refuse. Rules of single
// ops are in test/ops/derivatives.test.ts.
import { describe, expect, test } from "vitest";
import { jvp, jvpProbes } from "../../src/autodiff/jvp.ts";
import { gradient, vjp } from "../../src/autodiff/vjp.ts";
import { ConfigError, UnsupportedError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { type ActivationAttributes, activation } from "../../src/ops/activation.ts";
import { add, exp, less, multiply, sin, square, toFloat } from "../../src/ops/arithmetic.ts";
import { stopGradient } from "../../src/ops/control.ts";
import { linear } from "../../src/ops/linear.ts";
import { random } from "../../src/ops/random.ts";
import { sumAll } from "../../src/ops/reduce.ts";
import { gather } from "../../src/ops/rows.ts";
import { reshape } from "../../src/ops/shape.ts";
import { constant, constantValue, state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { relativeError } from "../differences.ts";

function input(name: string, shape: Shape = [2]): Node {
  return state({ name, shape, dtype: "f32" });
}

function listOf(node: Node | undefined): number[] {
  return [...evaluate([node as Node])[0].data];
}

function drawn(shape: Shape, stream: number): Node {
  const count = shape.reduce((product, size) => product * size, 1);
  return table([...new HostRandom(2).draw("normal", count, stream)], shape);
}

const scalar = (x: number) => table([x], []);

describe("zeros", () => {
  test("of what an output does not depend on: vjp has zeros of its shape, jvp nothing", () => {
    const [x, other] = [input("x"), input("other", [3, 4])];
    const [ofX, ofOther] = vjp([square(x)], [x], [x, other]);
    expect(constantValue(ofX)).toBeUndefined();
    expect([constantValue(ofOther), ofOther.shape]).toEqual([0, [3, 4]]);
    expect(jvp([square(x)], [other], [other])).toEqual([undefined]);
  });

  test("through ops without derivatives: comparisons, random numbers, indices, stopGradient", () => {
    const x = input("x");
    const counts = state({ name: "counts", shape: [2], dtype: "u32" });
    const counter = state({ name: "counter", shape: [1], dtype: "u32" });
    const draws = random("normal", [2], { seed: counts, counter, stream: 0 });
    for (const y of [less(x, 1), multiply(stopGradient(x), 2), add(draws, stopGradient(x)), toFloat(counts)]) {
      expect(jvp([y], [x], [x])).toEqual([undefined]);
      expect(vjp([y], [x], [x]).map(constantValue)).toEqual([0]);
    }
    const rows = gather(input("table", [4, 2]), counts);
    expect(vjp([rows], [rows], [counts]).map(constantValue)).toEqual([0]);
  });

  test("stopGradient keeps one of two ways", () => {
    const x = table([3], [1]);
    expect(listOf(gradient(sumAll(multiply(x, stopGradient(x))), [x])[0])).toEqual([3]);
  });
});

describe("variables", () => {
  test("are cut where given: one that is computed from another counts as its own", () => {
    const x = scalar(0.5);
    const y = square(x);
    const z = multiply(x, y);
    expect(gradient(z, [x, y]).map(listOf)).toEqual([[0.25], [0.5]]);
    expect(jvp([z, y], [x, y], [scalar(1), scalar(0)]).map(listOf)).toEqual([[0.25], [0]]);
  });

  test("an output may be a variable", () => {
    const x = scalar(0.5);
    expect(jvp([x], [x], [scalar(7)]).map(listOf)).toEqual([[7]]);
    expect(vjp([x, square(x)], [scalar(7), scalar(2)], [x]).map(listOf)).toEqual([[9]]);
  });

  test("are found where they are reshapes, and what reads them reshapes them again", () => {
    const x = reshape(table([2, 3, 4, 5], [4]), [2, 2]);
    const y = sumAll(square(reshape(x, [4])));
    expect(listOf(gradient(y, [x])[0])).toEqual([4, 6, 8, 10]);
    expect(jvp([y], [x], [table([1, 0, 0, 1], [2, 2])]).map(listOf)).toEqual([[14]]);
  });

  test("a value used many times gets the sum", () => {
    const x = scalar(2);
    expect(listOf(gradient(add(multiply(x, x), add(x, multiply(x, multiply(x, x)))), [x])[0])).toEqual([17]);
  });
});

describe("several probes", () => {
  const widths = [3, 5, 4, 2];
  const layers = widths.slice(1).map((width, i) => [drawn([widths[i], width], 2 * i), drawn([width], 2 * i + 1)]);
  const x = drawn([6, 3], 20);
  const y = layers.reduce((h, [w, b], i) => {
    const next = linear(h, w, b);
    return i < layers.length - 1 ? activation([next], { kind: "silu", order: 0 }) : next;
  }, x);
  const probes = [0, 1, 2].map((i) => drawn([6, 3], 30 + i));

  test("share the primal: each of its nodes is there once, and a matmul for each layer and probe", () => {
    const tangents = jvpProbes(
      [y],
      [x],
      probes.map((z) => [z]),
    ).flat() as Node[];
    const nodes = topologicalOrder([y, ...tangents]);
    const primal = new Set(topologicalOrder([y]));
    expect(nodes.filter((node) => node.op.name === "linear").every((node) => primal.has(node))).toBe(true);
    const ofOrder0 = nodes.filter(
      ({ op, attributes }) => op.name === "activation" && (attributes as ActivationAttributes).order === 0,
    );
    expect(ofOrder0.every((node) => primal.has(node))).toBe(true);
    expect(nodes.filter((node) => node.op.name === "matmul")).toHaveLength(3 * layers.length);
  });

  test("are what single ones are, and the columns of J are those of vjp's rows", () => {
    const together = jvpProbes(
      [y],
      [x],
      probes.map((z) => [z]),
    ).map(([tangent]) => listOf(tangent));
    expect(together).toEqual(probes.map((z) => listOf(jvp([y], [x], [z])[0])));
    const cotangent = drawn([6, 2], 40);
    const back = listOf(vjp([y], [cotangent], [x])[0]);
    probes.forEach((z, i) => {
      const direction = listOf(z);
      const forwards = together[i].reduce((total, value, k) => total + value * listOf(cotangent)[k], 0);
      const backwards = back.reduce((total, value, k) => total + value * direction[k], 0);
      expect(relativeError([forwards], [backwards])).toBeLessThan(1e-13);
    });
  });
});

describe("nests", () => {
  const x = scalar(0.7);
  const along = (y: Node) => jvp([y], [x], [scalar(1)])[0] as Node;
  const back = (y: Node) => gradient(y, [x])[0];

  test("any order of jvp and vjp gives the third derivative", () => {
    const f = exp(sin(x));
    const [s, c] = [Math.sin(0.7), Math.cos(0.7)];
    const expected = Math.exp(s) * (c ** 3 - 3 * s * c - c);
    for (const first of [along, back]) {
      for (const second of [along, back]) {
        for (const third of [along, back]) {
          expect(listOf(third(second(first(f))))[0]).toBeCloseTo(expected, 14);
        }
      }
    }
  });

  test("a fourth derivative of an activation is refused by name", () => {
    const f = activation([x], { kind: "tanh", order: 0 });
    expect(() => back(along(along(along(f))))).toThrow(UnsupportedError);
  });

  test("are walked once however often a value is used: 2^60 ways through 60 nodes", () => {
    let y: Node = x;
    for (let i = 0; i < 60; i++) y = multiply(add(y, y), 0.5);
    expect(listOf(back(y))).toEqual([1]);
    expect(listOf(along(y))).toEqual([1]);
  });
});

describe("refused", () => {
  const x = input("x", [2, 3]);
  test.each([
    ["tangents of another shape", () => jvp([x], [x], [input("z", [3, 2])])],
    ["too few tangents", () => jvp([x], [x, x], [x])],
    ["too many tangents", () => jvp([x], [x], [x, x])],
    ["cotangents of another shape", () => vjp([x], [input("c", [6])], [x])],
    ["too few cotangents", () => vjp([x, x], [x], [x])],
    ["the gradient of more than one element", () => gradient(x, [x])],
  ])("%s", (_what, work) => {
    expect(work).toThrow(ConfigError);
  });

  test("the gradient of one element of any shape is not", () => {
    const y = reshape(sumAll(square(x)), [1, 1]);
    expect(gradient(y, [x])[0].shape).toEqual([2, 3]);
    expect(gradient(constant(2), [x]).map(constantValue)).toEqual([0]);
  });
});
