/** Charts of one coordinate as SVG text: the data's histogram, and over it densities or histograms of models. */
import { axisOf, marks, markText } from "./axes.ts";
import { escapeHtml } from "./html.ts";
import type { Range } from "./rows.ts";

export interface Line {
  /** Class of its colour. */
  readonly style: string;
  /** Place and density, from left to right. */
  readonly points: readonly (readonly [x: number, density: number])[];
}

export interface Distribution {
  readonly name: string;
  readonly range: Range;
  /** The data's values, counted into bars. */
  readonly values: Float64Array;
  readonly lines: readonly Line[];
  /** Drawn large: a page's one picture, not one of many. */
  readonly large?: boolean;
}

/** Bars of a histogram of `count` values. */
function barsFor(count: number): number {
  return Math.max(8, Math.min(60, Math.round(Math.sqrt(count) / 1.5)));
}

/** The share of the values in each of `bars` equal parts of the range, over the part's width: [left end, density]. */
export function bars(
  values: ArrayLike<number>,
  { low, high }: Range,
  count = barsFor(values.length),
): [number, number][] {
  const width = (high - low) / count;
  const counts = new Array<number>(count).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bar = Math.floor(((values[i] as number) - low) / width);
    if (bar >= 0 && bar < count) counts[bar] = (counts[bar] as number) + 1;
  }
  return counts.map((one, i) => [low + i * width, one / (values.length * width)]);
}

/** A histogram's outline as a line. */
export function outline(values: ArrayLike<number>, range: Range, count: number): Line["points"] {
  const steps = bars(values, range, count);
  const width = (range.high - range.low) / count;
  return steps.flatMap(([left, density]) => [[left, density] as const, [left + width, density] as const]);
}

/** Bars that the histograms of data and models of a chart have in common. */
export function barsOfMarginal(dataCount: number): number {
  return Math.min(32, barsFor(dataCount));
}

export function distributionChart({ name, range, values, lines, large = false }: Distribution): string {
  const [width, height] = large ? [720, 340] : [300, 170];
  const margin = { left: 10, right: 10, top: 8, bottom: large ? 60 : 42 };
  const [right, bottom] = [width - margin.right, height - margin.bottom];
  const count = large ? barsFor(values.length) : barsOfMarginal(values.length);
  const data = bars(values, range, count);
  // A narrow spike of a model may leave the top; the data may not.
  const tallest = Math.max(...data.map(([, density]) => density));
  const peaks = lines.map(({ points }) => Math.max(...points.map(([, density]) => density)));
  const top = 1.06 * Math.min(Math.max(tallest, ...peaks), 2 * tallest || 1);
  const x = (value: number) => margin.left + ((value - range.low) / (range.high - range.low)) * (right - margin.left);
  const y = (density: number) => margin.top + (1 - Math.min(density / top, 1)) * (bottom - margin.top);
  const step = (range.high - range.low) / count;
  const filled = data
    .filter(([, density]) => density > 0)
    .map(([left, density]) => `M${f(x(left))} ${bottom}V${f(y(density))}H${f(x(left + step))}V${bottom}Z`);
  const drawn = lines.map(({ style, points }) => {
    const path = points.map(([at, density], i) => `${i === 0 ? "M" : "L"}${f(x(at))} ${f(y(density))}`).join("");
    return `<path d="${path}" class="curve thin ${style}"/>`;
  });
  const axis = axisOf(name, range);
  const written = marks(range.low - axis.base, range.high - axis.base, large ? 6 : 4).map((mark) => {
    const at = Math.min(Math.max(x(mark + axis.base), margin.left + 12), right - 12);
    return `<text x="${f(at)}" y="${bottom + (large ? 24 : 16)}" text-anchor="middle">${markText(mark)}</text>`;
  });
  const label = escapeHtml(`Histogram of ${name}, data and models`);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" class="${large ? "large" : "small"}">
<path d="${filled.join("")}" class="bars"/>${drawn.join("")}<line x1="${margin.left}" x2="${right}" y1="${bottom}" y2="${bottom}" class="grid"/>
${written.join("")}<text x="${width / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(axis.name)}</text></svg>`;
}

const f = (value: number) => value.toFixed(1);
