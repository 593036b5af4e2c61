/** Line charts as SVG text: loss against step, on a logarithmic axis. */

export interface Curve {
  readonly name: string;
  /** Step and value; values at or below 0 are left out, for the axis is logarithmic. */
  readonly points: readonly (readonly [number, number])[];
  readonly colour: string;
}

const WIDTH = 560;
const HEIGHT = 260;
const MARGIN = { left: 56, right: 16, top: 16, bottom: 36 };

/** Running mean over `window` neighbours behind each point: minibatch losses are noisy. */
function smooth(points: Curve["points"], window: number): [number, number][] {
  let sum = 0;
  return points.map(([step, value], i) => {
    sum += value;
    if (i >= window) sum -= (points[i - window] as readonly [number, number])[1];
    return [step, sum / Math.min(i + 1, window)];
  });
}

function label(value: number): string {
  return value >= 1e4 || value < 1e-2 ? value.toExponential(0) : String(Number(value.toPrecision(2)));
}

/** Marks at 1, 2 and 5 times powers of ten inside [low, high]. */
function marks(low: number, high: number): number[] {
  const result: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= low && value <= high) result.push(value);
    }
  }
  return result;
}

/** One chart of several curves, smoothed over a fiftieth of their length. */
export function chart(title: string, curves: readonly Curve[]): string {
  const shown = curves
    .map((curve) => ({
      ...curve,
      points: smooth(
        curve.points.filter(([, value]) => value > 0 && Number.isFinite(value)),
        Math.max(1, Math.round(curve.points.length / 50)),
      ),
    }))
    .filter((curve) => curve.points.length > 0);
  if (shown.length === 0) return "";
  const all = shown.flatMap((curve) => curve.points);
  const lastStep = Math.max(...all.map(([step]) => step), 1);
  let low = Math.min(...all.map(([, value]) => value)) / 1.05;
  let high = Math.max(...all.map(([, value]) => value)) * 1.05;
  if (high / low < 1.3) [low, high] = [low / 1.15, high * 1.15];
  const x = (step: number) => MARGIN.left + (step / lastStep) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    MARGIN.top + (1 - Math.log(value / low) / Math.log(high / low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const bottom = HEIGHT - MARGIN.bottom;
  const lines = marks(low, high).map(
    (value) =>
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" class="grid"/>` +
      `<text x="${MARGIN.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${label(value)}</text>`,
  );
  const steps = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const step = Math.round(part * lastStep);
    return `<text x="${x(step).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${step.toLocaleString("en")}</text>`;
  });
  const paths = shown.map((curve) => {
    const stride = Math.max(1, Math.floor(curve.points.length / 400)); // more points than pixels help nobody
    const path = curve.points
      .filter((_, i) => i % stride === 0 || i === curve.points.length - 1)
      .map(([step, value], i) => `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`)
      .join("");
    return `<path d="${path}" fill="none" stroke="${curve.colour}" stroke-width="2" stroke-linejoin="round"/>`;
  });
  const legend = shown.map((curve) => `<span><i style="background:${curve.colour}"></i>${curve.name}</span>`).join(" ");
  return `<figure class="chart"><figcaption>${title} <span class="legend">${legend}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${lines.join("")}${steps.join("")}${paths.join("")}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 2}" text-anchor="middle">training step</text></svg></figure>`;
}
