/** Samples as the page has them, and what is said of them. */
import type { PageFacts } from "../facts.ts";

export interface DrawnSamples {
  /** Row-major [count, D], in data units. */
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  readonly shape: readonly number[];
  /** A name per coordinate. */
  readonly columns: readonly string[];
  /** Of the label that samples were told in turn: the names of its labels, and the number of each sample's. */
  readonly labels: { readonly names: readonly string[]; readonly of: readonly number[] } | undefined;
}

/** Draws into a canvas of this width, in CSS pixels, and says what is to be seen. */
export type View = (canvas: HTMLCanvasElement, samples: DrawnSamples, colours: Colours, width: number) => string;

export interface Colours {
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly dots: string;
  readonly card: string;
  /** Of labels: eight that the colour-blind tell apart (Okabe and Ito), black being left to the ink. */
  readonly labels: readonly string[];
}

const labelColours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00"] as const;

export function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(`--${name}`);
  return {
    ...{ ink: of("ink"), soft: of("soft"), line: of("line"), dots: of("dots"), card: of("card") },
    labels: [...labelColours, of("ink")],
  };
}

export function columnNames({ columns, shape }: Pick<PageFacts, "columns" | "shape">): readonly string[] {
  const dimension = shape.reduce((product, size) => product * size, 1);
  return columns ?? Array.from({ length: dimension }, (_, i) => `x${i}`);
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Of a column, or of every `stride`th value from `from`; never empty. */
export function rangeOf(values: ArrayLike<number>, from = 0, stride = 1): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < values.length; i += stride) {
    low = Math.min(low, values[i] as number);
    high = Math.max(high, values[i] as number);
  }
  if (low < high) return { low, high };
  const half = Math.abs(low) / 2 || 0.5;
  return { low: low - half, high: high + half };
}

/** Mean and standard deviation of a column. */
export function momentsOf({ values, count, dimension }: DrawnSamples, column: number) {
  let [mean, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    const value = values[i * dimension + column] as number;
    const difference = value - mean;
    mean += difference / (i + 1); // Welford: means may be large beside deviations
    squares += difference * (value - mean);
  }
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : 0 };
}

/** A number in few digits, that is as wide as the range it stands in asks for. */
export function short(value: number, range: Range): string {
  const digits =
    Math.ceil(Math.log10(Math.max(Math.abs(range.low), Math.abs(range.high)) / (range.high - range.low))) + 3;
  const text = String(Number(value.toPrecision(Math.min(15, Math.max(3, digits)))));
  return text.replace("-", "−");
}

/** A canvas of so many CSS pixels, sharp on this screen. */
export function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = Math.min(3, devicePixelRatio);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = "12px system-ui, sans-serif";
  return context;
}
