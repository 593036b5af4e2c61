/** Both pictures with their scale: drawn once a frame at most, when something has changed. */
import { type MapKind, type Side, type Slice, sides } from "../messages.ts";
import { gradientOf, paint, readTheme, type Table, type Theme, tableOf } from "./colours.ts";
import { element } from "./elements.ts";
import { drawPicture, type Overlays } from "./layers.ts";
import { differenceOf, type Scale, scaleOf } from "./ranges.ts";
import type { Shown } from "./shown.ts";
import { shortNumber } from "./words.ts";

export interface Staged {
  readonly shown: Readonly<Record<Side, Shown>>;
  readonly extent: number;
  readonly t: number;
  readonly map: MapKind;
  readonly overlays: Overlays;
  readonly data: Float32Array | undefined;
  readonly labels: Uint8Array | undefined;
  readonly titles: Readonly<Record<Side, string>>;
}

interface Maps {
  /** What they were made of. */
  readonly of: readonly [Slice | undefined, Slice | undefined, MapKind, Theme];
  readonly scale: Scale | undefined;
  readonly painted: Partial<Record<Side, OffscreenCanvas>>;
}

export class Stage {
  #theme: Theme | undefined;
  #tables: Partial<Record<Scale["kind"], Table>> = {};
  #maps: Maps | undefined;
  #isDrawing = false;
  readonly #staged: () => Staged;

  constructor(staged: () => Staged) {
    this.#staged = staged;
    addEventListener("resize", () => this.draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
  }

  get theme(): Theme {
    this.#theme ??= readTheme();
    return this.#theme;
  }

  /** The theme is another one. */
  recolour(): void {
    this.#theme = undefined;
    this.#tables = {};
    this.draw();
  }

  draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#drawNow();
    });
  }

  #drawNow(): void {
    const { shown, extent, t, overlays, data, labels, titles } = this.#staged();
    const { theme } = this;
    const maps = this.#mapsNow();
    for (const side of sides) {
      const { frames, slice } = shown[side];
      drawPicture(element(side), {
        ...{ theme, extent, t, overlays, data, labels, frames, slice },
        colour: theme[side],
        map: maps.painted[side],
      });
    }
    this.#showLegend(maps.scale && { ...maps.scale, what: maps.scale.what(titles) });
  }

  /** Both maps as pixels: painted once for what they show, not once a frame. */
  #mapsNow(): Maps {
    const { shown, map } = this.#staged();
    const { theme } = this;
    const of = [shown.left.slice, shown.right.slice, map, theme] as const;
    if (this.#maps?.of.every((one, i) => one === of[i])) return this.#maps;
    const slices = { left: shown.left.slice, right: shown.right.slice };
    if (map === "difference") slices.left = slices.right = differenceOf(slices.left, slices.right);
    const scale = scaleOf(map, [slices.left, slices.right]);
    const painted: Maps["painted"] = {};
    for (const side of sides) {
      const own = slices[side]?.map;
      if (own?.kind === map && scale) painted[side] = paint(own.values, own.size, scale.range, this.#table(scale.kind));
    }
    this.#maps = { of, scale, painted };
    return this.#maps;
  }

  #table(kind: Scale["kind"]): Table {
    this.#tables[kind] ??= tableOf(kind, this.theme);
    return this.#tables[kind];
  }

  #showLegend(scale: (Omit<Scale, "what"> & { readonly what: string }) | undefined): void {
    const legend = element("legend");
    legend.hidden = !scale;
    if (!scale) return;
    const [low, high] = scale.range;
    element("legend-low").textContent = shortNumber(low);
    element("legend-high").textContent = `${shortNumber(high)} ${scale.unit}`;
    element("legend-what").textContent = scale.what;
    element("legend-bar").style.background = gradientOf(this.#table(scale.kind));
  }
}
