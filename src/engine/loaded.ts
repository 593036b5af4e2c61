import type { Executable } from "../backends/backend.ts";
import type { Graph } from "../graph/graph.ts";
import type { CallMaker } from "../schedule/call-units.ts";
import { planned, type StillWanted } from "./plan.ts";
import type { StateStore } from "./state-store.ts";

/** State that a trainer's or model's store shares with every program that evaluates its network. */
const sharedNames: readonly string[] = ["parameters", "ema", "best"];

/**
 * A graph's program, bound to the parameters in `shared` and, for all else, to state declared in `own`.
 *
 * @param optional - makes the calls of optional kernels.
 */
export async function loaded(
  shared: StateStore,
  own: StateStore,
  graph: Graph,
  stillWanted: StillWanted,
  optional?: CallMaker,
): Promise<Executable> {
  const program = await planned(graph, own.backend.limits, stillWanted, optional);
  const isShared = ({ name }: { readonly name: string }) => sharedNames.includes(name);
  const mine = program.state.filter((declaration) => !isShared(declaration));
  own.declare(mine);
  const buffers = new Map([
    ...shared.buffers(program.state.filter(isShared).map(({ name }) => name)),
    ...own.buffers(mine.map(({ name }) => name)),
  ]);
  return own.backend.load(program, buffers);
}
