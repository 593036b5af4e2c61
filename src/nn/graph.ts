/**
 * Networks that are graphs: what a user's function builds, as plain data. Such a network needs no code but divflow's, so
 * that a file samples, gives log-densities and resumes in a program that does not have the function.
 */
import { CheckpointError, DivflowError } from "../errors.ts";
import { hashOfText } from "../graph/murmur.ts";
import { isSizes, type Shape, sizeOf } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";
import type { Trace, TraceInput } from "../trace/trace.ts";
import { conditionsOption, conditionValues } from "./conditions.ts";
import type { ConditionDeclarations, Initial, Network, ParameterDeclaration } from "./network.ts";
import { networkTrace, openNetworkTrace } from "./traced.ts";

/** Plain JSON: all that a network is. */
export interface GraphConfig {
  /** What it is called in messages. */
  readonly name: string;
  /** Of a sample: D numbers. */
  readonly sample: Shape;
  readonly conditions: ConditionDeclarations;
  readonly parameters: readonly ParameterDeclaration[];
  readonly graph: Trace;
  /** Of all the rest: a number that a disk or a copy changes may well be another number. */
  readonly checksum: string;
}

/** The graph of a network, whatever made it. */
export function graphConfig(network: Network, name = network.kind): GraphConfig {
  const { sample = [network.dimension], conditions = {}, parameters } = network;
  const graph = networkTrace(network, conditionInputs(conditions));
  const declared = parameters.map(({ name, shape, initial, torchLayout }) => ({ name, shape, initial, torchLayout }));
  const config = { name, sample, conditions, parameters: declared, graph };
  return { ...config, checksum: hashOfText(canonical(config)) };
}

/**
 * The network of such a graph.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function graphNetwork(given: unknown): Network {
  const { checksum, ...rest } = fieldsOf("network", given, [
    ...["name", "sample", "conditions", "parameters", "graph", "checksum"],
  ]);
  const { name, sample, conditions, parameters: declared, graph } = rest;
  if (typeof name !== "string" || name === "") throw damage("network, name", name, "text");
  const subject = `network "${name}"`;
  if (checksum !== hashOfText(canonical(rest))) {
    throw damage(`${subject}, checksum`, checksum, `${hashOfText(canonical(rest))}, that of the rest`);
  }
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
  const network = { kind: "graph", dimension: sizeOf(sample), sample, parameters };
  const apply = openNetworkTrace(graph, { ...network, kind: name }, conditionInputs(told));
  return {
    ...network,
    config: given as Network["config"],
    ...(Object.keys(told).length > 0 ? { conditions: told } : {}),
    apply,
  };
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

/** The text of plain JSON, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    isRecord(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}

function fieldsOf(where: string, given: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  const own = isRecord(given) ? Object.keys(given) : [];
  if (isRecord(given) && own.length === names.length && names.every((name) => own.includes(name))) return given;
  throw damage(where, isRecord(given) ? own : (given ?? "nothing"), `the fields ${names.join(", ")}`);
}

function damage(subject: string, given: unknown, expected: string, cause?: unknown): CheckpointError {
  const remedy = "The network's graph is damaged, or another version of divflow wrote it.";
  return new CheckpointError({ subject, given: given ?? String(given), expected, remedy }, { cause });
}
