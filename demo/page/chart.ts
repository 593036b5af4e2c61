/** Draws curves on a canvas: axes with units, bands, reference lines. */
import type { Theme } from "./colours.ts";
import { shortNumber } from "./words.ts";

export interface Line {
  readonly colour: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly error?: number | undefined }[];
  readonly dashed?: boolean;
}

export interface ChartOptions {
  readonly theme: Theme;
  readonly lines: readonly Line[];
  /** "step", "seconds". */
  readonly axis: string;
  readonly logarithmic: boolean;
  /** A level that nothing is below. */
  readonly floor?: { readonly y: number; readonly name: string } | undefined;
}

/** The axis fits what comes after this share of the run; the fall from the initial network may leave the top. */
const TRANSIENT_SHARE = 0.05;

export function drawChart(canvas: HTMLCanvasElement, { theme, lines, axis, logarithmic, floor }: ChartOptions): void {
  const context = canvas.getContext("2d");
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (!context || width === 0 || height === 0) return;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  else context.clearRect(0, 0, width, height);
  const shown = lines.map((line) => ({
    ...line,
    points: line.points.filter(({ y }) => Number.isFinite(y) && (!logarithmic || y > 0)),
  }));
  const all = shown.flatMap(({ points }) => points);
  const area = { left: 52 * ratio, right: width - 10 * ratio, top: 8 * ratio, bottom: height - 24 * ratio };
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.fillStyle = theme.soft;
  if (all.length === 0) {
    context.textAlign = "center";
    context.fillText("Train to see it.", (area.left + area.right) / 2, (area.top + area.bottom) / 2);
    return;
  }
  const last = Math.max(...all.map(({ x }) => x), 1e-9);
  const settled = all
    .filter(({ x }) => x >= TRANSIENT_SHARE * last)
    .flatMap(({ y, error = 0 }) => [y - error, y + error]);
  const values = [...settled.filter((y) => !logarithmic || y > 0), ...(floor ? [floor.y] : [])];
  const [low, high] = limits(values, logarithmic);
  const scaled = (y: number) => (logarithmic ? Math.log(y / low) / Math.log(high / low) : (y - low) / (high - low));
  const across = (x: number) => area.left + (x / last) * (area.right - area.left);
  const up = (y: number) => area.bottom - scaled(y) * (area.bottom - area.top);

  context.strokeStyle = theme.line;
  context.lineWidth = ratio;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const y of gridlines(low, high, logarithmic)) {
    context.beginPath();
    context.moveTo(area.left, up(y));
    context.lineTo(area.right, up(y));
    context.stroke();
    context.fillText(shortNumber(y), area.left - 7 * ratio, up(y));
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText("0", area.left, height - 6 * ratio);
  context.textAlign = "right";
  const end = axis === "step" ? `step ${last.toLocaleString("en")}` : `${shortNumber(last)} s`;
  context.fillText(end, area.right, height - 6 * ratio);

  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  context.clip();
  context.lineJoin = "round";
  for (const { colour, points } of shown) {
    const banded = points.filter(({ error }) => error !== undefined);
    if (banded.length < 2) continue;
    context.fillStyle = colour;
    context.globalAlpha = 0.18;
    context.beginPath();
    for (const { x, y, error = 0 } of banded) context.lineTo(across(x), up(y + error));
    for (const { x, y, error = 0 } of [...banded].reverse())
      context.lineTo(across(x), up(Math.max(logarithmic ? low : low - high, y - error)));
    context.fill();
    context.globalAlpha = 1;
  }
  for (const { colour, points, dashed } of shown) {
    context.strokeStyle = colour;
    context.fillStyle = colour;
    context.lineWidth = 2 * ratio;
    context.setLineDash(dashed ? [5 * ratio, 4 * ratio] : []);
    context.beginPath();
    for (const { x, y } of points) context.lineTo(across(x), up(y));
    context.stroke();
    context.setLineDash([]);
    const one = points.length === 1 ? points[0] : undefined;
    if (!one) continue;
    context.beginPath();
    context.arc(across(one.x), up(one.y), 3 * ratio, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
  if (!floor) return;
  context.strokeStyle = theme.soft;
  context.setLineDash([2 * ratio, 3 * ratio]);
  context.lineWidth = 1.4 * ratio;
  context.beginPath();
  context.moveTo(area.left, up(floor.y));
  context.lineTo(area.right, up(floor.y));
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = theme.soft;
  context.fillText(floor.name, area.right - 2 * ratio, up(floor.y) - 5 * ratio);
}

/** A little beyond the smallest and largest, and not too close to each other. */
function limits(values: readonly number[], logarithmic: boolean): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (logarithmic) return [least / 1.06, Math.max(most * 1.06, (least / 1.06) * 1.2)];
  const beyond = Math.max(0.06 * (most - least), 1e-3);
  return [least - beyond, most + beyond];
}

/** Round numbers in [low, high]: as many as can be told apart. */
export function gridlines(low: number, high: number, logarithmic: boolean): number[] {
  const ratio = high / low;
  if (logarithmic && ratio > 3) {
    const factors = ratio > 100 ? [1] : ratio > 12 ? [1, 3] : [1, 2, 5];
    const powers = Array.from({ length: 40 }, (_, i) => 10 ** (Math.floor(Math.log10(low)) + i));
    return powers.flatMap((power) => factors.map((factor) => factor * power)).filter((y) => y >= low && y <= high);
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / distance);
  return Array.from({ length: Math.floor(high / distance) - first + 1 }, (_, i) => (first + i) * distance);
}
