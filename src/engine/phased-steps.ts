/** Training steps of two kinds, by turns: imported on demand, where a loss has its divergence term on each k-th step alone. */
import type { Executable } from "../backends/backend.ts";
import type { Graph } from "../graph/graph.ts";
import { PASSES } from "../schedule/planning.ts";
import { planned, type StillWanted } from "./plan.ts";
import type { StateStore } from "./state-store.ts";

/**
 * Of each `every` steps the first is `first`, which is disposed of with the result, the others are those of `graph`.
 *
 * @param store - holds the state of both.
 */
export async function phased(
  first: Executable,
  every: number,
  graph: Graph,
  store: StateStore,
  stillWanted: StillWanted,
): Promise<Executable> {
  const program = await planned(graph, store.backend.limits, () => stillWanted(PASSES, PASSES));
  const others = await store.backend.load(program, store.buffers(program.state.map(({ name }) => name)));
  return new PhasedSteps(first, others, every);
}

class PhasedSteps implements Executable {
  readonly #first: Executable;
  readonly #others: Executable;
  readonly #every: number;
  #step = 0;
  readonly parts?: NonNullable<Executable["parts"]>;

  constructor(first: Executable, others: Executable, every: number) {
    this.#first = first;
    this.#others = others;
    this.#every = every;
    if (first.parts && others.parts) this.parts = this.#partsOf();
  }

  startAt(step: number): void {
    this.#step = step;
  }

  run(times: number): void {
    for (let left = times; left > 0; ) {
      const place = this.#step % this.#every;
      const runs = place === 0 ? 1 : Math.min(left, this.#every - place);
      this.#now.run(runs);
      this.#step += runs;
      left -= runs;
    }
  }

  dispose(): void {
    this.#first.dispose();
    this.#others.dispose();
  }

  get #now(): Executable {
    return this.#step % this.#every === 0 ? this.#first : this.#others;
  }

  /** Those of the step that is next: the last part makes it the one before. */
  #partsOf(): NonNullable<Executable["parts"]> {
    const now = () => this.#now.parts as NonNullable<Executable["parts"]>;
    const after = () => {
      this.#step++;
    };
    return {
      get count() {
        return now().count;
      },
      run(part) {
        const { count, run } = now();
        run(part);
        if (part === count - 1) after();
      },
    };
  }
}
