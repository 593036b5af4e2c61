/** Where data of one or two coordinates are shown by their density: what it spans, the truth in it, how bright it gets. */
import { type DataSource, sampleData } from "../../index.ts";
import { densityPixels, enlarged, gridPoints, histogram } from "./density.ts";
import { columnOf, planeRanges, type Range, type Rows, rangeOf } from "./rows.ts";

/** Cells along a line; cells along each side of a plane. */
const [LINE, SIDE] = [400, 96];

/** Samples that a plane's truth without a known density is counted from, where there is no end of them. */
const COUNTED = 200_000;

/** What models' densities are computed on: points [count, dimension], cell centres. */
export interface View {
  readonly grid: Float64Array;
  readonly ranges: readonly Range[];
  /** Data's own density in each cell, where it is known. */
  readonly exact: Float64Array | undefined;
}

/** The view of data of one or two coordinates; undefined in more. */
export function viewOf(data: DataSource, rows: Rows): View | undefined {
  if (data.dimension > 2) return undefined;
  const ranges = data.dimension === 1 ? [rangeOf(columnOf(rows, 0))] : planeRanges(rows);
  const [x, y] = ranges as [Range, Range];
  const grid = y ? gridPoints(SIDE, [x, y]) : linePoints(x);
  return { grid, ranges, exact: exactDensity(data, grid) };
}

function linePoints({ low, high }: Range): Float64Array {
  return Float64Array.from({ length: LINE }, (_, i) => low + ((high - low) * (i + 0.5)) / LINE);
}

function exactDensity(data: DataSource, grid: Float64Array): Float64Array | undefined {
  const { logDensity, dimension } = data;
  if (!logDensity) return undefined;
  const at = (i: number) => Math.exp(logDensity.call(data, grid.subarray(i * dimension, (i + 1) * dimension)));
  return Float64Array.from({ length: grid.length / dimension }, (_, i) => at(i));
}

/** A plane's pictures, all on one scale. */
export interface Plane {
  readonly size: number;
  /** The truth as RGB pixels [size, size, 3]. */
  readonly truth: Uint8Array;
  /** How the truth's density is known. */
  readonly truthNote: string;
  /** The density that the brightest colour stands for, it and all above. */
  readonly brightest: number;
  /** A density on the view's grid as RGB pixels. */
  pixels(density: ArrayLike<number>): Uint8Array;
}

export function planeOf({ exact, ranges }: View, data: DataSource, rows: Rows, seed: number): Plane {
  const plane = ranges as [Range, Range];
  const source = rows.drawn ? sampleData(data, COUNTED, seed + 1) : rows.values;
  const truth = exact ?? countedDensity(source, plane);
  const brightest = brightestOf(truth);
  const pixels = (density: ArrayLike<number>) => densityPixels(density, SIDE, brightest);
  const truthNote = exact
    ? "exact density"
    : rows.drawn
      ? "density counted from samples"
      : "density counted from the rows";
  return { size: SIDE, truth: pixels(truth), truthNote, brightest, pixels };
}

/** Counted in cells so large that those where points lie have four on average, drawn on the finer grid. */
function countedDensity(points: ArrayLike<number>, ranges: readonly [Range, Range]): Float64Array {
  const sizes = [96, 48, 32, 24, 16, 12];
  const counts = sizes.map((size) => histogram(points, size, ranges));
  const chosen = counts.findIndex((cells) => points.length / 2 >= 4 * cells.filter((value) => value > 0).length);
  const at = chosen < 0 ? sizes.length - 1 : chosen;
  return enlarged(counts[at] as Float64Array, sizes[at] as number, SIDE / (sizes[at] as number));
}

/** The brightest colour stands for this density: a twentieth of all probability lies where it is higher. */
export function brightestOf(density: ArrayLike<number>): number {
  const sorted = Float64Array.from(density).sort();
  const below = 0.95 * sorted.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  for (const value of sorted) {
    sum += value;
    if (value > 0 && sum >= below) return value;
  }
  return 1;
}
