/** A graph as a program that the bench runs again and again, over states of its own. */
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { readMetrics } from "../../src/engine/metrics.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { Program } from "../../src/schedule/program.ts";
import { type Evidence, NotOffered, trainingUnits, type Work } from "../session.ts";

export interface Loaded {
  readonly program: Program;
  readonly store: StateStore;
  readonly executable: Executable;
  /** So many runs in one submission, waited for. */
  run(times: number): Promise<void>;
  dispose(): void;
}

/**
 * The graph compiled and loaded. `values` are those of states by name; what the program has no state for is left out.
 * `use` makes of it what is handed on; where it fails, nothing is left.
 */
export async function loaded<Result>(
  backend: Backend,
  graph: Graph,
  values: Iterable<readonly [name: string, values: Float32Array | Uint32Array]>,
  use: (loaded: Loaded) => Promise<Result>,
): Promise<Result> {
  const program = compile(graph, backend.limits);
  const store = new StateStore(backend);
  let executable: Executable | undefined;
  const dispose = () => {
    executable?.dispose();
    store.dispose();
  };
  try {
    store.declare(program.state);
    const opened = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    executable = opened;
    for (const [name, each] of values) if (store.has(name)) store.write(name, each);
    const run = async (times: number) => {
      opened.run(times);
      await backend.finished();
    };
    return await use({ program, store, executable: opened, run, dispose });
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Adam steps before the second loss that is shown. */
const EVIDENCE_STEPS = 3;

/**
 * The work of a training step whose losses are read from its metrics: that before step 1, and that after 3 steps.
 * @param mostSeconds - a step that takes longer is not measured, which throws a {@link NotOffered}. The first may take
 *   four times as long: it compiles.
 */
export async function trainingStepWork(
  { store, run, dispose }: Loaded,
  { mostSeconds = Number.POSITIVE_INFINITY } = {},
): Promise<Work> {
  let milliseconds = 0;
  for (let i = 0; i <= EVIDENCE_STEPS; i++) {
    const start = performance.now();
    await run(1);
    milliseconds = performance.now() - start;
    if (milliseconds > 1000 * mostSeconds * (i === 0 ? 4 : 1)) {
      throw new NotOffered(`a step takes ${(milliseconds / 1000).toFixed(1)} s, more than ${mostSeconds} s`);
    }
  }
  const losses = (await readMetrics(store, 0, EVIDENCE_STEPS + 1)).rows.map(({ loss }) => loss);
  const evidence: Evidence = {
    lossBefore: losses[0] ?? null,
    lossAfter: losses[EVIDENCE_STEPS] ?? null,
    deviation: null,
  };
  return {
    ...trainingUnits,
    evidence,
    milliseconds,
    async run(units) {
      for (let i = 0; i < units; i++) await run(1);
    },
    dispose,
  };
}
