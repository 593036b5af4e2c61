/**
 * Flow and divergence matching. The error of a learned density is driven by the residual of the continuity equation
 * along the path,
 *   r = div v - div u + (v' - u).s = div v - D dilation + (v' - u).s,
 * so its size is minimised beside the velocity's error:
 *   loss = velocityWeight * mean (v - u)^2 + divergence * mean over rows of |w r / D|^power     (form "residual")
 *   loss = velocityWeight * mean (v - u)^2 + divergence * mean over rows of (|w R| / sqrt D)^power  (form "slice")
 * with R = J z + (v' - u)(s.z) - dilation z, J = dv/dx, z a probe, |.| of a vector its Euclidean norm.
 *
 * As sigma -> 0 the parts of r grow like 1/sigma. On affine paths sigma s = -x0 and sigma dilation = sigma' hold
 * exactly, so that sigma r = sigma div v - D sigma' - (v' - u).x0 is built without any division by sigma.
 *
 * @see Huang et al., Improving Flow Matching by Aligning Flow Divergence (ICML 2025), section 3.
 */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import {
  booleanOption,
  choiceOption,
  f32Option,
  integerOption,
  numberOption,
  optionsObject,
} from "../../graph/options.ts";
import { abs, add, divide, maximum, multiply, sqrt, square, subtract } from "../../ops/arithmetic.ts";
import { stopGradient } from "../../ops/control.ts";
import { mean, meanAll, sum } from "../../ops/reduce.ts";
import { concat, slice } from "../../ops/shape.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../divergence.ts";
import { type PathPoint, type PathScheduler, pointBetween } from "../paths/path.ts";
import { cfm } from "./cfm.ts";
import { type Loss, type LossContext, meanSquare, onRows, type ProbeKind, probeKinds, randomKindOf } from "./loss.ts";

export const divergenceForms = ["residual", "slice"] as const;
export const divergenceWeights = ["sigma", "dilation", "none"] as const;
export const divergenceEstimators = ["hutchinson", "exact"] as const;

export interface FDMOptions {
  /** Weight of the divergence term, at least 0; default 0.1. With 0 the loss is CFM's, bit for bit. */
  readonly divergence?: number;
  /** Weight of the velocity term, positive; default 1. */
  readonly velocityWeight?: number;
  /**
   * "residual" (default): the scalar r = div v - div u + (v' - u).s, the exact defect of the continuity equation (u and s:
   * the path's target velocity and score, v' the velocity, see `detachVelocity`). "slice": for a probe z the vector
   * R = J z + (v' - u)(s.z) - dilation z, whose
   * mean square over probes is the Frobenius norm of J + (v' - u) s^T - dilation I, of which r is the trace.
   */
  readonly form?: (typeof divergenceForms)[number];
  /** The power of |r|, or of |R|, that is minimised. Default 2. */
  readonly power?: 1 | 2;
  /**
   * The factor w of r or R: "sigma" (default), or "dilation": 1 / |sigma'/sigma|, both (1 - t) on cond-ot; "none": 1, singular as t -> 1 on
   * all paths but ve. "dilation" is refused on paths whose dilation is 0 at t = 0, or so small that losses leave f32.
   */
  readonly weight?: (typeof divergenceWeights)[number];
  /**
   * "hutchinson" (default): div v is the mean of z.(J z) over probes, a jvp each. "exact": the trace by D jvps along
   * unit vectors; for the slice form all of R's matrix: |w R|^2 / D becomes the squared Frobenius norm / D.
   *
   * What is biased: (v' - u).s is exact always, and r itself is unbiased. But |r|^power of an estimate is too large:
   * for power 2 by the estimate's variance / probes (Rademacher: 2 sum over i != j of S_ij^2, S = (J + J^T)/2; Gaussian:
   * 2 |S|_F^2), which adds a penalty on S. For power 1 it is too large too, by Jensen's inequality. Exact has no bias;
   * so has the slice form with power 2, for any number of probes; and the residual form with `unbiased`.
   */
  readonly estimator?: (typeof divergenceEstimators)[number];
  /** Probes of the Hutchinson estimate; default "rademacher", which has no variance where J is diagonal. */
  readonly probe?: ProbeKind;
  /** Number P of probes: the residual form averages their estimates, the slice form their losses. Default 1. */
  readonly probes?: number;
  /**
   * Of the residual form with power 2 and at least two probes: r^2 as the mean over pairs of probes of the product of
   * their residuals. Probes are independent, so its mean and its gradient's are those of the exact trace, whatever the
   * Jacobian; it varies more, and may be negative. Default false: the square of their average.
   */
  readonly unbiased?: boolean;
  /**
   * Whether the velocity that multiplies the score is held constant when differentiating, so that the divergence term
   * trains div v alone. Default true; docs/loss.md says why.
   */
  readonly detachVelocity?: boolean;
  /**
   * Share of the batch, its first rows, that the divergence term is taken on, in (0, 1]; default 1. Unbiased, since
   * rows are drawn alike; a step costs (1 + probes * fraction) times a CFM step.
   */
  readonly fraction?: number;
}

