/**
 * What goes from a page to its worker: a message is plain data, so networks, paths, losses and the like cross as the names
 * and options that checkpoints hold of them too; made.ts makes them anew on the other side. What a worker has no code for,
 * networks beside the MLP and all that is a user's own, crosses as its graph.
 */

import { onDemand } from "../../backends/on-demand.ts";
import { arrayParts, isArrayData } from "../../data/array.ts";
import type { GraphData } from "../../data/graph-data.ts";
import { dataNames } from "../../data/registry.ts";
import type { DataSource } from "../../data/source.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Coupling } from "../../flow/couplings/coupling.ts";
import type { Loss } from "../../flow/losses/loss.ts";
import { lossNames, moreLossNames } from "../../flow/losses/registry.ts";
import type { PathScheduler } from "../../flow/paths/path.ts";
import { morePathNames, pathNames } from "../../flow/paths/registry.ts";
import { moreSolverNames, solverNames } from "../../flow/solvers/registry.ts";
import type { Solver } from "../../flow/solvers/solver.ts";
import { GRAPH, isRecord, type NamedOptions, partOption } from "../../graph/options.ts";
import type { GraphConfig } from "../../nn/graph.ts";
import type { Network } from "../../nn/network.ts";
import { networkKinds } from "../../nn/registry.ts";
import { type Optimizer, optimizers } from "../../train/adam.ts";
import type { Connection } from "./connection.ts";

/** Options with each of these parts, where present, in its plain form. */
export type Plain<Options> = { readonly [Key in keyof Options]: Key extends PartName ? unknown : Options[Key] };

/** A network as it is sent. */
export interface PlainNetwork extends Pick<Network, "kind" | "config"> {
  /** Of a network that the worker has no code for. */
  readonly graph?: GraphConfig;
}

/** Names of options that are parts. */
export type PartName =
  | ("network" | "path" | "loss" | "optimizer" | "solver" | "data" | "validation" | "start")
  | "coupling";

/** Of each part; bundlers leave out what is no call. */
const plainForms: { readonly [Name in PartName]: (part: never) => unknown } = {
  /** What the worker has no code for is left as it is: {@link withGraphs} makes a graph of it. */
  network: (network: Network) => (isKnown(network) ? { kind: network.kind, config: network.config } : network),
  path: (path: PathScheduler) => plainNamed("path", [...pathNames, ...morePathNames], path),
  /** A user's own is left as it is, for its graph is made with a network: {@link withGraphs}. */
  loss: (loss: Loss) => (loss.forNetwork ? loss : plainNamed("loss", [...lossNames, ...moreLossNames], loss)),
  optimizer: (optimizer: Optimizer) => plainNamed("optimizer", Object.keys(optimizers), optimizer),
  solver: (solver: Solver) => plainNamed("solver", [...solverNames, ...moreSolverNames], solver),
  data: plainData,
  start: plainData,
  coupling: ({ name, options, starts, stream }: Coupling & Pick<DataSource, "stream">) =>
    stream !== undefined ? { name, options, stream } : { name, options, starts },
  validation: (given: DataSource | readonly number[]) => ("draw" in given ? plainData(given) : given),
};

/** The form of a part that its name and options make. */
function plainNamed(what: PartName, names: readonly string[], { name, options }: NamedOptions): NamedOptions {
  if (name === GRAPH || names.includes(name)) return { name, options };
  throw unknownPart(what, name);
}

/** A stream is left as it is, for its function stays here: {@link withStreams}. */
function plainData(source: DataSource): NamedOptions {
  if (source.stream) return source;
  if (isArrayData(source)) return { name: source.name, ...arrayParts(source) };
  const { contents } = source as Partial<GraphData>;
  return { ...plainNamed("data", dataNames, source), ...(source.name === GRAPH ? { contents } : {}) };
}

/** Whether a worker makes such a network of its configuration. */
function isKnown({ kind }: Pick<Network, "kind">): boolean {
  return kind === "mlp" || kind === GRAPH;
}

