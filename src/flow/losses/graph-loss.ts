/**
 * Losses that are graphs: what a user's function builds for one network and one path, as plain data. The network's own
 * nodes are in it, for a loss may differentiate through them; parameters, conditions and random numbers are inputs.
 */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { GRAPH } from "../../graph/options.ts";
import { conditionValues } from "../../nn/conditions.ts";
import type { Network } from "../../nn/network.ts";
import { checkedDraws, type Draw, Draws, drawnFor, type Random } from "../../trace/draws.ts";
import { openTrace } from "../../trace/open.ts";
import { type Sealed, sealed, unsealed } from "../../trace/sealed.ts";
import { type Trace, type TraceInput, traceOf } from "../../trace/trace.ts";
import { fieldOf } from "../network-field.ts";
import { expectAffine } from "../paths/affine.ts";
import type { PathScheduler } from "../paths/path.ts";
import type { Loss, LossTerms } from "./loss.ts";

/** Plain JSON: all that such a loss is. */
export interface LossConfig {
  /** What it is called in messages. */
  readonly name: string;
  readonly draws: readonly Draw[];
  readonly graph: Trace;
}

const batch = { perRow: 1, plus: 0 };
const conditionInput = (name: string) => `condition.${name}`;
const parameterInput = (name: string) => `parameter.${name}`;

function lossInputs({ dimension, conditions, parameters }: Network): TraceInput[] {
  return [
    ...["x0", "x1"].map((name): TraceInput => ({ name, shape: [batch, dimension], dtype: "f32" })),
    { name: "t", shape: [batch, 1], dtype: "f32" },
    ...conditionValues(conditions).map(({ name, shape, dtype }) => ({
      ...{ name: conditionInput(name), shape: [batch, ...shape], dtype },
    })),
    ...parameters.map(({ name, shape }): TraceInput => ({ name: parameterInput(name), shape, dtype: "f32" })),
  ];
}

/**
 * The graph of a loss of this network on this path.
 *
 * @throws {@link UnsupportedError} when it is another for other numbers of rows.
 */
export function lossConfig({ name, build }: Pick<Loss, "name" | "build">, network: Network, path: PathScheduler) {
  const subject = `loss "${name}"`;
  expectAffine(subject, path);
  const draws = new Draws();
  const graph = traceOf(subject, lossInputs(network), (inputs, _, more) => {
    const value = (name: string) => inputs.get(name) as Node;
    const parameters = new Map(network.parameters.map(({ name }) => [name, value(parameterInput(name))]));
    const told = conditionValues(network.conditions).map(({ name }) => [name, value(conditionInput(name))] as const);
    const { loss, velocityLoss, divergenceLoss } = build({
      network: fieldOf(network, parameters, network.conditions && new Map(told)),
      path,
      ...{ x0: value("x0"), x1: value("x1"), t: value("t") },
      random: draws.recorder(more),
    });
    return { loss, velocityLoss, ...(divergenceLoss ? { divergenceLoss } : {}) };
  });
  const config: Sealed<LossConfig> = sealed({ name, draws: draws.all(subject), graph });
  return config;
}

/**
 * The loss of such a graph.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function graphLoss(given: unknown): Loss {
  const { subject, fields } = unsealed("loss", given, ["draws", "graph"]);
  const scalar = (name: string): TraceInput => ({ name, shape: [], dtype: "f32" });
  const { outputs } = Object(fields["graph"]) as Partial<Trace>;
  const hasDivergence = "divergenceLoss" in (Object(outputs) as object);
  const trace = openTrace(fields["graph"], subject, {
    outputs: ["loss", "velocityLoss", ...(hasDivergence ? ["divergenceLoss"] : [])].map(scalar),
    without: ["state", "random", "replaceRow"],
  });
  const draws = checkedDraws(subject, fields["draws"], trace.inputs);
  return {
    name: GRAPH,
    options: given as Loss["options"],
    build({ network, x0, x1, t, random }): LossTerms {
      const { parameters, conditions = new Map<string, Node>() } = network.made ?? refuse(subject);
      const rows = x0.shape[0] as number;
      const inputs = new Map([
        ...([["x0", x0] as const, ["x1", x1] as const, ["t", t] as const] as const),
        ...[...conditions].map(([name, value]) => [conditionInput(name), value] as const),
        ...[...parameters].map(([name, value]) => [parameterInput(name), value] as const),
        ...drawnFor(draws, trace.inputs, rows, random as Random),
      ]);
      const values = trace.instantiate(rows, inputs);
      return {
        loss: values.get("loss") as Node,
        velocityLoss: values.get("velocityLoss") as Node,
        divergenceLoss: values.get("divergenceLoss"),
      };
    },
  };
}

function refuse(subject: string): never {
  throw new ConfigError({
    subject,
    given: "a field that is no network's",
    expected: "the network that it was defined for",
    remedy: "Train and evaluate that network with it.",
  });
}
