/**
 * What goes between a page and its worker: a message is plain data, so networks, paths, losses and the like cross as
 * the names and options that checkpoints hold of them too, and are made anew on the other side. What a worker has no code
 * for, networks beside the MLP and all that is a user's own, crosses as its graph.
 */

import { onDemand } from "../../backends/on-demand.ts";
import { arrayParts, isArrayData, madeArray } from "../../data/array.ts";
import type { GraphData } from "../../data/graph-data.ts";
import { dataNames } from "../../data/registry.ts";
import type { DataSource } from "../../data/source.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Loss } from "../../flow/losses/loss.ts";
import { lossNames } from "../../flow/losses/registry.ts";
import type { PathScheduler } from "../../flow/paths/path.ts";
import { pathNames } from "../../flow/paths/registry.ts";
import { solverFrom, solverNames } from "../../flow/solvers/registry.ts";
import type { Solver } from "../../flow/solvers/solver.ts";
import { GRAPH, isRecord, type NamedOptions } from "../../graph/options.ts";
import type { GraphConfig } from "../../nn/graph.ts";
import type { Network } from "../../nn/network.ts";
import { networkFromConfig, networkKinds } from "../../nn/registry.ts";
import { type Optimizer, optimizerFrom, optimizers } from "../../train/adam.ts";
import { dataOf, lossOf, pathOf } from "../../train/parts.ts";

/** Options with each of these parts, where present, in its plain form. */
export type Plain<Options> = { readonly [Key in keyof Options]: Key extends PartName ? unknown : Options[Key] };

interface Parts {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly data: DataSource;
  readonly validation: DataSource | readonly number[];
  readonly solver: Solver;
}
type PartName = keyof Parts;

interface Form<Part> {
  plain(part: Part): unknown;
  made(plain: unknown): Part | Promise<Part>;
}

/** A network that the worker has no code for. */
interface PlainNetwork extends Pick<Network, "kind" | "config"> {
  readonly graph?: GraphConfig;
}

/** The form of a part that its name and options make. */
function namedForm<Part extends NamedOptions>(
  what: PartName,
  names: readonly string[],
  made: (plain: NamedOptions) => Part | Promise<Part>,
): Form<Part> {
  return {
    plain({ name, options }) {
      if (!names.includes(name)) throw unknownPart(what, name);
      return { name, options };
    },
    made: (plain) => made(plain as NamedOptions),
  };
}

const namedData = namedForm<DataSource>("data", [...dataNames, GRAPH], dataOf);

const dataForm: Form<DataSource> = {
  plain(source) {
    if (isArrayData(source)) return { name: source.name, ...arrayParts(source) };
    const { contents } = source as Partial<GraphData>;
    return { ...(namedData.plain(source) as NamedOptions), ...(source.name === GRAPH ? { contents } : {}) };
  },
  made(plain) {
    const named = plain as NamedOptions & Pick<GraphData, "contents">;
    return named.name === "array" ? madeArray(plain as never) : dataOf(named, named.contents);
  },
};

const named = namedForm<Loss>("loss", [...lossNames, GRAPH], lossOf);

const forms: { readonly [Name in PartName]: Form<Parts[Name]> } = {
  network: {
    /** What the worker has no code for is left as it is: {@link withGraphs} makes a graph of it. */
    plain: (network) => (isKnown(network) ? { kind: network.kind, config: network.config } : network),
    async made(plain) {
      const { kind, config, graph } = plain as PlainNetwork;
      return graph ? { ...(await networkFromConfig(GRAPH, graph)), kind, config } : networkFromConfig(kind, config);
    },
  },
  path: namedForm("path", [...pathNames, GRAPH], pathOf),
  /** A user's own is left as it is, for its graph is made with a network: {@link withGraphs}. */
  loss: { ...named, plain: (loss) => (loss.forNetwork ? loss : named.plain(loss)) },
  optimizer: namedForm("optimizer", Object.keys(optimizers), optimizerFrom),
  solver: namedForm("solver", solverNames, solverFrom),
  data: dataForm,
  validation: {
    plain: (given) => ("draw" in given ? dataForm.plain(given) : given),
    made: (plain) => (isRecord(plain) && "name" in plain ? dataForm.made(plain) : (plain as readonly number[])),
  },
};

const isPartName = (name: string): name is PartName => Object.hasOwn(forms, name);

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
  return changed(options, (name, part) => (forms[name] as Form<typeof part>).plain(part)) as Plain<Options>;
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
  const { network, loss } = Object(options) as Partial<Parts>;
  const own = loss?.forNetwork && { loss: named.plain(lossFor(loss, around.network, around.path)) };
  const ready = own ? { ...options, ...own } : options;
  return network?.apply ? graphOf(network).then((graph) => ({ ...ready, network: graph })) : ready;
}

function lossFor(loss: Loss, network: Network | undefined, path: PathScheduler | undefined): Loss {
  const made = network?.apply && path?.at && loss.forNetwork?.(network, path);
  if (made) return made;
  throw new UnsupportedError({
    subject: `loss "${loss.name}" for an engine in a worker`,
    given: "a loss of your own, beside a network or path that only the worker knows",
    expected: "a model of a trainer that was made here",
    remedy: "Use createRuntime({ worker: false }), where the model knows its network.",
  });
}

/** A network of a kind of its own is nothing but its graph. */
async function graphOf(network: Network): Promise<PlainNetwork> {
  const { graphConfig } = await onDemand(import("../../nn/graph.ts"));
  const graph = graphConfig(network);
  const { kind, config } = network;
  if (networkKinds.includes(kind)) return { kind, config, graph };
  return { kind: GRAPH, config: graph as unknown as Network["config"] };
}

/** The options with their parts made from their plain form: what {@link toPlain} was given, but for a signal. */
export async function fromPlain<Options extends object>(plain: object): Promise<Options> {
  const parts = changed(plain, async (name, part) => forms[name].made(part)); // all are awaited, should one fail
  const made = Object.entries(parts).map(async ([name, part]) => [name, await part] as const);
  return Object.fromEntries(await Promise.all(made)) as Options;
}

/** What is no object, or no part of any kind, is left as it is: whoever takes the options says what is wrong. */
function changed(options: object, change: (name: PartName, part: never) => unknown): object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  return Object.fromEntries(
    Object.entries(options).map(([name, part]) => {
      const isPart = isPartName(name) && typeof part === "object" && typeof (part?.name ?? part?.kind) === "string";
      return [name, isPart ? change(name, part as never) : part];
    }),
  );
}

function unknownPart(what: PartName, name: unknown): UnsupportedError {
  return new UnsupportedError({
    subject: `${what} for an engine in a worker`,
    given: name,
    expected: `a ${what} that divflow makes: functions cannot be sent to a worker`,
    remedy:
      "Define it by divflow/networks, as defineLoss does, or use createRuntime({ worker: false }): the engine then runs on this thread.",
  });
}
