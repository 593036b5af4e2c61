/** Values over a training run in bounded room, however long it is: what a report draws, or takes the middle of. */

/** Points kept at most; from half as many on. */
const MOST = 2048;

type Point = readonly [step: number, value: number];

/**
 * A series thinned as it comes. Up to 2,048 points are what was added. When there are more, each two neighbours become
 * one: their mean at the later step, or of `exact` series the later of them; from then on twice as many go into a point.
 */
export class Series {
  readonly #isExact: boolean;
  #points: Point[] = [];
  /** Values that a point stands for. */
  #each = 1;
  #sum = 0;
  #count = 0;
  #last = 0;

  constructor({ exact = false } = {}) {
    this.#isExact = exact;
  }

  add(step: number, value: number): void {
    this.#sum = this.#isExact ? value : this.#sum + value;
    this.#last = step;
    if (++this.#count === this.#each) this.#close();
  }

  /** All points, the last of which may stand for fewer values. */
  get points(): readonly Point[] {
    return this.#count === 0 ? this.#points : [...this.#points, this.#point()];
  }

  #point(): Point {
    return [this.#last, this.#isExact ? this.#sum : this.#sum / this.#count];
  }

  #close(): void {
    this.#points.push(this.#point());
    [this.#sum, this.#count] = [0, 0];
    if (this.#points.length < MOST) return;
    const halved: Point[] = [];
    for (let i = 0; i < MOST; i += 2) {
      const [, one] = this.#points[i] as Point;
      const [step, other] = this.#points[i + 1] as Point;
      halved.push([step, this.#isExact ? other : (one + other) / 2]);
    }
    this.#points = halved;
    this.#each *= 2;
  }
}
