import type { Executable } from "../backends/backend.ts";
import type { Graph } from "../graph/graph.ts";
import { compile } from "../schedule/compile.ts";
import { nextTask } from "./pace.ts";
import type { StateStore } from "./state-store.ts";

/** State that a trainer's or model's store shares with every program that evaluates its network. */
const sharedNames: readonly string[] = ["parameters", "ema", "best"];

/** A graph's program, bound to the parameters in `shared` and, for all else, to state declared in `own`. */
export async function loaded(shared: StateStore, own: StateStore, graph: Graph): Promise<Executable> {
  await nextTask(); // planning takes this thread for a while: what waits goes first
  const program = compile(graph, own.backend.limits);
  const isShared = ({ name }: { readonly name: string }) => sharedNames.includes(name);
  const mine = program.state.filter((declaration) => !isShared(declaration));
  own.declare(mine);
  const buffers = new Map([
    ...shared.buffers(program.state.filter(isShared).map(({ name }) => name)),
    ...own.buffers(mine.map(({ name }) => name)),
  ]);
  return own.backend.load(program, buffers);
}
