/**
 * How much is drawn: particles, solver steps and the cells of maps, as many as the device does in a moment. A software adapter
 * takes seconds for what a GPU does in a few milliseconds.
 */

export interface Effort {
  readonly particles: number;
  /** Points along a side of the warped grid. */
  readonly lattice: number;
  /** Cells along a side of a map. */
  readonly cells: number;
  /** Steps of RK4 of densities, four evaluations of the network each. */
  readonly steps: number;
  /** Points held out that are judged. */
  readonly judged: number;
}

const efforts: readonly Effort[] = [
  { particles: 256, lattice: 9, cells: 24, steps: 5, judged: 128 },
  { particles: 384, lattice: 17, cells: 32, steps: 6, judged: 256 },
  { particles: 512, lattice: 17, cells: 40, steps: 8, judged: 384 },
  { particles: 768, lattice: 25, cells: 52, steps: 10, judged: 512 },
  { particles: 1024, lattice: 25, cells: 64, steps: 12, judged: 1024 },
  { particles: 1536, lattice: 33, cells: 96, steps: 16, judged: 2048 },
];

/** Milliseconds that all pictures of a model may take. */
const BUDGET = 350;

/** What a density map costs, which is most of it. */
const cost = ({ cells, steps }: Effort) => cells * cells * steps;

/** Begins with the least, so that something is seen at once on any device. */
export class Efforts {
  #level = 0;

  get effort(): Effort {
    return efforts[this.#level] as Effort;
  }

  /** Takes in how long pictures of the present effort took; true when the next ones will be finer. */
  measured(milliseconds: number): boolean {
    const [before, each] = [this.#level, milliseconds / cost(this.effort)];
    const affordable = efforts.filter((effort) => cost(effort) * each <= BUDGET).length;
    // Upwards one by one: the first of each includes making its program.
    this.#level = Math.max(0, Math.min(affordable - 1, before + 1));
    return this.#level > before;
  }
}
