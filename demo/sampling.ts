/**
 * How many samples are drawn, and in how many solver steps: as many as the device does in a moment. A software adapter
 * takes seconds for what a GPU does in a few milliseconds.
 */

export interface Effort {
  readonly count: number;
  /** Steps of RK4, four evaluations of the network each. */
  readonly steps: number;
}

const efforts: readonly Effort[] = [
  { count: 256, steps: 4 },
  { count: 512, steps: 6 },
  { count: 1024, steps: 8 },
  { count: 2048, steps: 10 },
  { count: 4096, steps: 12 },
];

/** Milliseconds that a model's samples may take. */
const BUDGET = 250;

const rows = ({ count, steps }: Effort) => count * steps;

/** Begins with the least, so that something is seen at once on any device. */
export class Sampling {
  #level = 0;

  get effort(): Effort {
    return efforts[this.#level] as Effort;
  }

  /** Takes in how long samples of the present effort took; true when the next ones will be more. */
  measured(milliseconds: number): boolean {
    const [before, perRow] = [this.#level, milliseconds / rows(this.effort)];
    const affordable = efforts.filter((effort) => rows(effort) * perRow <= BUDGET).length;
    // Upwards one by one: the first of each includes making its program.
    this.#level = Math.max(0, Math.min(affordable - 1, before + 1));
    return this.#level > before;
  }
}
