/** Line charts as SVG text: a loss against the training step, or what else there is along an axis. */
import { marks } from "./axes.ts";
import { escapeHtml, figureOf } from "./html.ts";
import { extremes } from "./numbers.ts";

export interface Curve {
  readonly name: string;
  /** Class of its colour. */
  readonly style: string;
  /** Step, or place along the axis, and value, in their order; values that are not finite are left out. */
  readonly points: readonly (readonly [step: number, value: number])[];
  /** A value that the finished model was judged at, shown as a dashed line. */
  readonly judged?: number;
  /** A point of it that a dot marks. */
  readonly marked?: readonly [step: number, value: number];
  /** Drawn as it is, not as a running mean: it is not of minibatches. */
  readonly exact?: boolean;
}

const WIDTH = 560;
const HEIGHT = 280;
const MARGIN = { left: 52, right: 24, top: 10, bottom: 46 };

/** Minibatch losses are noisy: curves are running means over this share of their length. */
const SMOOTHED_SHARE = 1 / 25;

/** The axis fits what comes after this share of a curve; the fall from the initial network may leave the top. */
const TRANSIENT_SHARE = 1 / 20;

function smooth(points: Curve["points"], window: number): [number, number][] {
  let sum = 0;
  return points.map(([step, value], i) => {
    sum += value;
    if (i >= window) sum -= (points[i - window] as readonly [number, number])[1];
    return [step, sum / Math.min(i + 1, window)];
  });
}

/** What the axis spans: all that is shown after the transient, and a little more. */
function limits(curves: readonly Curve[], transient: number): [number, number] {
  const values = curves.flatMap(({ points, judged }) => [
    ...points.slice(Math.floor(points.length * transient)).map(([, value]) => value),
    ...(judged === undefined ? [] : [judged]),
  ]);
  const { least: low, most: high } = extremes(values);
  const room = 0.08 * (high - low) || 0.1 * Math.abs(high) || 1;
  return [low - room, high + room];
}

export interface Across {
  /** Name of the axis, with its unit. */
  readonly name: string;
  /** Whether the axes span all there is: not from 0, and with a curve's beginning. Default false, as trainings have it. */
  readonly whole?: boolean;
}

/** One chart of several curves. */
export function chart(
  title: string,
  note: string,
  curves: readonly Curve[],
  { name: across, whole = false }: Across = { name: "training step" },
): string {
  const shown = curves
    .map((curve) => {
      const points = curve.points.filter(([, value]) => Number.isFinite(value));
      const window = curve.exact ? 1 : Math.max(1, Math.round(points.length * SMOOTHED_SHARE));
      return { ...curve, points: smooth(points, window) };
    })
    .filter(({ points, judged }) => points.length > 0 || judged !== undefined);
  if (shown.length === 0) return "";
  const [low, high] = limits(shown, whole ? 0 : TRANSIENT_SHARE);
  const places = extremes(shown.flatMap(({ points }) => [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 1]));
  const firstStep = whole ? places.least : 0;
  const lastStep = places.most > firstStep ? places.most : firstStep + 1;
  const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = (step: number) => MARGIN.left + ((step - firstStep) / (lastStep - firstStep)) * (right - MARGIN.left);
  const y = (value: number) => MARGIN.top + (1 - (value - low) / (high - low)) * (bottom - MARGIN.top);
  const level = (value: number) =>
    `x1="${MARGIN.left}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"`;

  const horizontal = marks(low, high).map(
    (value) =>
      `<line ${level(value)} class="grid"/>` +
      `<text x="${MARGIN.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value}</text>`,
  );
  const steps = marks(firstStep, lastStep).map((step) => {
    // A number at the very end would leave the picture, the more so on phones, where letters are larger.
    const place = x(step) > right - 20 ? `x="${WIDTH - 2}" text-anchor="end"` : `x="${x(step).toFixed(1)}"`;
    return `<text ${place} y="${bottom + 18}" class="step">${step.toLocaleString("en")}</text>`;
  });
  const lines = shown.map(({ points, style, judged, marked }) => {
    const stride = Math.max(1, Math.floor(points.length / 400)); // more points than pixels help nobody
    const path = points
      .filter((_, i) => i % stride === 0 || i === points.length - 1)
      .map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)
      .join("");
    const line = `<path d="${path}" class="curve ${style}"/>`;
    if (marked) {
      return `${line}<circle cx="${x(marked[0]).toFixed(1)}" cy="${y(marked[1]).toFixed(1)}" r="5" class="best ${style}"/>`;
    }
    return judged === undefined ? line : `${line}<line ${level(judged)} class="judged ${style}"/>`;
  });
  const clip = `clip-${`${title} ${across}`.replace(/\W+/g, "-").toLowerCase()}`;
  const keys = shown.map(({ name, style }) => ({ title: name, style }));
  const picture = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}, by ${across}`)}">
<clipPath id="${clip}"><rect x="${MARGIN.left}" y="${MARGIN.top}" width="${right - MARGIN.left}" height="${bottom - MARGIN.top}"/></clipPath>
${horizontal.join("")}${steps.join("")}<g clip-path="url(#${clip})">${lines.join("")}</g>
<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(across)}</text></svg>`;
  return figureOf(title, note, keys, picture);
}
