// A guided field against its formula, its divergence against those of the two fields, in f64.
import { describe, expect, test } from "vitest";
import { jacobianProducts, traceOf, unitVectors, withExactDivergence } from "../../src/flow/divergence.ts";
import { guidedField } from "../../src/flow/guidance/classifier-free.ts";
import { fieldOf } from "../../src/flow/network-field.ts";
import type { Node } from "../../src/graph/node.ts";
import { classes, numbers as numbersCondition } from "../../src/nn/conditions.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Conditions, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { numbers, relativeError, valuesOf } from "./evaluate.ts";

const rows = 4;
const strengths = [0, 1, 2.5, -1];

/** A network told a label and two numbers that may be dropped, and one number that may not. */
function pieces(dimension: number) {
  const network = mlp({
    dimension,
    hidden: [12, 12],
    activation: "tanh",
    conditions: {
      label: classes(3, { drop: 0.2 }),
      place: numbersCondition(2, { drop: 0.1 }),
      age: numbersCondition(),
    },
  });
  const layout = parameterLayout(network);
  const views = parameterViews(numbers(initialParameters(network, 4).map((value) => 2 * value)), layout);
  const host = new HostRandom(8);
  const age = numbers(host.normal(rows, 3), [rows]);
  const told: Conditions = new Map([
    ["label", numbers([2, 0, 1, 2], [rows], "u32")],
    ["place", numbers(host.normal(2 * rows, 2), [rows, 2])],
    ["place.told", numbers([1, 1, 1, 1], [rows, 1])],
    ["age", age],
  ]);
  const untold: Conditions = new Map([
    ["label", numbers([3, 3, 3, 3], [rows], "u32")],
    ["place", numbers(new Float64Array(2 * rows), [rows, 2])],
    ["place.told", numbers([0, 0, 0, 0], [rows, 1])],
    ["age", age],
  ]);
  return {
    guided: guidedField(network, views, told, numbers(strengths, [rows, 1])),
    told: fieldOf(network, views, told),
    untold: fieldOf(network, views, untold),
    x: numbers(host.normal(rows * dimension, 0), [rows, dimension]),
    t: numbers(host.uniform(rows, 1), [rows, 1]),
  };
}

/** w a + (1 - w) b of each row. */
function mixed(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const width = a.length / rows;
  return Array.from(a, (value, i) => {
    const w = strengths[Math.floor(i / width)];
    return w * value + (1 - w) * b[i];
  });
}

// 70 dimensions: their traces are taken in blocks, of copies of the rows.
describe.each([3, 70])("of %i dimensions", (dimension) => {
  const { guided, told, untold, x, t } = pieces(dimension);

  test("the guided velocity is v_0 + w (v_1 - v_0)", () => {
    const [actual, one, none] = valuesOf([guided, told, untold].map((field) => field(x, t)));
    expect(relativeError(actual, mixed(one, none))).toBeLessThan(1e-13);
    expect(relativeError(one, [...none])).toBeGreaterThan(0.05);
  });

  test("so is its divergence", () => {
    const trace = (field: typeof guided): Node => {
      const v = field(x, t);
      return traceOf(jacobianProducts(v, x, unitVectors(x.shape)));
    };
    const { velocity, divergence } = withExactDivergence(guided, x, t);
    const [actual, one, none, v] = valuesOf([divergence, trace(told), trace(untold), velocity]);
    expect(relativeError(actual, mixed(one, none))).toBeLessThan(1e-12);
    expect(relativeError(v, valuesOf([guided(x, t)])[0])).toBeLessThan(1e-13);
  });
});
