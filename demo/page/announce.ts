/** Tells screen readers the state, politely: one message in five seconds at most, the last word of each. */
import { element } from "./elements.ts";

const EVERY_MILLISECONDS = 5000;

export class Announcer {
  #at = Number.NEGATIVE_INFINITY;
  #isWaiting = false;
  readonly #words: () => string;
  readonly #region: string;

  /** @param words - what there is to say, when it is said. @param region - the element that says it. */
  constructor(words: () => string, region = "announcement") {
    this.#words = words;
    this.#region = region;
  }

  announce(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(
      () => {
        this.#isWaiting = false;
        const words = this.#words();
        const region = element(this.#region);
        if (region.textContent === words) return;
        this.#at = performance.now();
        region.textContent = words;
      },
      Math.max(0, this.#at + EVERY_MILLISECONDS - performance.now()),
    );
  }
}
