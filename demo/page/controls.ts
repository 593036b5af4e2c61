/** Controls of models, pictures and sampling: what they say, and what presets make them say. */
import type { DataChoice, MapKind, Sampler, Settings, Side } from "../messages.ts";
import { isByClass, wantedClass } from "./classes.ts";
import { chosen, element } from "./elements.ts";
import type { Overlays } from "./layers.ts";

/** Places of the weights' sliders. */
export const weights = [0, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

export const titleOfWeight = (weight: number): string => (weight === 0 ? "CFM" : `FDM ${weight}`);

export function weightOf(side: Side): number {
  return weights[Number(element<HTMLInputElement>(`${side}-weight`).value)] ?? 0;
}

export function showWeight(side: Side, weight: number): void {
  const place = weights.indexOf(weight as (typeof weights)[number]);
  element<HTMLInputElement>(`${side}-weight`).value = String(Math.max(0, place));
  describeWeight(side);
}

/** Words beside the slider and for who hears it. */
export function describeWeight(side: Side): void {
  const weight = weightOf(side);
  const words = weight === 0 ? "0 (CFM)" : String(weight);
  element(`${side}-weight-value`).textContent = words;
  element(`${side}-weight`).setAttribute("aria-valuetext", words);
}

/** @param last - of a network of the same size on the same device, whose smaller batches are kept. */
export function settingsBy(data: DataChoice, last?: Settings): Settings {
  const value = (id: string) => element<HTMLInputElement>(id).value;
  const isSame = last && (["width", "layers", "backend"] as const).every((id) => String(last[id]) === value(id));
  return {
    ...(isSame && last.batchSize !== undefined ? { batchSize: last.batchSize } : {}),
    data,
    width: Number(value("width")),
    layers: Number(value("layers")),
    seed: Math.max(0, Math.trunc(Number(value("seed"))) || 0),
    backend: value("backend") as Settings["backend"],
    weights: { left: weightOf("left"), right: weightOf("right") },
    byClass: isByClass(),
  };
}

export function showSettings({ width, layers, seed, backend, weights: own, byClass }: Settings): void {
  element<HTMLInputElement>("by-class").checked = byClass === true;
  for (const [id, value] of Object.entries({ width, layers, seed, backend }))
    element<HTMLInputElement>(id).value = String(value);
  showWeight("left", own.left);
  showWeight("right", own.right);
}

export const mapChosen = (): MapKind => chosen("maps") as MapKind;

export function showMap(map: MapKind): void {
  for (const radio of element("maps").querySelectorAll("input")) radio.checked = radio.value === map;
}

export function overlaysChosen(): Overlays {
  const boxes = [...element("overlays").querySelectorAll("input")];
  return Object.fromEntries(boxes.map(({ value, checked }) => [value, checked])) as unknown as Overlays;
}

export function showOverlays(overlays: Overlays): void {
  for (const box of element("overlays").querySelectorAll("input")) box.checked = overlays[box.value as keyof Overlays];
}

export function samplerChosen(): Sampler {
  const value = (id: string) => element<HTMLSelectElement>(id).value;
  const solver = value("solver") as Sampler["solver"];
  const isAdaptive = solver === "dopri5";
  element("solver-steps-label").hidden = isAdaptive;
  element("tolerance-label").hidden = !isAdaptive;
  return { solver, steps: Number(value("solver-steps")), tolerance: Number(value("tolerance")), ...wantedClass() };
}

interface Preset {
  readonly title: string;
  /** A named set; left out: what is chosen. */
  readonly data?: string;
  readonly settings: Pick<Settings, "weights"> & Partial<Pick<Settings, "width" | "layers">>;
}

const presets: readonly Preset[] = [
  { title: "CFM and FDM 0.3", settings: { weights: { left: 0, right: 0.3 } } },
  { title: "Two weights: 0.1 and 1", settings: { weights: { left: 0.1, right: 1 } } },
  { title: "Too much of it: 0.3 and 3", settings: { weights: { left: 0.3, right: 3 } } },
  {
    title: "A small network on rings",
    data: "rings",
    settings: { width: 32, layers: 3, weights: { left: 0, right: 0.3 } },
  },
  {
    title: "A large network on spirals",
    data: "spirals",
    settings: { width: 128, layers: 4, weights: { left: 0, right: 0.3 } },
  },
];

export function offerPresets(choose: (preset: Preset) => void): void {
  const select = element<HTMLSelectElement>("preset");
  select.replaceChildren(...presets.map(({ title }, i) => new Option(title, String(i))));
  select.addEventListener("change", () => {
    const preset = presets[Number(select.value)];
    if (preset) choose(preset);
  });
}
