/**
 * A loss weighed by time, on times that are spread evenly, or with its divergence term on some steps alone.
 *
 * The square of a velocity's error is weighed by w(t) when velocities, the network's and the target's, are multiplied by
 * sqrt w: what is left to a loss is the same one of a flow in another clock. So u' = sqrt w u follows from the rates, and the
 * residual of the continuity equation, linear in velocities, is multiplied by sqrt w too; but r / |dilation|, a ratio of two
 * of them, has no such factor.
 */
import { ConfigError } from "../../errors.ts";
import { type Node, sizeOf } from "../../graph/node.ts";
import {
  choiceOption,
  GRAPH,
  integerOption,
  isRecord,
  type NamedOptions,
  optionsObject,
  partOption,
} from "../../graph/options.ts";
import { add, divide, floor, maximum, minimum, multiply, sqrt, subtract } from "../../ops/arithmetic.ts";
import { slice } from "../../ops/shape.ts";
import { table } from "../../ops/sources.ts";
import { expectAffine } from "../paths/affine.ts";
import type { PathScheduler, PathValues } from "../paths/path.ts";
import { cfm } from "./cfm.ts";
import { fdm } from "./fdm.ts";
import { hutchPlusPlus } from "./hutch-plus-plus.ts";
import type { Loss } from "./loss.ts";
import { multiplied } from "./multiplied.ts";
import { paper2d } from "./paper-2d.ts";

export const lossWeights = ["velocity", "noise", "data", "min-snr"] as const;
export const timeSpreads = ["uniform", "even"] as const;

/** A weight of your own: {@link defineWeight}. */
export interface TimeWeight extends NamedOptions {
  /** w(t) [B, 1] at times [B, 1]. */
  at(t: Node): Node;
}

export interface WeightedOptions {
  /**
   * What the squared error of the velocity is multiplied by, so that the mean square is that of an error of
   * - "velocity" (default): itself, weight 1;
   * - "noise": E[x0 | x], weight alpha^2 / det^2 with det = alpha' sigma - sigma' alpha: 1 / sigma'^2 on ve, t^2 on cond-ot;
   * - "data": E[x1 | x], weight sigma^2 / det^2, (1 - t)^2 on cond-ot;
   * - "min-snr": min(alpha^2, 5 sigma^2) / det^2, that of noise where the signal is weaker than 5 times the noise's variance,
   *   else 5 times that of data (Hang et al., Efficient Diffusion Training via Min-SNR Weighting, 2023);
   * or a weight of your own.
   */
  readonly by?: (typeof lossWeights)[number] | TimeWeight;
  /**
   * "uniform" (default): times are drawn one by one. "even": the times of a batch of B are 1 / B apart, begun at a random one,
   * so that each is still uniform in [0, 1), and the mean over them varies less.
   */
  readonly times?: (typeof timeSpreads)[number];
  /**
   * The divergence term on every k-th step alone, the first one, the k + 1st and so on, with k times its weight: unbiased over
   * k steps, of which the others cost what {@link cfm}'s do. Default 1.
   */
  readonly every?: number;
}

/** The name of such a loss: {@link moreLossNames}. */
export const WEIGHTED = "weighted";

/**
 * The loss weighed by time. `velocityLoss` and `divergenceLoss` in reports are weighed too: squares by w, a residual taken
 * with power 1 by its root, and one with weight "dilation" not at all.
 *
 * @param loss - one of divflow's own; of those that you define, `build` says all.
 * @throws {@link ConfigError} when an option is wrong.
 * @example
 * const loss = weighted(fdm({ divergence: 0.04, weight: "dilation" }), { by: "noise", times: "even" }); // for ve
 */
