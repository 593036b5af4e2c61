/** Losses of flow maps: average velocities and, with a head, average divergences. flow/flow-map.ts has the formulas. */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import {
  choiceOption,
  f32Option,
  integerOption,
  numberOption,
  optionsObject,
  partOption,
} from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { add, divide, exp, less, maximum, minimum, multiply, select, subtract } from "../../ops/arithmetic.ts";
import { table } from "../../ops/sources.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../divergence.ts";
import {
  type AdaptiveWeights,
  type AverageField,
  averagesOf,
  averageTarget,
  derivativesAlong,
  weightedMeanSquare,
} from "../flow-map.ts";
import { onPath, type PathScheduler, pointOnPath, targetVelocity } from "../paths/path.ts";
import { divergenceEstimators } from "./fdm.ts";
import { graphLoss, lossConfig } from "./graph-loss.ts";
import {
  type Loss,
  type LossContext,
  type LossTerms,
  meanSquare,
  type ProbeKind,
  probeKinds,
  randomKindOf,
} from "./loss.ts";

const NAME = "mean-flow";

export const meanFlowTangents = ["conditional", "model", "mixed"] as const;

/** Times sigmoid(mean + deviation z), z ~ N(0, 1). */
export interface LogitNormalTimes {
  readonly mean?: number;
  readonly deviation?: number;
}

/** A network with numbers for parameters: `frozenField` reads it from a model file. */
export interface FrozenField {
  readonly network: Network;
  /** Of the data and noise it was trained on. */
  readonly path: PathScheduler;
  /** By name, as the network shapes them. */
  readonly parameters: ReadonlyMap<string, ArrayLike<number>>;
}

export interface MeanFlowOptions {
  /**
   * The direction in which the average velocity is differentiated. "conditional": the path's velocity w given noise and data,
   * as MeanFlow has it. "model" (default): the network's own velocity U(x, s, s), as improved MeanFlow has it, one more
   * evaluation: the target then varies less. "mixed": the mean of both. The target's mean is the same where U(x, s, s) is
   * the flow's velocity.
   */
  readonly tangent?: (typeof meanFlowTangents)[number];
  /** Probability of a pair with e = s, where the loss is that of flow matching, in [0, 1]; default 0.5. */
  readonly equal?: number;
  /** Both times of a pair: "uniform" (default) in [0, 1], or logit-normal, by default of mean 0.4 and deviation 1. */
  readonly times?: "uniform" | LogitNormalTimes;
  /**
   * Weights (|U - target|^2 + offset)^-power of rows, held constant: by default power 0, all alike; power 1 and offset 1e-3 are
   * published for images.
   */
  readonly adaptive?: Partial<AdaptiveWeights>;
  /** Weight of the head's loss, mean over rows of ((A - target) / D)^2, at least 0; default 1, without a head 0. */
  readonly divergence?: number;
  /** Divergence at e = s: "hutchinson" (default), the mean over probes; "exact", by D tangents, without variance. */
  readonly estimator?: (typeof divergenceEstimators)[number];
  /** Probes of "hutchinson"; default one, "rademacher". */
  readonly probe?: ProbeKind;
  readonly probes?: number;
  /**
   * A loss of the velocity U(x, t, t) that is added, such as fdm(): what the averages are anchored to is then trained by it
   * at all times, whatever share of pairs has e = s.
   */
  readonly anchor?: Loss;
  /**
   * A trained field that is held constant, on the same path and the same data: its velocity stands for w, for U(x, s, s) and for
   * the direction, so that targets vary no more with noise and data; the head is held to its divergence. The numbers are part
   * of the loss: files of the trainer grow by 5.3 bytes for each.
   */
  readonly teacher?: FrozenField;
}

/**
 * MeanFlow: mean over rows of weight |U(x, s, e) - target|^2 / D, target = w + (e - s) dU/ds, with w the path's velocity and d/ds
 * along the flow; with a head also divergence times the mean square of (A(x, s, e) - target) / D, whose target is
 * z.(J z) of U(x, s, s) + (e - s) dA/ds. Targets are constants: reverse mode goes through U and A alone. For networks made by
 * {@link flowMap}; where they are made with `reverse`, half of the pairs have e before s.
 *
 * A step counts 4/3 of {@link cfm}'s with tangent "conditional" and no head, 5/3 with another tangent, 2 with a head.
 *
 * @throws {@link ConfigError} when an option is outside its range; from the trainer, when the network is no flow map.
 * @see Geng et al., arXiv 2505.13447 and 2512.02012; F2D2, arXiv 2512.02636.
 */
