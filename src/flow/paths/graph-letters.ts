/**
 * Paths of letters as graphs: what turns a network's logits into a velocity on the simplex is plain data, tables and all, so
 * that files and workers need no code for it. Such paths have no alpha, no sigma and no Gaussian noise; whatever asks for
 * these is told so.
 */
import { ConfigError } from "../../errors.ts";
import { isSizes, type Node } from "../../graph/node.ts";
import { GRAPH, isRecord, type NamedOptions } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { openTrace } from "../../trace/open.ts";
import { damage, type Sealed, unsealed } from "../../trace/sealed.ts";
import type { Trace, TraceInput } from "../../trace/trace.ts";
import type { PathScheduler } from "./path.ts";

/** Which path it is. Plain JSON. */
export type SimplexKind =
  /** Concentrations a = 1 + (largest - 1) t, from 1 at t = 0 to `largest` at t = 1. */
  { readonly kind: "dirichlet"; readonly largest: number } | { readonly kind: "linear" };

/** Plain JSON: all that such a path is. */
export interface LettersConfig {
  /** What it is called in messages. */
  readonly name: string;
  readonly simplex: SimplexKind;
  /** [L, K]: places and letters. */
  readonly sample: readonly [number, number];
  /** From logits and points [B, L K] and times [B, 1] to velocities [B, L K]. */
  readonly graph: Trace;
}

const batch = { perRow: 1, plus: 0 };

/** What the graph is given. */
export function lettersInputs([places, letters]: LettersConfig["sample"]): readonly TraceInput[] {
  const shape = [batch, places * letters] as const;
  return [
    { name: "logits", shape, dtype: "f32" },
    { name: "x", shape, dtype: "f32" },
    { name: "t", shape: [batch, 1], dtype: "f32" },
  ];
}

/** What the graph of the path's factor is given: points [B, L K] and concentrations a [B, 1]. */
export function factorInputs([places, letters]: LettersConfig["sample"]): readonly TraceInput[] {
  return [
    { name: "x", shape: [batch, places * letters], dtype: "f32" },
    { name: "a", shape: [batch, 1], dtype: "f32" },
  ];
}

/** What it gives: C(x, a), and C / x. */
export function factorOutputs([places, letters]: LettersConfig["sample"]): readonly TraceInput[] {
  const shape = [batch, places * letters];
  return ["factor", "ratio"].map((name) => ({ name, shape, dtype: "f32" }));
}

/** Whether plain data of a path say one of letters. */
export function isLetters(given: unknown): boolean {
  return isRecord(given) && "simplex" in given;
}

/** What a path of letters is; undefined of any other. */
export function lettersOf({ name, options }: NamedOptions): Pick<LettersConfig, "simplex" | "sample"> | undefined {
  return name === GRAPH && isLetters(options) ? (options as unknown as LettersConfig) : undefined;
}

/**
 * The path of such a graph.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function graphLetters(given: unknown): PathScheduler {
  const { subject, fields } = unsealed("path", given, ["simplex", "sample", "graph"]);
  const { simplex, sample, graph } = fields as Partial<Sealed<LettersConfig>>;
  const { kind, largest } = Object(simplex) as { kind?: unknown; largest?: unknown };
  if (kind !== "linear" && !(kind === "dirichlet" && typeof largest === "number" && largest > 1)) {
    throw damage(`${subject}, simplex`, simplex, "a kind of path and its options");
  }
  if (!isSizes(sample) || sample.length !== 2) throw damage(`${subject}, sample`, sample, "[L, K]");
  const own = sample as LettersConfig["sample"];
  const trace = openTrace(graph, subject, {
    inputs: lettersInputs(own),
    outputs: [{ name: "velocity", shape: [batch, own[0] * own[1]], dtype: "f32" }],
    without: ["state", "random", "replaceRow"],
  });
  return {
    name: GRAPH,
    options: given as PathScheduler["options"],
    get priorDeviation() {
      return refuse(subject, "a question for its Gaussian noise: samples without a start, or log-densities");
    },
    dilationVanishes: true,
    at: () => refuse(subject, "a loss, solver or guidance that reads alpha and sigma"),
    bind(network) {
      expectLogits(subject, network, own, simplex as SimplexKind);
      return {
        ...network,
        own: network,
        apply(parameters, x, t, conditions) {
          const logits = network.apply(parameters, x, t, conditions);
          const inputs = new Map([["logits", logits] as const, ["x", x] as const, ["t", t] as const]);
          return trace.instantiate(x.shape[0] as number, inputs).get("velocity") as Node;
        },
      };
    },
  };
}

function refuse(subject: string, given: string): never {
  throw new ConfigError({
    subject,
    given,
    expected: "crossEntropy() and sampleLetters() of divflow/letters",
    remedy: "It leads from a simplex to letters: take these; or a path with noise, such as condOT().",
  });
}

function expectLogits(
  subject: string,
  { kind, config, dimension, sample }: Network,
  own: LettersConfig["sample"],
  simplex: SimplexKind,
): void {
  const [places, letters] = own;
  if (dimension !== places * letters || (sample && sample.join() !== own.join())) {
    throw new ConfigError({
      subject: `sample of the network on ${subject}`,
      given: sample ?? [dimension],
      expected: `[${places}, ${letters}], the path's places and letters`,
      remedy: "Give network, path and data one shape: cnn({ sample: [L, K] }).",
    });
  }
  if (kind !== "cnn" || simplex.kind !== "dirichlet") return;
  const { timeOffset, timeFactor } = config;
  if (timeOffset === 1 && timeFactor === simplex.largest - 1) return;
  throw new ConfigError({
    subject: `timeOffset and timeFactor of the cnn on ${subject}`,
    given: [timeOffset, timeFactor],
    expected: `[1, ${simplex.largest - 1}], so that timeOffset + timeFactor t is the path's concentration`,
    remedy: `Set timeFactor to ${simplex.largest - 1}, or largest of the path to 1 + timeFactor.`,
  });
}
