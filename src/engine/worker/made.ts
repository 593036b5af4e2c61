/** What a worker makes of the plain parts that a page sends it: plain.ts has the other side. */
import { onDemand } from "../../backends/on-demand.ts";
import { madeArray } from "../../data/array.ts";
import type { GraphData } from "../../data/graph-data.ts";
import type { DataSource } from "../../data/source.ts";
import { moreSolverNames, solverFrom } from "../../flow/solvers/registry.ts";
import type { Solver } from "../../flow/solvers/solver.ts";
import { GRAPH, isRecord, type NamedOptions } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { networkFromConfig } from "../../nn/registry.ts";
import { optimizerFrom } from "../../train/adam.ts";
import { dataOf, lossOf, pathOf } from "../../train/parts.ts";
import type { PlainStream } from "./messages.ts";
import { changedParts, type PartName, type PlainNetwork } from "./plain.ts";
import type { Pulls } from "./pulls.ts";

/** Of each part; streams ask the page for their rows. */
const forms: { readonly [Name in PartName]: (plain: never, pulls: Pulls) => unknown } = {
  async network({ kind, config, graph }: PlainNetwork): Promise<Network> {
    return graph ? { ...(await networkFromConfig(GRAPH, graph)), kind, config } : networkFromConfig(kind, config);
  },
  path: pathOf,
  loss: lossOf,
  optimizer: optimizerFrom,
  solver: (named: NamedOptions) => (moreSolverNames.includes(named.name) ? moreSolver(named) : solverFrom(named)),
  data: madeData,
  start: madeData,
  /** Left to what makes pairs, which is imported on demand. */
  coupling: (plain: NamedOptions, pulls) => ({ ...plain, pulls }),
  validation: (plain: unknown, pulls) => (isRecord(plain) && "name" in plain ? madeData(plain as never, pulls) : plain),
};

async function moreSolver(named: NamedOptions): Promise<Solver> {
  const { solverOfMore } = await onDemand(import("../../flow/solvers/more.ts"));
  return solverOfMore(named);
}

function madeData(
  plain: (NamedOptions & Pick<GraphData, "contents">) | PlainStream,
  pulls: Pulls,
): DataSource | Promise<DataSource> {
  if ("stream" in plain) return pulls.source(plain);
  return plain.name === "array" ? madeArray(plain as never) : dataOf(plain, plain.contents);
}

/** The options with their parts made from their plain form: what `toPlain` was given, but for a signal. */
export async function fromPlain<Options extends object>(plain: object, pulls: Pulls): Promise<Options> {
  if (!isRecord(plain)) return plain as Options; // whoever takes the options says what is wrong
  const make = async (name: PartName, part: never) => forms[name](part, pulls); // all are awaited, should one fail
  const made = Object.entries(changedParts(plain, make)).map(async ([name, part]) => [name, await part] as const);
  return Object.fromEntries(await Promise.all(made)) as Options;
}