export function meanFlow(options: MeanFlowOptions = {}): Loss {
  const complete = completed(options);
  const build = (context: LossContext) => meanFlowTerms(complete, context);
  const own = { name: NAME, build };
  return { ...own, options: {}, forNetwork: (network, path) => graphLoss(lossConfig(own, network, path)) };
}

type CompleteOptions = ReturnType<typeof completed>;

function meanFlowTerms(options: CompleteOptions, context: LossContext): LossTerms {
  const { network, path, x0, x1 } = context;
  const average = averagesOf(network.made) ?? refuse(network.made?.network.own !== undefined);
  const { divergence: hasHead, reverse } = network.made?.network.average ?? {};
  const { divergence = hasHead ? 1 : 0, tangent } = options;
  if (divergence > 0 && !hasHead) {
    throw new ConfigError({
      subject: "divergence of meanFlow",
      given: divergence,
      expected: "0: the network has no head for it",
      remedy: "Make it by flowMap({ divergence: true }), or leave this out.",
    });
  }
  const { s, e } = timesOf(options, context, reverse ?? false);
  const values = path.at(s);
  const x = pointOnPath(values, x0, x1);
  const w = targetVelocity(values, x0, x1);

  const between = average(x, s, e);
  const taught = options.teacher && taughtVelocity(options.teacher, context, x, s);
  const now = taught ?? (tangent !== "conditional" || divergence > 0 ? average(x, s, s).velocity : w);
  const directions = { conditional: w, model: now, mixed: multiply(add(w, now), 0.5) };
  const derivative = derivativesAlong(between, x, s, taught ?? directions[tangent]);
  const miss = subtract(between.velocity, averageTarget(taught ?? w, s, e, derivative.velocity));
  const velocityLoss = meanSquare(miss);
  const { power } = options.adaptive;
  const terms = [power > 0 ? weightedMeanSquare(miss, options.adaptive) : velocityLoss];
  let divergenceLoss: Node | undefined;
  if (divergence > 0) {
    const at = divergenceNow(options, context, now, x);
    const target = averageTarget(at, s, e, derivative.divergence as Node);
    const missed = subtract(between.divergence as Node, target);
    divergenceLoss = meanSquare(multiply(missed, 1 / (x.shape[1] as number)));
    terms.push(multiply(divergenceLoss, divergence));
  }
  if (options.anchor) terms.push(options.anchor.build(context).loss);
  return { loss: terms.reduce((a, b) => add(a, b)), velocityLoss, divergenceLoss };
}

/** The teacher's velocity at x and times s. */
function taughtVelocity({ network, parameters, path }: FrozenField, context: LossContext, x: Node, s: Node): Node {
  const { conditions = new Map(), network: own } = context.network.made ?? {};
  const named = ({ name, options }: PathScheduler) => JSON.stringify({ name, options });
  const differs = (what: string, given: unknown, expected: unknown) => {
    if (given === expected) return;
    throw new ConfigError({
      subject: `${what} of the teacher of meanFlow`,
      given,
      expected: `${expected}, as the flow map is trained`,
      remedy: "Train the teacher on the same data, path and conditions.",
    });
  };
  differs("dimension", network.dimension, x.shape[1]);
  differs("path", named(path), named(context.path));
  differs("conditions", JSON.stringify(network.conditions ?? {}), JSON.stringify(own?.conditions ?? {}));
  const values = new Map(
    network.parameters.map(({ name, shape }) => [name, table(Array.from(parameters.get(name) ?? []), shape)] as const),
  );
  return onPath(network, path).apply(values, x, s, conditions);
}

/** div U(x, s, s) [B, 1], or an estimate of it. */
function divergenceNow(options: CompleteOptions, { random }: LossContext, now: Node, x: Node): Node {
  const { estimator, probe, probes } = options;
  if (estimator === "exact") return traceOf(jacobianProducts(now, x, unitVectors(x.shape)));
  const directions = Array.from({ length: probes }, () => random(randomKindOf[probe], x.shape));
  const products = jacobianProducts(now, x, directions);
  const estimates = directions.map((z, i) => hutchinsonEstimate(z, products[i] as Node));
  return multiply(estimates.reduce(add), 1 / probes);
}

