/** Colours of maps and of the page: viridis for densities, blue over the paper's colour to orange for what has a sign. */

type Rgb = readonly [red: number, green: number, blue: number];

const LEVELS = 256;

/** By a polynomial of sixth degree that is within 1 of 255 of Matplotlib's table. */
const viridisTerms: readonly Rgb[] = [
  [0.2777273272, 0.0054073445, 0.3340998053],
  [0.1050930431, 1.4046135299, 1.3845901627],
  [-0.3308618287, 0.2148475595, 0.0950951628],
  [-4.6342304981, -5.7991009737, -19.3324409563],
  [6.2282699321, 14.179933337, 56.6905526008],
  [4.7763849983, -13.7451453777, -65.3530326334],
  [-5.4354558559, 4.645852612, 26.3124352496],
];

function viridisAt(z: number): Rgb {
  const channel = (i: 0 | 1 | 2) => {
    const value = viridisTerms.reduceRight((sum, term) => sum * z + term[i], 0);
    return Math.round(255 * Math.min(1, Math.max(0, value)));
  };
  return [channel(0), channel(1), channel(2)];
}

const below: readonly Rgb[] = [
  [33, 102, 190],
  [111, 168, 226],
];
const above: readonly Rgb[] = [
  [240, 160, 92],
  [190, 84, 10],
];

function between(a: Rgb, b: Rgb, part: number): Rgb {
  const mix = (i: 0 | 1 | 2) => Math.round(a[i] + (b[i] - a[i]) * part);
  return [mix(0), mix(1), mix(2)];
}

/** Blue at 0, the paper at 1/2, orange at 1. */
export function signedAt(z: number, paper: Rgb): Rgb {
  const stops = [below[0], below[1], paper, above[0], above[1]] as [Rgb, Rgb, Rgb, Rgb, Rgb];
  const place = Math.min(3.999, Math.max(0, z * 4));
  const from = Math.floor(place);
  return between(stops[from] as Rgb, stops[from + 1] as Rgb, place - from);
}

/** From the paper on, so that nothing is drawn where nothing is; in the light theme dark is much, in the dark one bright. */
export function densityAt(z: number, paper: Rgb, isDark: boolean): Rgb {
  const clamped = Math.min(1, Math.max(0, z));
  const colour = viridisAt(isDark ? 0.08 + 0.92 * clamped : 1 - clamped);
  return between(paper, colour, Math.min(1, clamped * 7));
}

export type Table = Uint8ClampedArray;

/** [LEVELS, 3] of a map's colours. */
export function tableOf(kind: "density" | "signed", theme: Theme): Table {
  const table = new Uint8ClampedArray(3 * LEVELS);
  for (let i = 0; i < LEVELS; i++) {
    const z = i / (LEVELS - 1);
    table.set(kind === "density" ? densityAt(z, theme.card, theme.isDark) : signedAt(z, theme.card), 3 * i);
  }
  return table;
}

/** A gradient of the table for style sheets. */
export function gradientOf(table: Table): string {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const at = 3 * Math.round((i / 16) * (LEVELS - 1));
    return `rgb(${table[at]} ${table[at + 1]} ${table[at + 2]})`;
  });
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

/** Values in [low, high] as pixels, top row first. */
export function paint(
  values: Float32Array,
  size: number,
  [low, high]: readonly [number, number],
  table: Table,
): OffscreenCanvas {
  const canvas = new OffscreenCanvas(size, size);
  const image = new ImageData(size, size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = values[(size - 1 - row) * size + column] as number;
      const level = Math.round((LEVELS - 1) * Math.min(1, Math.max(0, (value - low) / (high - low))));
      const at = 4 * (row * size + column);
      for (let i = 0; i < 3; i++) image.data[at + i] = table[3 * level + i] as number;
      image.data[at + 3] = 255;
    }
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

/** The page's colours as they are now, read once for each theme. */
export interface Theme {
  readonly isDark: boolean;
  readonly card: Rgb;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly data: string;
  readonly left: string;
  readonly right: string;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const card = /^#(..)(..)(..)$/.exec(of("card"));
  return {
    isDark: of("is-dark") === "1",
    card: [1, 2, 3].map((i) => Number.parseInt(card?.[i] ?? "ff", 16)) as unknown as Rgb,
    ...{ ink: of("ink"), soft: of("soft"), line: of("line"), data: of("data"), left: of("left"), right: of("right") },
  };
}
