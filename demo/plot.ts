/** Draws points and curves on canvases, in the colours of the style sheet and at the screen's own resolution. */
import type { Support } from "./messages.ts";

export interface Curve {
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

type Colour = "truth" | "cfm" | "fdm" | "soft" | "line" | "support";

export function colourOf(name: Colour): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Points [count, 2] in [-extent, extent]^2 over a pale picture of where the data can be. */
export function drawPoints(
  canvas: HTMLCanvasElement,
  { points, extent, colour, support }: { points: Float32Array; extent: number; colour: string; support?: Support },
): void {
  const cleared = clear(canvas);
  if (!cleared) return;
  const { context, width, height } = cleared;
  if (support) drawSupport(context, support, width, height);
  context.fillStyle = colour;
  const size = Math.max(1.5, width / 150);
  // Fewer points show as strongly as many do.
  context.globalAlpha = Math.min(0.9, 0.5 + 200 / points.length);
  for (let i = 0; i < points.length; i += 2) {
    const x = (0.5 + points[i] / (2 * extent)) * width;
    const y = (0.5 - points[i + 1] / (2 * extent)) * height;
    context.fillRect(x - size / 2, y - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

function drawSupport(context: CanvasRenderingContext2D, { size, cells }: Support, width: number, height: number): void {
  context.fillStyle = colourOf("support");
  const [w, h] = [width / size, height / size];
  for (let row = 0; row < size; row++) {
    for (let from = 0; from < size; from++) {
      if (!cells[row * size + from]) continue;
      let to = from;
      while (to < size && cells[row * size + to]) to++;
      // Whole pixels: between rows that meet inside one, a line would be seen.
      const [top, bottom] = [Math.round(row * h), Math.round((row + 1) * h)];
      context.fillRect(Math.round(from * w), top, Math.round(to * w) - Math.round(from * w), bottom - top);
      from = to;
    }
  }
}

/** The axis fits what comes after this share of the steps; the fall from the initial network may leave the top. */
const TRANSIENT_SHARE = 0.04;

/** Curves over the same steps; y on a logarithmic axis. The first is drawn broad and pale, the next over it. */
export function drawCurves(canvas: HTMLCanvasElement, curves: readonly Curve[], format: (y: number) => string): void {
  const cleared = clear(canvas);
  if (!cleared) return;
  const { context, width, height, ratio } = cleared;
  const all = curves.flatMap(({ points }) => points).filter(([, y]) => y > 0);
  if (all.length === 0) return;
  const area = { left: 46 * ratio, right: width - 8 * ratio, top: 8 * ratio, bottom: height - 26 * ratio };
  const lastStep = Math.max(1, ...all.map(([x]) => x));
  const [low, high] = limits(all.filter(([x]) => x >= TRANSIENT_SHARE * lastStep).map(([, y]) => y));
  const across = (x: number) => area.left + (x / lastStep) * (area.right - area.left);
  const up = (y: number) => area.bottom - (Math.log(y / low) / Math.log(high / low)) * (area.bottom - area.top);

  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.fillStyle = colourOf("soft");
  context.strokeStyle = colourOf("line");
  context.lineWidth = ratio;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const y of gridlines(low, high)) {
    context.beginPath();
    context.moveTo(area.left, up(y));
    context.lineTo(area.right, up(y));
    context.stroke();
    context.fillText(format(y), area.left - 7 * ratio, up(y));
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillText("0", area.left, height - 6 * ratio);
  context.textAlign = "right";
  context.fillText(`step ${lastStep.toLocaleString("en")}`, area.right, height - 6 * ratio);

  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  context.clip();
  context.lineJoin = "round";
  curves.forEach(({ colour, points }, i) => {
    context.strokeStyle = colour;
    [context.lineWidth, context.globalAlpha] = i === 0 ? [5 * ratio, 0.5] : [1.75 * ratio, 1];
    context.beginPath();
    for (const [x, y] of points) if (y > 0) context.lineTo(across(x), up(y));
    context.stroke();
  });
  context.restore();
}

/** A little beyond the smallest and largest, and not too close to each other. */
function limits(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values) / 1.04, Math.max(...values) * 1.04];
  return [low, Math.max(high, low * 1.15)];
}

/** Round numbers in [low, high]: as many as can be told apart. */
function gridlines(low: number, high: number): number[] {
  const ratio = high / low;
  if (ratio > 3) {
    const factors = ratio > 100 ? [1] : [1, 2, 5];
    const powers = Array.from({ length: 40 }, (_, i) => 10 ** (Math.floor(Math.log10(low)) + i));
    return powers.flatMap((power) => factors.map((factor) => factor * power)).filter((y) => y >= low && y <= high);
  }
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const distance = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / distance);
  return Array.from({ length: Math.floor(high / distance) - first + 1 }, (_, i) => (first + i) * distance);
}

/** The canvas, empty and with a pixel for each of the screen's; undefined while it is not shown. */
function clear(canvas: HTMLCanvasElement) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no 2-D canvas.");
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (width === 0 || height === 0) return undefined;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  else context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}
