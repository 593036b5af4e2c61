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
}

const efforts: readonly Effort[] = [
  { particles: 256, lattice: 9, cells: 24, steps: 5 },
  { particles: 384, lattice: 17, cells: 32, steps: 6 },
  { particles: 512, lattice: 17, cells: 40, steps: 8 },
  { particles: 768, lattice: 25, cells: 52, steps: 10 },
  { particles: 1024, lattice: 25, cells: 64, steps: 12 },
  { particles: 1536, lattice: 33, cells: 96, steps: 16 },
];

/** Milliseconds that all pictures of a model may take while both are trained, and while nothing else is to do. */
export const TRAINING_BUDGET = 350;
export const STILL_BUDGET = 1500;

/** What a density map costs, which is most of it. */
const cost = ({ cells, steps }: Effort) => cells * cells * steps;

/** Begins with the least, so that something is seen at once on any device. */
export class Efforts {
  #level = 0;
  readonly #budget: number;

  constructor(budget: number) {
    this.#budget = budget;
  }

  get effort(): Effort {
    return efforts[this.#level] as Effort;
  }

  /** No coarser than what another one came to: what is seen does not get worse. */
  raiseTo(other: Efforts): void {
    this.#level = Math.max(this.#level, other.#level);
  }

  /** Takes in how long pictures of the present effort took; true when the next ones will be finer. */
  measured(milliseconds: number): boolean {
    const [before, each] = [this.#level, milliseconds / cost(this.effort)];
    const affordable = efforts.filter((effort) => cost(effort) * each <= this.#budget).length;
    // Upwards one by one: the first of each includes making its program.
    this.#level = Math.max(0, Math.min(affordable - 1, before + 1));
    return this.#level > before;
  }
}
