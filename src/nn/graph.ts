/**
 * Networks that are graphs: what a user's function builds, as plain data. Such a network needs no code but divflow's, so
 * that a file samples, gives log-densities and resumes in a program that does not have the function.
 */
import { DivflowError } from "../errors.ts";
import { isSizes, type Shape, sizeOf } from "../graph/node.ts";
import { GRAPH, isRecord } from "../graph/options.ts";
import { damage, fieldsOf, type Sealed, sealed, unsealed } from "../trace/sealed.ts";
import type { Trace, TraceInput } from "../trace/trace.ts";
import { conditionsOption, conditionValues } from "./conditions.ts";
import type { ConditionDeclarations, Initial, Network, ParameterDeclaration } from "./network.ts";
import { networkTrace, openNetworkTrace, type TracedAverages } from "./traced.ts";

/** Plain JSON: all that a network is. */
export interface GraphConfig {
  /** What it is called in messages. */
  readonly name: string;
  /** Of a sample: D numbers. */
  readonly sample: Shape;
  readonly conditions: ConditionDeclarations;
  readonly parameters: readonly ParameterDeclaration[];
  /** There where the graph has a score too. */
  readonly score?: true;
  /** Of a flow map: its graph is that of the averages. */
  readonly average?: TracedAverages;
  readonly graph: Trace;
}

/** The graph of a network, whatever made it. */
export function graphConfig(network: Network, name = network.kind): Sealed<GraphConfig> {
  const { sample = [network.dimension], conditions = {}, parameters, average, score } = network;
  const graph = networkTrace(network, conditionInputs(conditions));
  const declared = parameters.map(({ name, shape, initial, torchLayout }) => ({ name, shape, initial, torchLayout }));
  const flags = average && { average: { divergence: average.divergence, reverse: average.reverse } };
  return sealed({
    name,
    sample,
    conditions,
    parameters: declared,
    ...flags,
    ...(score ? { score: true as const } : {}),
    graph,
  });
}

/**
 * The network of such a graph.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function graphNetwork(given: unknown): Network {
  const flags = isRecord(given) ? ["average", "score"].filter((name) => name in given) : []; // few networks have them
  const { subject, fields } = unsealed("network", given, ["sample", "conditions", "parameters", ...flags, "graph"]);
  const { name, sample, conditions, parameters: declared, graph } = fields;
  if (!isSizes(sample) || sample.length === 0 || !(sizeOf(sample) > 0)) {
    throw damage(`${subject}, sample`, sample, "positive sizes");
  }
  const parameters = parametersOf(subject, declared);
  let told: ConditionDeclarations;
  try {
    told = conditionsOption(`conditions of ${subject}`, conditions);
  } catch (error) {
    if (!(error instanceof DivflowError)) throw error;
    throw damage(error.facts.subject, error.facts.given, error.facts.expected, error);
  }
  const network = { kind: GRAPH, dimension: sizeOf(sample), sample, parameters };
  const average = flags.includes("average") ? averagesOf(subject, fields["average"]) : undefined;
  const hasScore = flags.includes("score");
  if (hasScore && (average || fields["score"] !== true)) {
    throw damage(`${subject}, score`, fields["score"], "true, or none");
  }
  const functions = openNetworkTrace(
    graph,
    { ...network, kind: name as string, average, hasScore },
    conditionInputs(told),
  );
  return {
    ...network,
    config: given as Network["config"],
    ...(Object.keys(told).length > 0 ? { conditions: told } : {}),
    ...functions,
  };
}

function averagesOf(subject: string, given: unknown): TracedAverages {
  const { divergence, reverse } = fieldsOf(`${subject}, average`, given, ["divergence", "reverse"]);
  for (const flag of [divergence, reverse]) {
    if (typeof flag !== "boolean") throw damage(`${subject}, average`, flag, "true or false");
  }
  return given as TracedAverages;
}

/** The values of conditions as a trace has them. */
function conditionInputs(conditions: ConditionDeclarations): TraceInput[] {
  return conditionValues(conditions).map(({ name, shape, dtype }) => ({
    ...{ name, shape: [{ perRow: 1, plus: 0 }, ...shape], dtype },
  }));
}

/** What starts of each kind say. */
const starts: Readonly<Record<Initial["kind"], string>> = { uniform: "bound", normal: "deviation", constant: "value" };

function parametersOf(subject: string, given: unknown): ParameterDeclaration[] {
  if (!Array.isArray(given)) throw damage(`${subject}, parameters`, given, "a list");
  const names = new Set<unknown>();
  return given.map((one, i) => {
    const where = `${subject}, parameter ${i}`;
    const { name, shape, initial, torchLayout } = fieldsOf(where, one, ["name", "shape", "initial", "torchLayout"]);
    if (typeof name !== "string" || names.has(name)) throw damage(`${where}, name`, name, "a name of its own");
    names.add(name);
    if (!isSizes(shape) || !(sizeOf(shape) > 0)) throw damage(`${where}, shape`, shape, "positive sizes");
    const kind = isRecord(initial) ? initial["kind"] : undefined;
    const key = Object.hasOwn(starts, String(kind)) ? starts[kind as Initial["kind"]] : "none";
    const number = fieldsOf(`${where}, initial`, initial, ["kind", key])[key];
    if (!Number.isFinite(number)) throw damage(`${where}, ${key}`, number, "a finite number");
    if (torchLayout !== "as-is" && (torchLayout !== "outputs-first" || shape.length < 2)) {
      throw damage(`${where}, torchLayout`, torchLayout, "as-is or, of two axes and more, outputs-first");
    }
    return { name, shape, initial: initial as unknown as Initial, torchLayout };
  });
}