/** Starts and ends [B, 1]; the trainer's times are one of both. No start goes into an end: derivatives by s hold ends. */
function timesOf({ times, equal }: CompleteOptions, { t, random }: LossContext, reverse: boolean) {
  const isUniform = times === "uniform";
  const time = (uniform: Node | undefined) => {
    if (isUniform) return uniform ?? random("uniform", t.shape);
    const shifted = add(multiply(random("normal", t.shape), times.deviation), times.mean);
    return divide(1, add(exp(multiply(shifted, -1)), 1));
  };
  const [one, other] = [time(t), time(undefined)];
  const [early, late] = [minimum(one, other), maximum(one, other)];
  const back = reverse ? less(random("uniform", t.shape), 0.5) : undefined;
  const s = back ? select(back, late, early) : early;
  const end = back ? select(back, early, late) : late;
  // Where e = s a pair is one of the times, not the earlier of two: else flow matching would see few late ones.
  const isEqual = less(random("uniform", t.shape), equal);
  const start = select(isEqual, one, s);
  return { s: start, e: select(isEqual, one, end) };
}

function completed(options: MeanFlowOptions) {
  optionsObject("options of meanFlow", options, [
    ...(["tangent", "equal", "times", "adaptive", "divergence", "estimator", "probe", "probes"] as const),
    ...(["anchor", "teacher"] as const),
  ]);
  const { tangent = "model", equal = 0.5, times = "uniform", divergence, probe = "rademacher", probes = 1 } = options;
  const { estimator = "hutchinson", anchor, teacher } = options;
  choiceOption("tangent of meanFlow", tangent, meanFlowTangents);
  numberOption("equal of meanFlow", equal, { minimum: 0, maximum: 1 });
  const { power = 0, offset = 1e-3 } = optionsObject("adaptive of meanFlow", options.adaptive ?? {}, [
    "power",
    "offset",
  ]);
  f32Option("power in adaptive of meanFlow", power, { minimum: 0 });
  f32Option("offset in adaptive of meanFlow", offset, { minimum: 0, open: "minimum" });
  if (divergence !== undefined) f32Option("divergence of meanFlow", divergence, { minimum: 0 });
  choiceOption("probe of meanFlow", probe, probeKinds);
  integerOption("probes of meanFlow", probes, 1, 1024);
  choiceOption("estimator of meanFlow", estimator, divergenceEstimators);
  if (anchor !== undefined && partOption("anchor of meanFlow", anchor, "build", "fdm()").name === NAME) refuseAnchor();
  if (teacher !== undefined) {
    partOption("teacher of meanFlow", teacher.network, "apply", "await frozenField(bytes)");
    if (options.tangent) refuseTangent(options.tangent);
  }
  return {
    tangent,
    equal,
    times: logitNormal(times),
    adaptive: { power, offset },
    divergence,
    estimator,
    probe,
    probes,
    anchor,
    teacher,
  };
}

function logitNormal(times: NonNullable<MeanFlowOptions["times"]>): "uniform" | Required<LogitNormalTimes> {
  if (typeof times === "string") return choiceOption("times of meanFlow", times, ["uniform"] as const);
  const { mean = 0.4, deviation = 1 } = optionsObject("times of meanFlow", times, ["mean", "deviation"]);
  f32Option("mean in times of meanFlow", mean);
  f32Option("deviation in times of meanFlow", deviation, { minimum: 0, open: "minimum" });
  return { mean, deviation };
}

function refuseTangent(given: string): never {
  throw new ConfigError({
    subject: "tangent of meanFlow",
    given,
    expected: "no such option beside a teacher, whose velocity is the direction",
    remedy: "Leave it out.",
  });
}

function refuseAnchor(): never {
  throw new ConfigError({
    subject: "anchor of meanFlow",
    given: "meanFlow()",
    expected: "a loss of the velocity, such as fdm()",
    remedy: "Give cfm() or fdm(), or leave it out.",
  });
}

function refuse(hasOutput: boolean): AverageField {
  if (hasOutput) {
    throw new ConfigError({
      subject: "network of meanFlow",
      given: "a path that makes velocities of its output, such as withOutput()'s",
      expected: "a path where its output is the velocity, whose averages are trained",
      remedy: "Give the path itself: condOT() in place of withOutput(..., condOT()).",
    });
  }
  throw new ConfigError({
    subject: "network of meanFlow",
    given: "a field that is no flow map's",
    expected: "a network made by flowMap",
    remedy: "Make it so: flowMap({ network: mlp({ dimension: D + 1 }) }).",
  });
}
