/** Paths of letters: each position of a sequence goes from a point spread evenly over the simplex to a corner. */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, multiply } from "../../ops/arithmetic.ts";
import { reshape } from "../../ops/shape.ts";
import { softmax } from "../../ops/softmax.ts";
import { sealed } from "../../trace/sealed.ts";
import { traceOf } from "../../trace/trace.ts";
import { graphLetters, type LettersConfig, lettersInputs } from "../paths/graph-letters.ts";
import type { PathScheduler } from "../paths/path.ts";
import { LARGEST_CONCENTRATION } from "./concentrations.ts";
import { lettersVelocity } from "./dirichlet-field.ts";
import { factorNodes } from "./factor-nodes.ts";
import { factorTable, MOST_LETTERS } from "./factor-table.ts";
import { linearVelocity } from "./linear-field.ts";

export interface LinearSimplexOptions {
  /** [L, K]: places and letters, 2 to 256 of these. */
  readonly sample: readonly [number, number];
}

export interface DirichletOptions extends LinearSimplexOptions {
  /** a at t = 1, where sampling ends, in (1, 36]; default 8. */
  readonly largest?: number;
}

/**
 * The Dirichlet path of L letters out of K: given its letter e a position is Dirichlet(1, ..., a at e, ..., 1), and its velocity by
 * a is C(x_e, a) (e - x); a = 1 + (largest - 1) t. Training draws a = 1 + 2 Exp(1), also beyond `largest`.
 *
 * On it a network gives logits [B, L K] of the letters, and stands for the velocity sum_j p_j u(x | e_j), p = softmax(logits): that
 * is what guidance combines and samplers follow. It is trained by {@link crossEntropy} and sampled by {@link sampleLetters}; losses,
 * samplers and log-densities of Gaussian paths refuse it.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range; when a trainer or model is made, where the
 * network's samples are others, or it is a {@link cnn} whose timeOffset + timeFactor t is not a.
 * @see Stark et al., Dirichlet Flow Matching with Applications to DNA Sequence Design (ICML 2024), section 3.
 * @example
 * const sample = [256, 4];
 * const path = dirichlet({ sample });
 * const trainer = await createTrainer(runtime, { network: cnn({ sample }), path, loss: crossEntropy(), data });
 */
export function dirichlet(options: DirichletOptions): PathScheduler {
  const { sample, largest = 8 } = optionsObject("options of dirichlet", options, ["sample", "largest"]);
  f32Option("largest of dirichlet", largest, { minimum: 1, maximum: LARGEST_CONCENTRATION, open: "minimum" });
  const [places, letters] = sampleOption("sample of dirichlet", sample);
  const tables = factorTable(letters);
  return pathOf(
    { name: "dirichlet", simplex: { kind: "dirichlet", largest }, sample: [places, letters] },
    (p, x, t) => {
      const { factor } = factorNodes(tables, x, add(multiply(t, largest - 1), 1));
      return multiply(lettersVelocity(p, factor, x), largest - 1); // by t, not by a
    },
  );
}

/**
 * The linear path on the simplex, x = t e + (1 - t) x0, x0 uniform on the simplex, e the letter's corner; otherwise as
 * {@link dirichlet}. FDM has no residual on it: see {@link crossEntropy}.
 *
 * @throws {@link ConfigError} likewise.
 */
export function linearSimplex(options: LinearSimplexOptions): PathScheduler {
  const { sample } = optionsObject("options of linearSimplex", options, ["sample"]);
  const own = sampleOption("sample of linearSimplex", sample);
  return pathOf({ name: "linear-simplex", simplex: { kind: "linear" }, sample: own }, linearVelocity);
}

/** @param velocity - of probabilities and points [B, L, K] and times [B, 1]. */
function pathOf(config: Omit<LettersConfig, "graph">, velocity: (p: Node, x: Node, t: Node) => Node): PathScheduler {
  const graph = traceOf(`path "${config.name}"`, lettersInputs(config.sample), (inputs, rows) => {
    const value = (name: string) => inputs.get(name) as Node;
    const shape = [rows, ...config.sample];
    const p = softmax(reshape(value("logits"), shape));
    return { velocity: reshape(velocity(p, reshape(value("x"), shape), value("t")), value("x").shape) };
  });
  return graphLetters(sealed({ ...config, graph }));
}

function sampleOption(subject: string, given: unknown): LettersConfig["sample"] {
  const [places, letters] = Array.isArray(given) ? (given as number[]) : [];
  const isRight = Array.isArray(given) && given.length === 2 && given.every(Number.isSafeInteger);
  if (
    isRight &&
    places !== undefined &&
    places >= 1 &&
    letters !== undefined &&
    letters >= 2 &&
    letters <= MOST_LETTERS
  ) {
    return [places, letters];
  }
  throw new ConfigError({
    subject,
    given: given ?? String(given),
    expected: `[L, K]: places, and 2 to ${MOST_LETTERS} letters`,
    remedy: "Give the shape of a sample, such as [256, 4].",
  });
}
