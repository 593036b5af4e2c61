/** The tour on the page: what each step shows in the pictures, and what stands there after it. */
import type { SceneChoice } from "../messages.ts";
import { showMap, showOverlays } from "./controls.ts";
import { Guide } from "./guide.ts";
import type { Time } from "./time.ts";

export interface OnTour {
  readonly time: Time;
  /** Shows a formula's fields; null: the models again. */
  stage(scene: SceneChoice | null): void;
  look(): void;
  draw(): void;
}

const wantsCalm = matchMedia("(prefers-reduced-motion: reduce)");

export function newTour({ time, stage, look, draw }: OnTour): Guide {
  return new Guide({
    shown(view) {
      showMap(view.map);
      showOverlays(view.overlays);
      stage(view.scene);
      if (view.plays && !wantsCalm.matches) time.play();
      else time.set(view.map === "divergence-error" ? 0.8 : 1);
      look();
      draw();
    },
    ended() {
      stage(null);
      showMap("density");
      showOverlays({ particles: true, data: false, paths: false, arrows: false, lattice: false });
      time.set(1);
      draw();
    },
  });
}
