/** Both pictures with their scale: drawn once a frame at most, when something has changed. */
import { type MapKind, type Side, sides } from "../messages.ts";
import { gradientOf, readTheme, type Table, type Theme, tableOf } from "./colours.ts";
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
  readonly titles: Readonly<Record<Side, string>>;
}

export class Stage {
  #theme: Theme | undefined;
  #tables: Partial<Record<Scale["kind"], Table>> = {};
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
    const { shown, extent, t, map, overlays, data, titles } = this.#staged();
    const { theme } = this;
    const both = differenceOf(shown.left.slice, shown.right.slice);
    const slices = { left: shown.left.slice, right: shown.right.slice };
    if (map === "difference") slices.left = slices.right = both;
    const scale = scaleOf(map, [slices.left, slices.right], [titles.left, titles.right]);
    this.#showLegend(scale);
    for (const side of sides) {
      const slice = slices[side];
      const own = slice?.map?.kind === map ? slice.map : undefined;
      drawPicture(element(side), {
        ...{ theme, extent, t, overlays, data, frames: shown[side].frames, slice },
        colour: theme[side],
        map: own && scale ? { ...own, range: scale.range, table: this.#table(scale.kind) } : undefined,
      });
    }
  }

  #table(kind: Scale["kind"]): Table {
    this.#tables[kind] ??= tableOf(kind, this.theme);
    return this.#tables[kind];
  }

  #showLegend(scale: Scale | undefined): void {
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
