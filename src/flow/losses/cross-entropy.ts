/** Cross-entropy of letters, and with it flow and divergence matching on the Dirichlet path. */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { booleanOption, choiceOption, f32Option, optionsObject } from "../../graph/options.ts";
import { add, divide, log, multiply, negate, select, subtract } from "../../ops/arithmetic.ts";
import { stopGradient } from "../../ops/control.ts";
import { sum } from "../../ops/reduce.ts";
import { broadcast, reshape } from "../../ops/shape.ts";
import { softmax } from "../../ops/softmax.ts";
import { jacobianProducts } from "../divergence.ts";
import { type LettersConfig, lettersOf, type SimplexKind } from "../paths/graph-letters.ts";
import { onPath, type PathScheduler } from "../paths/path.ts";
import {
  lettersCrossEntropy,
  letterTerms,
  residualLoss,
  residualParts,
  tangentOf,
  transportEstimate,
} from "../simplex/dirichlet-field.ts";
import { factorTable } from "../simplex/factor-table.ts";
import { exponentials, gammas, shares } from "../simplex/letter-noise.ts";
import { linearPoint } from "../simplex/linear-field.ts";
import { graphLoss, lossConfig } from "./graph-loss.ts";
import { type Loss, type LossContext, type LossTerms, type ProbeKind, probeKinds, randomKindOf } from "./loss.ts";

export interface CrossEntropyOptions {
  /**
   * Weight of the divergence term, at least 0; default 0. Above 0 on the Dirichlet path alone: on the linear one letters'
   * densities have edges that move, and what crosses them is in no residual.
   */
  readonly divergence?: number;
  /** Of the divergence's probe; default "rademacher". */
  readonly probe?: ProbeKind;
  /**
   * Whether the probabilities that multiply the score are held constant when differentiating. Default true: docs/loss.md says
   * why.
   */
  readonly detachVelocity?: boolean;
}

/**
 * What the network's logits miss of the letters,
 *   -mean over rows and positions of log softmax(logits)[letter]  +  divergence * mean over rows of (r / (L K))^2,
 * at points drawn on the path. r is the residual of the continuity equation along the Dirichlet path, summed over positions:
 * r = div v + (a - 1) v_e / x_e + psi(a+K-1) - psi(a) + ln x_e, with div v = sum_j [grad p_j . u_j + p_j div u_j], whose first part is
 * estimated by one jvp of the probabilities along P z, z a probe. It is 0 where p is certain of the letter. Reports have the
 * cross-entropy as velocityLoss, the second mean as divergenceLoss.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range; from the trainer, when the path has no letters.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const known = ["divergence", "probe", "detachVelocity"] as const;
  const {
    divergence = 0,
    probe = "rademacher",
    detachVelocity = true,
  } = optionsObject("options of crossEntropy", options, known);
  f32Option("divergence of crossEntropy", divergence, { minimum: 0 });
  choiceOption("probe of crossEntropy", probe, probeKinds);
  booleanOption("detachVelocity of crossEntropy", detachVelocity);
  const complete = { divergence, probe, detachVelocity };
  return {
    name: "cross-entropy",
    options: complete,
    build: ({ path }) => refusePath(path), // trainers take what forNetwork gives
    forNetwork(network, path) {
      const letters = lettersOf(path) ?? refusePath(path);
      if (divergence > 0 && letters.simplex.kind === "linear") refuseLinear(divergence);
      const { own: logits = network } = onPath(network, path);
      return graphLoss(lossConfig(lettersLoss(complete, letters), logits, path));
    },
  };
}

/** The loss of a network of logits, as a graph is made of it. */
function lettersLoss(
  options: Required<CrossEntropyOptions>,
  { simplex, sample: [places, count] }: Pick<LettersConfig, "simplex" | "sample">,
) {
  const tables = options.divergence > 0 ? factorTable(count) : undefined;
  const build = ({ network, x1, t, random }: LossContext): LossTerms => {
    const rows = x1.shape[0] as number;
    const letters = reshape(x1, [rows, places, count]);
    const { point, a, time } = drawn(simplex, letters, t, random);
    const x = reshape(point, x1.shape);
    const values = reshape(network(x, time), letters.shape);
    const velocityLoss = lettersCrossEntropy(values, letters);
    if (!tables || !a) return { loss: velocityLoss, velocityLoss, divergenceLoss: undefined };

    const p = softmax(values);
    const terms = letterTerms(tables, point, a);
    const tangent = tangentOf(reshape(random(randomKindOf[options.probe], x.shape), letters.shape));
    const [product] = jacobianProducts(p, x, [reshape(tangent, x.shape)]) as [Node];
    const { sum: parts } = residualParts(letters, p, terms, a, options.detachVelocity ? stopGradient(p) : p);
    const residual = add(transportEstimate(product, terms.factor, point, tangent), sum(parts, [1]));
    const divergenceLoss = residualLoss(residual, point);
    const loss = add(velocityLoss, multiply(divergenceLoss, options.divergence));
    return { loss, velocityLoss, divergenceLoss };
  };
  return { name: "cross-entropy", build };
}

/** Mean of a - 1 in training. */
const MEAN_CONCENTRATION = 2;

interface LetterPoints {
  /** [B, L, K]. */
  readonly point: Node;
  /** On the Dirichlet path [B, 1]. */
  readonly a?: Node;
  /** As the network has it, [B, 1]. */
  readonly time: Node;
}

/** Points on the path, of letters [B, L, K] and uniform t [B, 1]. */
export function drawn(simplex: SimplexKind, letters: Node, t: Node, random: LossContext["random"]): LetterPoints {
  const spread = exponentials(random, letters.shape);
  if (simplex.kind === "linear") return { point: linearPoint(letters, shares(spread), t), time: t };
  const passed = multiply(negate(log(subtract(1, t))), MEAN_CONCENTRATION); // t < 1, so at most 33.3
  const a = add(passed, 1);
  // The letter's own coordinate is Gamma(a), the others Exp(1), over their sum.
  const places = letters.shape[1] as number;
  const own = reshape(gammas(random, a, places), [...letters.shape.slice(0, 2), 1]);
  const values = select(letters, broadcast(own, letters.shape), spread);
  return { point: shares(values), a, time: divide(passed, simplex.largest - 1) };
}

function refusePath({ name }: PathScheduler): never {
  throw new ConfigError({
    subject: "path of crossEntropy",
    given: name,
    expected: "dirichlet() or linearSimplex() of divflow/letters",
    remedy: "It is about letters; on a path with noise take cfm() or fdm().",
  });
}

function refuseLinear(divergence: number): never {
  throw new ConfigError({
    subject: "divergence of crossEntropy",
    given: `${divergence} on the linear path`,
    expected: "0 there, or the Dirichlet path",
    remedy:
      "A letter's density on the linear path is even on a simplex that shrinks: what a wrong velocity carries over its edge is " +
      "in no divergence and no score. Take dirichlet().",
  });
}
