/** Paths, losses and data by name and options, also those of a user's own, whose options hold the graph. */
import { onDemand } from "../backends/on-demand.ts";
import type { StateContents } from "../data/graph-data.ts";
import { dataFrom, resumeData } from "../data/registry.ts";
import type { DataSource } from "../data/source.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { lossFrom, moreLossNames } from "../flow/losses/registry.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { morePathNames, pathFrom } from "../flow/paths/registry.ts";
import { GRAPH, type NamedOptions } from "../graph/options.ts";

const graphs = () => onDemand(import("./graphs.ts"));
const more = () => onDemand(import("./more-parts.ts"));
const isGraph = (named: NamedOptions) => Object(named).name === GRAPH;

/** @throws {@link ConfigError} when an option is wrong, {@link CheckpointError} when a graph is damaged. */
export async function pathOf(named: NamedOptions): Promise<PathScheduler> {
  if (morePathNames.includes(Object(named).name)) return (await more()).morePath(named);
  return isGraph(named) ? (await graphs()).graphPath(named.options) : pathFrom(named);
}

/** As {@link pathOf}. */
export async function lossOf(named: NamedOptions): Promise<Loss> {
  if (moreLossNames.includes(Object(named).name)) return (await more()).moreLoss(named);
  return isGraph(named) ? (await graphs()).graphLoss(named.options) : lossFrom(named);
}

/**
 * As {@link pathOf}.
 *
 * @param contents - what a graph draws from.
 * @throws {@link DataError} when it draws from other numbers.
 */
export async function dataOf(
  named: NamedOptions,
  contents?: Readonly<Record<string, StateContents>>,
): Promise<DataSource> {
  return isGraph(named) ? (await graphs()).graphData(named.options, contents) : dataFrom(named);
}

/** D of such a source; of a graph without the numbers that it draws from, which files do not hold. */
export async function dimensionOf(named: NamedOptions): Promise<number> {
  return (await graphs()).openData(named.options).dimension;
}

/** {@link resumeData}, which knows graphs too. */
export async function resumedData(stored: NamedOptions, given?: DataSource, what = "data"): Promise<DataSource> {
  return isGraph(stored) && !given ? dataOf(stored) : resumeData(stored, given, what);
}
