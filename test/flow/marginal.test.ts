// What minimising the conditional residual does to the marginal one, on mixtures whose marginal field is known: the
// proof is in docs/loss.md. Both gradients are taken on the same rows, in f64; their difference has mean 0 where the
// theorem holds, and its standard error is that of the means of disjoint batches.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { jacobianProducts, traceOf, unitVectors } from "../../src/flow/divergence.ts";
import { type FDMOptions, fdm } from "../../src/flow/losses/fdm.ts";
import type { LossContext } from "../../src/flow/losses/loss.ts";
import { type MixtureComponents, mixtureMarginal } from "../../src/flow/mixture.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { pointOnPath } from "../../src/flow/paths/path.ts";
import type { Node } from "../../src/graph/node.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { abs, add, multiply, square, subtract } from "../../src/ops/arithmetic.ts";
import { stopGradient } from "../../src/ops/control.ts";
import { meanAll, sum } from "../../src/ops/reduce.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { plane } from "../likelihoods/exact.ts";
import { numbers, valuesOf, variable } from "./evaluate.ts";

const path = condOT();
const [batches, rows] = [40, 1000];

/** Components in as many dimensions as there are numbers in a mean. */
interface Plain {
  readonly weights: readonly number[];
  readonly means: readonly (readonly number[])[];
  readonly variances: readonly (readonly number[])[];
}

const mixtures: readonly Plain[] = [{ weights: [0.3, 0.7], means: [[-1.5], [1]], variances: [[0.25], [0.09]] }, plane];

/** x1 of each row, its component drawn by its weight. */
function drawData({ weights, means, variances }: Plain, host: HostRandom, stream: number): Float64Array {
  const dimension = means[0].length;
  const uniform = host.uniform(rows, stream);
  const normal = host.normal(rows * dimension, stream + 1);
  return Float64Array.from(normal, (z, i) => {
    const at = uniform[Math.floor(i / dimension)];
    let [component, below] = [0, weights[0]];
    while (at >= below && component < weights.length - 1) below += weights[++component];
    const axis = i % dimension;
    return means[component][axis] + Math.sqrt(variances[component][axis]) * z;
  });
}

function componentsOf({ weights, means, variances }: Plain): MixtureComponents {
  const shape = [weights.length, means[0].length];
  return {
    weights: numbers(weights),
    means: numbers(means.flat(), shape),
    variances: numbers(variances.flat(), shape),
  };
}

/** Of each batch, the conditional loss's gradient and the marginal one's, along the marginal one's of another batch. */
function slopes(mixture: Plain, options: FDMOptions): { conditional: number[]; marginal: number[] } {
  const dimension = mixture.means[0].length;
  const network = mlp({ dimension, hidden: [6], activation: "silu" });
  const layout = parameterLayout(network);
  const flat = variable("parameters", [layout.total]);
  const views = parameterViews(flat, layout);
  const start = new Map([["parameters", Float64Array.from(initialParameters(network, 3), (value) => 2 * value)]]);

  const gradients = (seed: number) => {
    const host = new HostRandom(seed);
    const context: LossContext = {
      network: (x, t) => network.apply(views, x, t),
      path,
      x0: numbers(host.normal(rows * dimension, 0), [rows, dimension]),
      x1: numbers(drawData(mixture, host, 1), [rows, dimension]),
      t: numbers(
        host.uniform(rows, 3).map((value) => 0.9 * value),
        [rows, 1],
      ),
      random: () => {
        throw new Error("exact traces draw nothing");
      },
    };
    const conditional = fdm({ ...options, divergence: 1, estimator: "exact" }).build(context).divergenceLoss as Node;
    const marginal = marginalLoss(mixture, options, context);
    return valuesOf([...gradient(conditional, [flat]), ...gradient(marginal, [flat])], start);
  };

  const direction = gradients(99)[1];
  const length = Math.hypot(...direction);
  const along = (slope: ArrayLike<number>) =>
    direction.reduce((total, value, i) => total + (value / length) * slope[i], 0);
  const all = Array.from({ length: batches }, (_, batch) => gradients(100 + batch).map(along));
  return { conditional: all.map(([each]) => each), marginal: all.map(([, each]) => each) };
}

/** Mean over rows of |sigma r / D|^power with r = div v - div u + (v' - u).s of the marginal u and s. */
function marginalLoss(
  mixture: Plain,
  { power, detachVelocity }: FDMOptions,
  { network, x0, x1, t }: LossContext,
): Node {
  const values = path.at(t);
  const x = pointOnPath(values, x0, x1);
  const v = network(x, t);
  const truth = mixtureMarginal(componentsOf(mixture), values, x);
  const trace = (node: Node) => traceOf(jacobianProducts(node, x, unitVectors(x.shape)));
  const excess = subtract(detachVelocity === false ? v : stopGradient(v), truth.velocity);
  const residual = add(subtract(trace(v), trace(truth.velocity)), sum(multiply(excess, truth.score), [1]));
  const scaled = multiply(multiply(values.sigma, residual), 1 / (x0.shape[1] as number));
  return meanAll(power === 1 ? abs(scaled) : square(scaled));
}

/** Mean and its standard error. */
function summary(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

function compare(mixture: Plain, options: FDMOptions) {
  const { conditional, marginal } = slopes(mixture, options);
  const difference = summary(conditional.map((value, i) => value - marginal[i]));
  return { difference, size: Math.abs(summary(marginal).mean) };
}

describe.each(mixtures.map((mixture) => ({ dimension: mixture.means[0].length, mixture })))(
  "in $dimension dimensions",
  ({ mixture }) => {
    test("detached, with power 2: the conditional gradient is the marginal one in expectation", () => {
      const { difference, size } = compare(mixture, {});
      expect(Math.abs(difference.mean)).toBeLessThan(3 * difference.error);
      expect(difference.error).toBeLessThan(0.02 * size);
    });

    test("not detached, or with power 1, it is not", () => {
      for (const options of [{ detachVelocity: false }, { power: 1 }] as const) {
        const { difference } = compare(mixture, options);
        expect(Math.abs(difference.mean)).toBeGreaterThan(5 * difference.error);
      }
    });
  },
);