export function weighted(loss: Loss, options: WeightedOptions = {}): Loss {
  const names = ["by", "times", "every"] as const;
  const { by = "velocity", times = "uniform", every = 1 } = optionsObject("options of weighted", options, names);
  partOption("loss of weighted", loss, "build", "cfm()");
  if (isRecord(by)) partOption("by of weighted", by as TimeWeight, "at", "defineWeight()");
  else choiceOption("by of weighted", by, lossWeights);
  choiceOption("times of weighted", times, timeSpreads);
  integerOption("every of weighted", every, 1, 10_000);
  if (loss.forNetwork || loss.name === GRAPH || loss.name === WEIGHTED) {
    throw new ConfigError({
      subject: "loss of weighted",
      given: loss.name,
      expected: "cfm(), fdm() or paper2d()",
      remedy: loss.name === WEIGHTED ? "Give both options at once." : "Weigh it in its own build.",
    });
  }
  const rootOf = isRecord(by)
    ? (_: PathScheduler, t: Node) => sqrt((by as TimeWeight).at(t))
    : (path: PathScheduler, t: Node) => rootOfWeight(by as (typeof lossWeights)[number], path.at(t));
  const isPlain = by === "velocity";
  return {
    name: WEIGHTED,
    ...(loss.readsScore === undefined ? {} : { readsScore: loss.readsScore }),
    options: {
      ...loss.options,
      loss: loss.name,
      by: isRecord(by) ? by["options"] : by,
      times,
      ...(every > 1 ? { every } : {}),
    },
    ...(every > 1 ? { phases: phasesOf(loss, { by, times }, every) } : {}),
    build(context) {
      const t = times === "even" ? spread(context.t) : context.t;
      if (isPlain) return loss.build({ ...context, t });
      const { path, network } = context;
      expectAffine("by of weighted", path);
      const root = (at: Node) => rootOf(path, at);
      return loss.build({ ...context, t, path: inClock(path, root), network: multiplied(network, root) });
    },
  };
}

/** Losses whose divergence term has a weight of its own. */
const withDivergence: Readonly<Record<string, ((options: object) => Loss) | undefined>> = {
  fdm,
  "paper-2d": paper2d,
  "hutch++": hutchPlusPlus,
};

function phasesOf({ name, options }: Loss, how: WeightedOptions, every: number): NonNullable<Loss["phases"]> {
  const { divergence, velocityWeight = 1 } = options as {
    readonly divergence?: number;
    readonly velocityWeight?: number;
  };
  const make = withDivergence[name];
  if (!make || !divergence) {
    throw new ConfigError({
      subject: "every of weighted",
      given: `${every}, beside ${name}${make ? " with divergence 0" : ""}`,
      expected: "a loss with a divergence term",
      remedy: "Leave it out, or take fdm().",
    });
  }
  return {
    every,
    first: weighted(make({ ...options, divergence: every * divergence }), how),
    others: weighted(cfm({ velocityWeight }), how),
  };
}

type Root = (t: Node) => Node;

function rootOfWeight(by: (typeof lossWeights)[number], { alpha, sigma, alphaRate, sigmaRate }: PathValues): Node {
  const determinant = subtract(multiply(alphaRate, sigma), multiply(sigmaRate, alpha));
  const least = { noise: alpha, data: sigma, "min-snr": minimum(alpha, multiply(sigma, Math.sqrt(SIGNAL_TO_NOISE))) };
  return divide(least[by as keyof typeof least], maximum(determinant, LEAST));
}

/** Where "min-snr" changes over, of alpha^2 / sigma^2. */
const SIGNAL_TO_NOISE = 5;

/** Polynomial paths stand still at t = 0: less counts as this. */
const LEAST = 1e-18;

/** The path with rates multiplied by the root. */
function inClock(path: PathScheduler, root: Root): PathScheduler {
  return {
    ...path,
    at(t) {
      const { alpha, sigma, alphaRate, sigmaRate } = path.at(t);
      const factor = root(t);
      return { alpha, sigma, alphaRate: multiply(alphaRate, factor), sigmaRate: multiply(sigmaRate, factor) };
    },
  };
}

/** The times (t_0 + k / B) mod 1, in an order in which the first rows of a batch, that `fraction` takes, are spread too. */
function spread(t: Node): Node {
  const rows = sizeOf(t.shape);
  const stride = strideOf(rows);
  const places = Array.from({ length: rows }, (_, i) => ((i * stride) % rows) / rows);
  const moved = add(slice(t, 0, 0, 1), table(places, [rows, 1]));
  return subtract(moved, floor(moved));
}

/** The number with no factor in common with `rows` that is nearest above the golden section of them. */
function strideOf(rows: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round(rows * 0.618));
  while (divisor(stride, rows) !== 1) stride++;
  return stride;
}