/**
 * The options with their parts in plain form, but for networks and losses that {@link withGraphs} still has to change.
 *
 * @throws {@link UnsupportedError} for a part that no name makes, and that is no graph.
 */
export function toPlain<Options extends object>(options: Options): Plain<Options> {
  return changedParts(options, (name, part) => plainForms[name](part)) as Plain<Options>;
}

/**
 * What {@link toPlain} gave, ready to be sent: networks that the worker has no code for as graphs, and a user's own loss as
 * its graph for the network and path. At once where no network has to become a graph: messages keep their order.
 *
 * @param around - the network and path of a loss, as they are here.
 * @throws {@link UnsupportedError} when a graph is another for other numbers of rows.
 */
export function withGraphs<Options extends object>(
  options: Options,
  around: { readonly network?: Network | undefined; readonly path?: PathScheduler | undefined } = {},
): Options | Promise<Options> {
  const { network, loss } = Object(options) as { readonly network?: Network; readonly loss?: Loss };
  const own = loss?.forNetwork && { loss: plainNamed("loss", lossNames, lossFor(loss, around.network, around.path)) };
  const ready = own ? { ...options, ...own } : options;
  return isNetwork(network) ? graphOf(network).then((graph) => ({ ...ready, network: graph })) : ready;
}

function lossFor(loss: Loss, network: Network | undefined, path: PathScheduler | undefined): Loss {
  const given = isNetwork(network) ? network : (String(network) as never);
  partOption<Network>("network beside a loss", given, "apply", "mlp()");
  partOption("path beside a loss", path as PathScheduler, "at", "condOT()");
  return loss.forNetwork?.(given, path as PathScheduler) ?? loss;
}

/** The options with streams of rows by number. At once where there is none: messages keep their order. */
export function withStreams<Options extends object>(
  options: Options,
  connection: Pick<Connection, "streams">,
): Options | Promise<Options> {
  const parts = Object.entries(Object(options) as Options).filter(
    ([name, part]) => isPartName(name) && Object(part).stream,
  );
  if (parts.length === 0) return options;
  return connection.streams().then((streams) => ({
    ...options,
    ...Object.fromEntries(parts.map(([name, source]) => [name, streams.plain(source)])),
  }));
}

/** Whether it is one in all that a graph is made of: what is none is the engine's to refuse. */
function isNetwork(given: unknown): given is Network {
  return isRecord(given) && typeof given["apply"] === "function" && Array.isArray(given["parameters"]);
}

/** A network of a kind of its own is nothing but its graph. */
async function graphOf(network: Network): Promise<PlainNetwork> {
  const { graphConfig } = await onDemand(import("../../nn/graph.ts"));
  const graph = graphConfig(network.own ?? network);
  const { kind, config } = network;
  if (networkKinds.includes(kind)) return { kind, config, graph };
  return { kind: GRAPH, config: graph as unknown as Network["config"] };
}

/** What is no object, or no part of any kind, is left as it is: whoever takes the options says what is wrong. */
export function changedParts(options: object, change: (name: PartName, part: never) => unknown): object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  return Object.fromEntries(
    Object.entries(options).map(([name, part]) => {
      const isPart = isPartName(name) && typeof part === "object" && typeof (part?.name ?? part?.kind) === "string";
      return [name, isPart ? change(name, part as never) : part];
    }),
  );
}

const isPartName = (name: string): name is PartName => Object.hasOwn(plainForms, name);

function unknownPart(what: PartName, name: unknown): UnsupportedError {
  return new UnsupportedError({
    subject: `${what} for an engine in a worker`,
    given: name,
    expected: `a ${what} that divflow makes: functions cannot be sent to a worker`,
    remedy:
      "Define it by divflow/networks, as defineLoss does, or use createRuntime({ worker: false }): the engine then runs on this thread.",
  });
}
