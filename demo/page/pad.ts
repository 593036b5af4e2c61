/** A pad to draw data on: with mouse, finger or keyboard. What is drawn are dabs, each a small round blob. */
import { element } from "./elements.ts";

/** Half the side of the pad, in data units, and the deviation of a dab. */
export const PAD_EXTENT = 3;
export const DAB_DEVIATION = 0.13;
/** Dabs of a stroke are this far apart. */
const APART = 0.14;
const MOST_DABS = 500;
const KEY_STEP = 0.15;

export class Pad {
  readonly #canvas = element<HTMLCanvasElement>("pad");
  /** [count, 2] */
  #dabs: number[] = [];
  #pen: [x: number, y: number] = [0, 0];
  #isDown = false;
  readonly #colour: () => { ink: string; soft: string; line: string };

  constructor(colour: () => { ink: string; soft: string; line: string }) {
    this.#colour = colour;
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application"); // its keys are its own
    canvas.setAttribute("aria-label", "Drawing pad");
    canvas.setAttribute("aria-describedby", "pad-help");
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#isDown = true;
      this.#pen = this.#placeOf(event);
      this.#dab();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.#isDown) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) this.#moveTo(this.#placeOf(one));
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.#isDown = false));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const change of ["focus", "blur"]) canvas.addEventListener(change, () => this.draw());
    element("draw-details").addEventListener("toggle", () => this.draw());
  }

  get points(): readonly number[] {
    return this.#dabs;
  }

  /** Shows what was drawn before. */
  show(points: readonly number[]): void {
    this.#dabs = [...points];
    this.draw();
  }

  clear(): void {
    this.show([]);
  }

  #placeOf({ clientX, clientY }: PointerEvent): [number, number] {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const place = [(2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height] as const;
    return [within(PAD_EXTENT * place[0]), within(PAD_EXTENT * place[1])];
  }

  #key(event: KeyboardEvent): void {
    const [x, y] = this.#pen;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [x - KEY_STEP, y],
      ArrowRight: [x + KEY_STEP, y],
      ArrowUp: [x, y + KEY_STEP],
      ArrowDown: [x, y - KEY_STEP],
    };
    const to = moves[event.key];
    if (to) this.#pen = [within(to[0]), within(to[1])];
    else if (event.key === " ") this.#dab();
    else if (event.key === "Backspace") this.#dabs.splice(-2);
    else return;
    event.preventDefault();
    this.draw();
  }

  #moveTo([x, y]: [number, number]): void {
    const [fromX, fromY] = this.#pen;
    const distance = Math.hypot(x - fromX, y - fromY);
    const steps = Math.floor(distance / APART);
    for (let i = 1; i <= steps; i++) {
      const part = (i * APART) / distance;
      this.#pen = [fromX + part * (x - fromX), fromY + part * (y - fromY)];
      this.#dab();
    }
  }

  #dab(): void {
    if (this.#dabs.length < 2 * MOST_DABS) this.#dabs.push(...this.#pen);
    this.draw();
  }

  draw(): void {
    const context = this.#canvas.getContext("2d");
    const size = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (!context || size === 0) return;
    [this.#canvas.width, this.#canvas.height] = [size, size];
    const at = ([x, y]: readonly [number, number]) =>
      [(0.5 + x / (2 * PAD_EXTENT)) * size, (0.5 - y / (2 * PAD_EXTENT)) * size] as const;
    const { ink, soft, line } = this.#colour();
    context.strokeStyle = line;
    context.strokeRect(size / 2, 0, 0, size);
    context.strokeRect(0, size / 2, size, 0);
    context.fillStyle = ink;
    context.globalAlpha = 0.6;
    for (let i = 0; i < this.#dabs.length; i += 2) {
      context.beginPath();
      context.arc(
        ...at([this.#dabs[i]!, this.#dabs[i + 1]!]),
        (1.6 * DAB_DEVIATION * size) / (2 * PAD_EXTENT),
        0,
        2 * Math.PI,
      );
      context.fill();
    }
    context.globalAlpha = 1;
    if (document.activeElement !== this.#canvas) return;
    const [x, y] = at(this.#pen);
    context.strokeStyle = soft;
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeRect(x - 6 * devicePixelRatio, y, 12 * devicePixelRatio, 0);
    context.strokeRect(x, y - 6 * devicePixelRatio, 0, 12 * devicePixelRatio);
  }
}

const within = (value: number) => Math.min(PAD_EXTENT, Math.max(-PAD_EXTENT, value));
