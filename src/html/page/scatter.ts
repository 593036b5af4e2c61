/** Samples of two numbers, as points of the plane; of one number, as a histogram. */
import { drawAxes, wider, widestLabel } from "./axes.ts";
import { type Colours, momentsOf, type Range, rangeOf, short, sized, type View } from "./samples.ts";

/** Axes whose ranges are as near as this have one scale. */
const NEAR = 3;
const TOP = 8;
const BOTTOM = 26;
const MOST_LABELS = 8;

export const scatter: View = (canvas, samples, colours, width) => {
  const [x, y] = [0, 1].map((column) => wider(rangeOf(samples.values, column, 2))) as [Range, Range];
  const aspect = (y.high - y.low) / (x.high - x.low);
  const height = Math.min(620, width * (aspect < NEAR && aspect > 1 / NEAR ? Math.max(0.6, Math.min(1, aspect)) : 0.8));
  const context = sized(canvas, width, height);
  const left = widestLabel(context, y, 8) + 10;
  const box = { left, top: TOP, width: width - left - 8, height: height - TOP - BOTTOM };
  const ranges = sameScale({ x, y }, box);
  const [first, second] = samples.columns as [string, string];
  const { across, up } = drawAxes(context, box, ranges, { x: first, y: second }, colours);
  const radius = samples.count > 20_000 ? 0.8 : samples.count > 4000 ? 1.1 : samples.count > 500 ? 1.6 : 2.6;
  context.globalAlpha = samples.count > 4000 ? 0.45 : 0.7;
  const labels = samples.labels && samples.labels.names.length <= MOST_LABELS ? samples.labels : undefined;
  for (let i = 0; i < samples.count; i++) {
    context.fillStyle = labels ? (colours.labels[labels.of[i] as number] as string) : colours.dots;
    context.beginPath();
    context.arc(across(samples.values[2 * i] as number), up(samples.values[2 * i + 1] as number), radius, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
  if (labels) legend(context, labels.names, colours, box);
  const told = [first, second].map((name, column) => {
    const { mean, deviation } = momentsOf(samples, column);
    const range = rangeOf(samples.values, column, 2);
    const digits = (value: number) => short(value, range);
    return `${name} from ${digits(range.low)} to ${digits(range.high)}, mean ${digits(mean)}, standard deviation ${digits(deviation)}`;
  });
  return `${samples.count.toLocaleString("en")} points: ${told.join("; ")}.`;
};

/** Where both axes have about one unit, a circle of the data is a circle. */
function sameScale({ x, y }: { x: Range; y: Range }, box: { width: number; height: number }): { x: Range; y: Range } {
  const [wide, high] = [x.high - x.low, y.high - y.low];
  if (Math.max(wide, high) > NEAR * Math.min(wide, high)) return { x, y };
  const unit = Math.max(wide / box.width, high / box.height);
  const around = ({ low, high }: Range, span: number): Range => ({
    low: (low + high - span) / 2,
    high: (low + high + span) / 2,
  });
  return { x: around(x, unit * box.width), y: around(y, unit * box.height) };
}

function legend(
  context: CanvasRenderingContext2D,
  names: readonly string[],
  colours: Colours,
  { left, top, width }: { left: number; top: number; width: number },
): void {
  const widest = Math.min(width / 2, Math.max(...names.map((name) => context.measureText(name).width)));
  context.fillStyle = colours.card;
  context.globalAlpha = 0.8;
  context.fillRect(left + width - widest - 30, top + 3, widest + 28, 18 * names.length + 4);
  context.globalAlpha = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [i, name] of names.entries()) {
    const [x, y] = [left + width - 12, top + 14 + 18 * i];
    context.fillStyle = colours.labels[i] as string;
    context.beginPath();
    context.arc(x, y, 5, 0, 7);
    context.fill();
    context.fillStyle = colours.ink;
    context.fillText(name, x - 10, y, width / 2);
  }
}

/** Bins of a histogram, about the square root of the number of samples. */
export function histogramOf(values: ArrayLike<number>, { low, high }: Range): number[] {
  const bins = new Array<number>(Math.max(8, Math.min(80, Math.ceil(Math.sqrt(values.length))))).fill(0);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((((values[i] as number) - low) / (high - low)) * bins.length);
    const inside = Math.min(bins.length - 1, bin);
    bins[inside] = (bins[inside] as number) + 1;
  }
  return bins;
}

export const histogram: View = (canvas, samples, colours, width) => {
  const height = Math.min(0.62 * width, 480);
  const context = sized(canvas, width, height);
  const range = rangeOf(samples.values);
  const bins = histogramOf(samples.values, range);
  const perUnit = bins.map((number) => number / samples.count / ((range.high - range.low) / bins.length));
  const y = { low: 0, high: 1.05 * Math.max(...perUnit) };
  const left = widestLabel(context, y, 8) + 10;
  const box = { left, top: TOP, width: width - left - 8, height: height - TOP - BOTTOM };
  const [name] = samples.columns as [string];
  const { across, up } = drawAxes(context, box, { x: range, y }, { x: name, y: "density" }, colours);
  context.fillStyle = colours.dots;
  context.globalAlpha = 0.75;
  for (const [i, density] of perUnit.entries()) {
    const from = across(range.low + ((range.high - range.low) * i) / bins.length);
    const to = across(range.low + ((range.high - range.low) * (i + 1)) / bins.length);
    context.fillRect(from, up(density), to - from - 0.5, up(0) - up(density));
  }
  context.globalAlpha = 1;
  const { mean, deviation } = momentsOf(samples, 0);
  const digits = (value: number) => short(value, range);
  return `${samples.count.toLocaleString("en")} numbers: ${name} from ${digits(range.low)} to ${digits(range.high)}, mean ${digits(mean)}, standard deviation ${digits(deviation)}.`;
};