/**
 * Flow and divergence matching: conditional flow matching, and beside it the size of the continuity equation's residual,
 *
 *   velocityWeight * mean (v - u)^2 + divergence * mean over rows of |w r / D|^power,
 *   r = div v - div u + (v' - u).s,
 *
 * with the path's target velocity u and score s, and v' the velocity held constant. A step costs about twice one of
 * {@link cfm}; `fraction` takes the divergence term on a part of each batch.
 *
 * @throws {@link ConfigError} when an option is outside its range; from `build`, when weight "dilation" meets a path
 * whose dilation vanishes.
 */
export function fdm(options: FDMOptions = {}): Loss {
  const complete = completed(options);
  return {
    name: "fdm",
    options: { ...complete },
    readsScore: complete.divergence > 0,
    build(context) {
      const { divergence, velocityWeight, weight } = complete;
      if (weight === "dilation") refuseVanishingDilation(context.path);
      // Not even a report of the divergence: the graph is CFM's, so the bits are, whatever kernels a plan chooses.
      if (divergence === 0) return cfm({ velocityWeight }).build(context);

      const { t } = context;
      const { x, velocity: u, noise, sigma, sigmaRate, field } = pointBetween(context);
      const rows = Math.max(1, Math.round(complete.fraction * (t.shape[0] as number)));
      const { v, head } = evaluateField(field, x, t, rows);
      const velocityLoss = meanSquare(subtract(v, u));

      const first = (node: Node) => (rows === node.shape[0] ? node : slice(node, 0, 0, rows));
      const divergenceLoss = divergenceTerm(complete, {
        values: { sigma: first(sigma), sigmaRate: first(sigmaRate) },
        x: head.x,
        v: head.v,
        u: first(u),
        x0: first(noise),
        random: context.random,
      });
      const loss = add(multiply(velocityLoss, velocityWeight), multiply(divergenceLoss, divergence));
      return { loss, velocityLoss, divergenceLoss };
    },
  };
}

type Spread = Pick<PathPoint, "sigma" | "sigmaRate">;

/** All that the divergence term reads, on the rows it is taken on. */
interface DivergenceInputs {
  readonly values: Spread;
  readonly x: Node;
  readonly v: Node;
  readonly u: Node;
  readonly x0: Node;
  readonly random: LossContext["random"];
}

function divergenceTerm(options: CompleteOptions, inputs: DivergenceInputs): Node {
  const { form, power, detachVelocity } = options;
  const { v, u, x, values } = inputs;
  const dimension = x.shape[1] as number;
  const exact = options.estimator === "exact";
  const probes = exact
    ? unitVectors(x.shape)
    : Array.from({ length: options.probes }, () => inputs.random(randomKindOf[options.probe], x.shape));
  const products = jacobianProducts(v, x, probes);
  const excess = subtract(detachVelocity ? stopGradient(v) : v, u);

  if (form === "residual") {
    const residual = (divergence: Node) => {
      const weighted = weigh(scaledResidual(values, divergence, excess, inputs.x0), values, options.weight);
      return multiply(weighted, 1 / dimension);
    };
    if (exact) return meanAll(raise(residual(traceOf(products)), power));
    const estimates = probes.map((z, i) => hutchinsonEstimate(z, products[i] as Node));
    if (options.unbiased) return meanAll(meanOfPairs(estimates.map(residual)));
    return meanAll(raise(residual(average(estimates)), power));
  }

  // (|w R| / sqrt D)^power of each probe, [B, 1]; exact: the sum of squares over unit vectors in place of one probe's.
  const squares = probes.map((z, i) => {
    const scaled = scaledSlice(values, z, products[i] as Node, excess, inputs.x0);
    return mean(square(weigh(scaled, values, options.weight)), [1]);
  });
  const parts = exact ? [squares.reduce((a, b) => add(a, b))] : squares;
  const costs = parts.map((part) => (power === 2 ? part : sqrt(maximum(part, SMALLEST_SQUARE))));
  return meanAll(average(costs));
}

/** Below it the slope of the root is taken as 0 and not as infinite; its root, 1e-15, is below any f32 rounding here. */
const SMALLEST_SQUARE = 1e-30;

/** sigma r = sigma div v - D sigma' - (v' - u).x0, [B, 1]. `divergence` [B, 1], `excess` v' - u and x0 [B, D]. */
export function scaledResidual({ sigma, sigmaRate }: Spread, divergence: Node, excess: Node, x0: Node): Node {
  const dimension = x0.shape[1] as number;
  const expansion = subtract(multiply(sigma, divergence), multiply(sigmaRate, dimension));
  return subtract(expansion, sum(multiply(excess, x0), [1]));
}

