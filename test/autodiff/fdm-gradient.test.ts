// The gradient that training follows, end to end: reverse mode over the jvps of the FDM loss, against differences of
// the loss in f64, for each option that changes the graph.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import {
  divergenceEstimators,
  divergenceForms,
  divergenceWeights,
  type FDMOptions,
  fdm,
} from "../../src/flow/losses/fdm.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { paper2d } from "../../src/flow/losses/paper-2d.ts";
import { pathFrom, pathNames } from "../../src/flow/paths/registry.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Update } from "../../src/graph/graph.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { rewrite } from "../../src/graph/rewrite.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type ActivationKind, activationKinds } from "../../src/ops/activation.ts";
import { stopGradientOp } from "../../src/ops/control.ts";
import { random } from "../../src/ops/random.ts";
import { state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { differences, inner, relativeError } from "../differences.ts";

const BATCH = 4;

interface Setting {
  readonly loss: Loss;
  readonly dimension: number;
  readonly path?: string;
  readonly activation?: ActivationKind;
}

const host = new HostRandom(11);
let stream = 0;
function normal(shape: Shape): HostTensor {
  return { shape, data: host.draw("normal", sizeOf(shape), stream++) };
}

/** The gradient along directions in parameter space, and differences of the loss along them, must agree. */
function expectGradient({ loss, dimension, path = "cond-ot", activation = "silu" }: Setting): void {
  stream = 0;
  const network = mlp({ dimension, hidden: [5, 4], activation });
  const parameters = new Map<string, Node>();
  const values = new Map<string, HostTensor>();
  const input = (name: string, value: HostTensor): Node => {
    values.set(name, value);
    return state({ name, shape: value.shape, dtype: "f32" });
  };
  for (const { name, shape } of network.parameters) parameters.set(name, input(name, normal(shape)));
  const times = { shape: [BATCH, 1], data: host.draw("uniform", BATCH, 99).map((x) => 0.05 + 0.9 * x) };

  const words = { seed: table([3, 5], [2], "u32"), counter: table([7], [1], "u32") };
  let draws = 0;
  const terms = loss.build({
    network: (x, t) => network.apply(parameters, x, t),
    path: pathFrom({ name: path, options: {} }),
    x0: input("x0", normal([BATCH, dimension])),
    x1: input("x1", normal([BATCH, dimension])),
    t: input("t", times),
    random: (kind, shape) => random(kind, shape, { ...words, stream: draws++ }),
  });
  const variables = [...parameters.values()];
  const gradients = gradient(terms.loss, variables);
  const found = evaluate([terms.loss, ...gradients], values);
  const [held, constants] = withConstants(terms.loss, values);

  for (let direction = 0; direction < 3; direction++) {
    const along = new Map([...parameters].map(([name, { shape }]) => [name, normal(shape)]));
    const slope = inner(
      found.slice(1).map(({ data }) => data),
      [...along.values()].map(({ data }) => data),
    );
    const [expected] = differences([held], new Map([...values, ...constants]), along);
    expect(expected[0]).not.toBe(0);
    expect(relativeError([slope], expected)).toBeLessThan(1e-8);
  }
}

/** The loss with a state in place of each stopGradient, and the values they have: constants, as to derivatives. */
function withConstants(loss: Node, values: ReadonlyMap<string, HostTensor>): [Node, Map<string, HostTensor>] {
  const constants = new Map<string, HostTensor>();
  const updates: Update[] = [{ state: { name: "loss", shape: loss.shape, dtype: "f32" }, value: loss }];
  const graph = rewrite({ name: "held", updates }, (node) => {
    if (!isNodeOf(node, stopGradientOp.op)) return node;
    const name = `held${constants.size}`;
    constants.set(name, evaluate([node], new Map([...values, ...constants]))[0]);
    return state({ name, shape: node.shape, dtype: "f32" });
  });
  return [graph.updates[0].value, constants];
}

const options: FDMOptions[] = divergenceForms.flatMap((form) =>
  ([1, 2] as const).flatMap((power) =>
    divergenceWeights.flatMap((weight) =>
      divergenceEstimators.map((estimator) => ({ form, power, weight, estimator, detachVelocity: false })),
    ),
  ),
);

describe.each([2, 3])("in %i dimensions", (dimension) => {
  test.each(options)("$form, power $power, weight $weight, $estimator", (given) => {
    expectGradient({ dimension, loss: fdm({ divergence: 0.7, ...given }) });
  });
  test.each(["residual", "slice"] as const)("%s, two Gaussian probes", (form) => {
    expectGradient({
      dimension,
      loss: fdm({ divergence: 0.7, form, probe: "gaussian", probes: 2, detachVelocity: false }),
    });
  });
  test.each(["residual", "slice"] as const)("%s, detached velocity", (form) => {
    expectGradient({ dimension, loss: fdm({ divergence: 0.7, form }) });
  });
  test("on half of the rows, the velocity term weighted", () => {
    expectGradient({ dimension, loss: fdm({ divergence: 0.7, velocityWeight: 2.5, fraction: 0.5 }) });
  });
  test("the published program's objective", () => {
    expectGradient({ dimension, loss: paper2d({ divergence: 0.7 }) });
  });
});

test.each(pathNames)("on path %s", (path) => {
  expectGradient({ dimension: 2, path, loss: fdm({ divergence: 0.7 }) });
});

test.each(activationKinds)("through %s", (activation) => {
  expectGradient({ dimension: 2, activation, loss: fdm({ divergence: 0.7, power: 1 }) });
});
