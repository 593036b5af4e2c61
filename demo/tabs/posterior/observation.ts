/** The point of what was observed, in the plane of data: moved by mouse, finger, arrow keys or as numbers. */
import { element } from "../../page/elements.ts";
import type { Range } from "../plane.ts";
import { placeIn, within } from "../plane.ts";

type Point = readonly [number, number];

const KEY_PART = 1 / 100;
const SHIFTED = 5;

export class Observation {
  point: Point = [0, 0];
  box: readonly [Range, Range] | undefined;
  readonly #canvas = element<HTMLCanvasElement>("posterior-data");
  readonly #fields = [element<HTMLInputElement>("posterior-x"), element<HTMLInputElement>("posterior-y")] as const;
  readonly #moved: () => void;

  /** @param moved - called with each place that a visitor moves it to. @param changed - when it is to be drawn otherwise. */
  constructor(moved: () => void, changed: () => void) {
    this.#moved = moved;
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application"); // its keys are its own
    canvas.setAttribute("aria-describedby", "posterior-help");
    let isDown = false;
    const drag = (event: PointerEvent) => {
      if (this.box) this.#moveTo(placeIn(canvas, this.box, event));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      isDown = true;
      drag(event);
    });
    canvas.addEventListener("pointermove", (event) => isDown && drag(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (isDown = false));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const change of ["focus", "blur"]) canvas.addEventListener(change, changed);
    for (const field of this.#fields) {
      field.addEventListener("change", () => {
        const [x, y] = this.#fields.map(({ valueAsNumber }) => valueAsNumber) as [number, number];
        if (Number.isFinite(x) && Number.isFinite(y)) this.#moveTo([x, y]);
        else this.show();
      });
    }
  }

  get isFocused(): boolean {
    return document.activeElement === this.#canvas;
  }

  /** Where it is, in its fields. */
  show(): void {
    for (const [k, field] of this.#fields.entries())
      field.value = String(Number((this.point[k] as number).toPrecision(4)));
  }

  #key(event: KeyboardEvent): void {
    const { box } = this;
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!direction || !box) return;
    event.preventDefault();
    const part = KEY_PART * (event.shiftKey ? SHIFTED : 1);
    const [x, y] = this.point.map((value, k) => {
      const [low, high] = box[k] as Range;
      return within([low, high], value + part * (direction[k] as number) * (high - low));
    });
    this.#moveTo([x as number, y as number]);
  }

  #moveTo(point: Point): void {
    this.point = point;
    this.show();
    this.#moved();
  }
}