/** sigma R = sigma J z - (v' - u)(x0.z) - sigma' z, [B, D]; `product` is J z. */
export function scaledSlice(values: Spread, z: Node, product: Node, excess: Node, x0: Node): Node {
  const { sigma, sigmaRate } = values;
  const along = sum(multiply(x0, z), [1]);
  return subtract(subtract(multiply(sigma, product), multiply(excess, along)), multiply(sigmaRate, z));
}

/** w q from sigma q. */
function weigh(scaled: Node, { sigma, sigmaRate }: Spread, weight: Required<FDMOptions>["weight"]): Node {
  if (weight === "sigma") return scaled;
  return divide(scaled, weight === "dilation" ? abs(sigmaRate) : sigma);
}

function average(nodes: readonly Node[]): Node {
  const total = nodes.reduce((a, b) => add(a, b));
  return nodes.length === 1 ? total : multiply(total, 1 / nodes.length);
}

/** The mean of a b over pairs of different ones, at least two; without the squares that a square of the sum has. */
function meanOfPairs([first, ...others]: readonly Node[]): Node {
  let total = first as Node;
  let products: Node | undefined;
  for (const node of others) {
    const product = multiply(total, node);
    products = products ? add(products, product) : product;
    total = add(total, node);
  }
  return multiply(products as Node, 2 / (others.length * (others.length + 1)));
}

function raise(x: Node, power: 1 | 2): Node {
  return power === 2 ? square(x) : abs(x);
}

/** v [B, D] on all rows, and x and v of the first `rows`: only what is differentiated by x pays for tangents. */
function evaluateField(network: LossContext["network"], x: Node, t: Node, rows: number) {
  const batch = x.shape[0] as number;
  if (rows === batch) {
    const v = network(x, t);
    return { v, head: { x, v } };
  }
  const head = (node: Node) => slice(node, 0, 0, rows);
  const tail = (node: Node) => slice(node, 0, rows, batch);
  const headX = head(x);
  const headV = onRows(network, head)(headX, head(t));
  const tailV = onRows(network, tail)(tail(x), tail(t));
  return { v: concat([headV, tailV], 0), head: { x: headX, v: headV } };
}

/** With every choice made. */
type CompleteOptions = Required<Omit<FDMOptions, "unbiased">> & Pick<FDMOptions, "unbiased">;

/** All options, checked; one that is given as undefined takes its default too. */
function completed(options: FDMOptions): CompleteOptions {
  optionsObject("options of fdm", options, [
    ...(["divergence", "velocityWeight", "form", "power", "weight", "estimator"] as const),
    ...(["probe", "probes", "unbiased", "detachVelocity", "fraction"] as const),
  ]);
  const { divergence = 0.1, velocityWeight = 1, form = "residual", power = 2, weight = "sigma" } = options;
  const { estimator = "hutchinson", probe = "rademacher", probes = 1, detachVelocity = true, fraction = 1 } = options;
  const { unbiased = false } = options;
  f32Option("divergence of fdm", divergence, { minimum: 0 });
  f32Option("velocityWeight of fdm", velocityWeight, { minimum: 0, open: "minimum" });
  choiceOption("form of fdm", form, divergenceForms);
  choiceOption("power of fdm", power, [1, 2]);
  choiceOption("weight of fdm", weight, divergenceWeights);
  choiceOption("estimator of fdm", estimator, divergenceEstimators);
  choiceOption("probe of fdm", probe, probeKinds);
  integerOption("probes of fdm", probes, 1, 1024);
  booleanOption("unbiased of fdm", unbiased);
  booleanOption("detachVelocity of fdm", detachVelocity);
  numberOption("fraction of fdm", fraction, { minimum: 0, maximum: 1, open: "minimum" });
  const complete = {
    divergence,
    velocityWeight,
    form,
    power,
    weight,
    estimator,
    probe,
    probes,
    detachVelocity,
    fraction,
  };
  if (!unbiased) return complete; // as before there was the option: files of older versions do not have it
  refuseSinglePairs(complete);
  return { ...complete, unbiased };
}

function refuseSinglePairs({ form, power, estimator, probes }: CompleteOptions): void {
  if (form === "residual" && power === 2 && (estimator === "exact" || probes > 1)) return;
  throw new ConfigError({
    subject: "unbiased of fdm",
    given: `true with form "${form}", power ${power} and ${probes} ${probes === 1 ? "probe" : "probes"}`,
    expected: 'form "residual", power 2 and at least 2 probes',
    remedy: 'Set probes to 2; the slice form with power 2 and estimator "exact" have no bias as they are.',
  });
}

function refuseVanishingDilation({ name, dilationVanishes }: PathScheduler): void {
  if (!dilationVanishes) return;
  throw new ConfigError({
    subject: "weight of fdm",
    given: `"dilation" on path ${name}`,
    expected: "a path whose dilation is nowhere 0, as on cond-ot, ve, and vp up to betaMax 60",
    remedy: 'Use weight "sigma" on this path: 1/|dilation| is infinite at t = 0, or its square in f32.',
  });
}
