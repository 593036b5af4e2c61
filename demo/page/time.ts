/** The time of the flow: a slider that scrubs both ways, and its animation. */
import { element } from "./elements.ts";

/** From noise to data, and how long the end is held. */
const MILLISECONDS = 4200;
const HELD_MILLISECONDS = 1400;
/** While it plays, maps and arrows follow at this distance. */
const FOLLOWS_MILLISECONDS = 300;

export class Time {
  #t = 1;
  #start: number | undefined;
  #told = 0;
  readonly #slider = element<HTMLInputElement>("time");
  readonly #button = element<HTMLButtonElement>("time-play");
  readonly #moved: (isSettled: boolean) => void;

  /** @param moved - called at each change; settled are those that maps and arrows should follow. */
  constructor(moved: (isSettled: boolean) => void) {
    this.#moved = moved;
    this.#slider.addEventListener("input", () => {
      this.pause();
      this.#set(Number(this.#slider.value), true);
    });
    this.#button.addEventListener("click", () => (this.isPlaying ? this.pause() : this.play()));
  }

  get t(): number {
    return this.#t;
  }

  get isPlaying(): boolean {
    return this.#start !== undefined;
  }

  set(t: number): void {
    this.pause();
    this.#set(t, true);
  }

  play(): void {
    if (this.isPlaying) return;
    const from = this.#t >= 1 ? 0 : this.#t;
    this.#start = performance.now() - from * MILLISECONDS;
    this.#button.textContent = "Stop";
    requestAnimationFrame(() => this.#advance());
  }

  pause(): void {
    if (!this.isPlaying) return;
    this.#start = undefined;
    this.#button.textContent = "Play";
    this.#set(this.#t, true);
  }

  #advance(): void {
    if (this.#start === undefined) return;
    const now = performance.now();
    const gone = (now - this.#start) % (MILLISECONDS + HELD_MILLISECONDS);
    const isSettled = now - this.#told > FOLLOWS_MILLISECONDS;
    if (isSettled) this.#told = now;
    this.#set(Math.min(1, gone / MILLISECONDS), isSettled);
    requestAnimationFrame(() => this.#advance());
  }

  #set(t: number, isSettled: boolean): void {
    this.#t = t;
    this.#slider.value = String(t);
    element("time-value").textContent = `t = ${t.toFixed(2)}`;
    this.#slider.setAttribute(
      "aria-valuetext",
      `t = ${t.toFixed(2)}, ${t === 0 ? "noise" : t === 1 ? "data" : "on the way"}`,
    );
    this.#moved(isSettled);
  }
}
