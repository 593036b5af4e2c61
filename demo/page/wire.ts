/** The page's controls, and what each asks for. */
import { type Side, sides } from "../messages.ts";
import { describeWeight } from "./controls.ts";
import { element } from "./elements.ts";

export interface Asked {
  /** Train, or pause. */
  toggle(): void;
  start(steps: number): void;
  /** Both models anew, of what the controls say. */
  prepare(): void;
  undo(): void;
  changeSpeed(): void;
  /** A weight is dragged; it is another one once it is let go. */
  draw(): void;
  weigh(side: Side): void;
  pin(): void;
  unpin(): void;
  look(): void;
  redrawCurves(): void;
}

const STEPS_AT_ONCE = 10;

export function wireControls(asked: Asked): void {
  const on = (kind: "click" | "change", ids: readonly string[], act: () => void) => {
    for (const id of ids) element(id).addEventListener(kind, () => act());
  };
  on("click", ["start"], asked.toggle);
  on("click", ["step"], () => asked.start(STEPS_AT_ONCE));
  on("click", ["reset"], asked.prepare);
  on("click", ["undo"], asked.undo);
  on("change", ["speed"], asked.changeSpeed);
  on("change", ["width", "layers", "seed", "backend"], asked.prepare);
  for (const side of sides) {
    element(`${side}-weight`).addEventListener("input", () => {
      describeWeight(side);
      asked.draw();
    });
    on("change", [`${side}-weight`], () => asked.weigh(side));
  }
  on("click", ["pin"], asked.pin);
  on("click", ["unpin"], asked.unpin);
  on("change", ["maps", "overlays", "solver", "solver-steps", "tolerance"], asked.look);
  on("change", ["axis"], asked.redrawCurves);
}
