/**
 * Hutch++: the trace of J = dv/dx as the exact trace on a subspace where much of J is, and Hutchinson's estimate on the rest,
 *   tr J = sum over j of q_j.(J q_j) + E g'.(J g'),   g' = g - Q Q^T g,
 * with q an orthonormal basis of J's products with some sketches. Unbiased for any such basis that does not depend on g; it
 * varies less than Hutchinson's where J's spectrum falls fast, and takes three products for each probe, so elsewhere more probes
 * are worth more: their error falls by the root of three.
 *
 * @see Meyer, Musco, Musco and Woodruff, Hutch++: Optimal Stochastic Trace Estimation (2021).
 */
import type { Node, Shape } from "../graph/node.ts";
import { add, divide, less, maximum, multiply, select, sqrt, square, subtract } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { random } from "../ops/random.ts";
import { sum } from "../ops/reduce.ts";
import { concat } from "../ops/shape.ts";
import { state } from "../ops/sources.ts";
import { streamOf } from "../ops/streams.ts";
import { hutchinsonEstimate, jacobianProducts } from "./divergence.ts";
import { chunkState, type DivergenceOptions, drawProbes, seedState } from "./likelihood.ts";
import type { VelocityField } from "./losses/loss.ts";
import type { Field } from "./solvers/solver.ts";

/** Directions along which the trace is taken, [B, D] each. */
export interface Subspace {
  /** Orthonormal in each row, or 0 where products depend on each other: their terms are added. */
  readonly basis: readonly Node[];
  /** Probes less what of them is in the basis: of their terms the mean is added. */
  readonly rest: readonly Node[];
}

/**
 * The subspace of J's products with these sketches, at the point where v was made of x; it is held constant when
 * differentiating.
 */
export function subspaceOf(v: Node, x: Node, sketches: readonly Node[], probes: readonly Node[]): Subspace {
  const basis: Node[] = [];
  for (const product of jacobianProducts(v, x, sketches)) {
    const given = stopGradient(product);
    // Twice: in f32 once leaves parts of the others where products are nearly parallel.
    const left = without(without(given, basis), basis);
    const [size, whole] = [squared(left), squared(given)];
    const isNew = less(multiply(whole, PARALLEL), size);
    basis.push(select(isNew, divide(left, sqrt(maximum(size, LEAST))), 0));
  }
  return { basis, rest: probes.map((probe) => without(probe, basis)) };
}

/** What is left of a product, squared, where it is but rounding. */
const PARALLEL = 1e-10;

/** Below it the inverse leaves f32. */
const LEAST = 1e-36;

function without(vector: Node, basis: readonly Node[]): Node {
  return basis.reduce((left, q) => subtract(left, multiply(q, sum(multiply(q, left), [1]))), vector);
}

const squared = (vector: Node) => sum(square(vector), [1]);

/** The field with its divergence in as many columns as probes, as `withDivergence` has it of Hutchinson's estimates. */
export function withHutchPlusPlus(
  network: VelocityField,
  { probes, probe }: Required<Omit<DivergenceOptions, "estimator">>,
): Field {
  return (x, t) => {
    const velocity = network(x, t);
    const { basis, rest } = subspaceOf(
      velocity,
      x,
      drawSketches(probes, x.shape),
      drawProbes({ probes, probe }, x.shape),
    );
    const products = jacobianProducts(velocity, x, [...basis, ...rest]);
    const terms = [...basis, ...rest].map((z, i) => hutchinsonEstimate(z, products[i] as Node));
    const exact = terms.slice(0, probes).reduce(add);
    return {
      velocity,
      divergences: concat(
        terms.slice(probes).map((term) => add(exact, term)),
        1,
      ),
    };
  };
}

/**
 * From streams behind those that probes have. Normal, whatever probes are: signs are often parallel where there are few
 * dimensions.
 */
function drawSketches(count: number, shape: Shape): Node[] {
  const source = { seed: state(seedState), counter: state(chunkState) };
  return Array.from({ length: count }, (_, i) =>
    random("normal", shape, { ...source, stream: streamOf("probes", MOST_PROBES + i) }),
  );
}

const MOST_PROBES = 256;
