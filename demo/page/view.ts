/** What is looked at, as links hold it: read from the page's controls, and put there. */
import { axes, maps, overlays, type SharedView } from "../share/run.ts";
import { mapChosen, overlaysChosen, showMap, showOverlays } from "./controls.ts";
import { chosen, element } from "./elements.ts";
import { showJumps, wantedJumps } from "./one-step.ts";

export function viewNow(t: number): SharedView {
  const shown = overlaysChosen();
  const jumps = wantedJumps();
  return {
    ...{ t: Math.round(1000 * t) / 1000, map: maps.find((map) => map === mapChosen()) ?? "none" },
    overlays: overlays.filter((one) => shown[one]),
    axis: axes.find((axis) => axis === chosen("axis")) ?? "step",
    ...(jumps === undefined ? {} : { jumps }),
  };
}

export function showView({ t, map, overlays: shown, axis, jumps }: SharedView): void {
  showJumps(jumps);
  showMap(map);
  showOverlays({
    particles: shown.includes("particles"),
    data: shown.includes("data"),
    paths: shown.includes("paths"),
    arrows: shown.includes("arrows"),
    lattice: shown.includes("lattice"),
  });
  for (const radio of element("axis").querySelectorAll("input")) radio.checked = radio.value === axis;
  const slider = element<HTMLInputElement>("time");
  slider.value = String(t);
  slider.dispatchEvent(new Event("input")); // as by hand
}
