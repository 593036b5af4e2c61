/** Networks as graphs that are plain data: what crosses to a worker and lies in files, where `apply` cannot go. */
import type { Node } from "../graph/node.ts";
import { openTrace } from "../trace/open.ts";
import { type Trace, type TraceInput, traceOf } from "../trace/trace.ts";
import { conditionOf } from "./conditions.ts";
import type { AverageVelocity, Network } from "./network.ts";

const batch = { perRow: 1, plus: 0 };

/** Which averages a traced network has; undefined: none, it is a velocity. */
export type TracedAverages = Pick<AverageVelocity, "divergence" | "reverse">;

type Traced = Pick<Network, "kind" | "dimension" | "parameters"> & {
  readonly average?: TracedAverages | undefined;
  readonly hasScore?: boolean;
};

/** What a network's trace is given: points, times, conditions and parameters, each under a name of its own. */
function networkInputs(
  { dimension, parameters, average }: Omit<Traced, "kind">,
  conditions: readonly TraceInput[],
): TraceInput[] {
  return [
    { name: "x", shape: [batch, dimension], dtype: "f32" },
    { name: "t", shape: [batch, 1], dtype: "f32" },
    ...(average ? [{ name: END, shape: [batch, 1], dtype: "f32" } as const] : []),
    ...conditions.map((each) => ({ ...each, name: conditionInput(each.name) })),
    ...parameters.map(({ name, shape }): TraceInput => ({ name: parameterInput(name), shape, dtype: "f32" })),
  ];
}

const conditionInput = (name: string) => `condition.${name}`;
const parameterInput = (name: string) => `parameter.${name}`;

/** The outputs of a network's trace. */
const VELOCITY = "velocity";
const DIVERGENCE = "divergence";
const SCORE = "score";

/** Of a flow map, until when it averages. */
const END = "end";

/** Ops that no network has: what it computes follows from its inputs. */
const without = ["state", "random", "replaceRow"];

/**
 * The graph of a network, for any number of rows.
 *
 * @param conditions - what it is told, as inputs by name.
 * @throws {@link UnsupportedError} when `apply` builds other graphs for other numbers of rows.
 */
export function networkTrace(network: Network, conditions: readonly TraceInput[] = []): Trace {
  const subject = `network "${network.kind}"`;
  const trace = traceOf(subject, networkInputs(network, conditions), (inputs) => {
    const value = (name: string) => inputs.get(name) as Node;
    const named = <Each extends { readonly name: string }>(all: readonly Each[], input: (name: string) => string) =>
      new Map(all.map(({ name }) => [name, value(input(name))]));
    const parameters = named(network.parameters, parameterInput);
    const told = named(conditions, conditionInput);
    if (!network.average) {
      const given = [parameters, value("x"), value("t"), told] as const;
      return { [VELOCITY]: network.apply(...given), ...(network.score && { [SCORE]: network.score(...given) }) };
    }
    const { velocity, divergence } = network.average.at(parameters, value("x"), value("t"), value(END), told);
    return { [VELOCITY]: velocity, ...(divergence && { [DIVERGENCE]: divergence }) };
  });
  openNetworkTrace(trace, { ...network, hasScore: network.score !== undefined }, conditions); // what could not be read again is refused here
  return trace;
}

/**
 * `apply` of a traced network, and its averages where it is a flow map.
 *
 * @throws {@link CheckpointError} when it is not the graph of a network with these parameters and conditions.
 */
export function openNetworkTrace(
  given: unknown,
  network: Traced,
  conditions: readonly TraceInput[] = [],
): Pick<Network, "apply" | "average" | "score"> {
  const { average, dimension, hasScore } = network;
  const trace = openTrace(given, `network "${network.kind}"`, {
    inputs: networkInputs(network, conditions),
    outputs: [
      { name: VELOCITY, shape: [batch, dimension], dtype: "f32" },
      ...(hasScore ? [{ name: SCORE, shape: [batch, dimension], dtype: "f32" } as const] : []),
      ...(average?.divergence ? [{ name: DIVERGENCE, shape: [batch, 1], dtype: "f32" } as const] : []),
    ],
    without,
  });
  const made = (...[values, x, t, end, told]: Parameters<AverageVelocity["at"]>) => {
    const inputs = new Map<string, Node>([
      ["x", x],
      ["t", t],
      [END, end],
    ]);
    for (const { name } of conditions) inputs.set(conditionInput(name), conditionOf(told, name));
    for (const { name } of network.parameters) inputs.set(parameterInput(name), values.get(name) as Node);
    return trace.instantiate(x.shape[0] as number, inputs);
  };
  const at: AverageVelocity["at"] = (...given) => {
    const values = made(...given);
    return { velocity: values.get(VELOCITY) as Node, divergence: values.get(DIVERGENCE) };
  };
  return {
    ...(average && { average: { ...average, at } }),
    ...(hasScore && { score: (values, x, t, told) => made(values, x, t, t, told).get(SCORE) as Node }),
    apply: (values, x, t, told) => at(values, x, t, t, told).velocity,
  };
}
