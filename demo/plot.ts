/** Draws points and curves on canvases, in the colours of the style sheet. */

export interface Curve {
  readonly colour: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export function colourOf(name: "truth" | "cfm" | "fdm" | "soft" | "line"): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Points [count, 2] in [-extent, extent]^2; denser places come out stronger. */
export function drawPoints(canvas: HTMLCanvasElement, points: Float32Array, extent: number, colour: string): void {
  const context = contextOf(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour;
  context.globalAlpha = 0.55;
  const size = width / 190;
  for (let i = 0; i < points.length; i += 2) {
    const x = (0.5 + points[i] / (2 * extent)) * width;
    const y = (0.5 - points[i + 1] / (2 * extent)) * height;
    context.fillRect(x - size / 2, y - size / 2, size, size);
  }
  context.globalAlpha = 1;
}

/** Curves over the same x; y on a logarithmic axis with gridlines at 1, 2 and 5 times powers of ten. */
export function drawCurves(canvas: HTMLCanvasElement, curves: readonly Curve[], format: (y: number) => string): void {
  const context = contextOf(canvas);
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  const all = curves.flatMap(({ points }) => points).filter(([, y]) => y > 0);
  if (all.length === 0) return;
  const area = { left: 110, right: width - 20, top: 16, bottom: height - 44 };
  const xLargest = Math.max(1, ...all.map(([x]) => x));
  const [low, high] = limits(all.map(([, y]) => y));
  const place = (x: number, y: number) =>
    [
      area.left + (x / xLargest) * (area.right - area.left),
      area.bottom - (Math.log(y / low) / Math.log(high / low)) * (area.bottom - area.top),
    ] as const;

  context.font = "22px system-ui, sans-serif";
  context.fillStyle = colourOf("soft");
  context.strokeStyle = colourOf("line");
  context.lineWidth = 1.5;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const y of gridlines(low, high)) {
    const [, top] = place(0, y);
    context.beginPath();
    context.moveTo(area.left, top);
    context.lineTo(area.right, top);
    context.stroke();
    context.fillText(format(y), area.left - 12, top);
  }
  context.textBaseline = "alphabetic";
  context.fillText(`step ${xLargest.toLocaleString("en")}`, area.right, height - 10);

  context.lineWidth = 3;
  context.lineJoin = "round";
  for (const { colour, points } of curves) {
    context.strokeStyle = colour;
    context.beginPath();
    for (const [x, y] of points) if (y > 0) context.lineTo(...place(x, y));
    context.stroke();
  }
}

/** A little beyond the smallest and largest, and at least a factor of two apart. */
function limits(values: readonly number[]): [number, number] {
  const low = Math.min(...values) / 1.1;
  return [low, Math.max(Math.max(...values) * 1.1, low * 2)];
}

function gridlines(low: number, high: number): number[] {
  const lines: number[] = [];
  const steps = high / low > 100 ? [1] : high / low > 8 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 3, 4, 5, 6, 8];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const step of steps) lines.push(step * 10 ** power);
  }
  return lines.filter((y) => y >= low && y <= high);
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no 2-D canvas.");
  return context;
}
