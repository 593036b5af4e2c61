/** The square in which 2-D data and models of it are shown: what it spans, the truth in it, and how bright it gets. */
import { type DataSource, sampleData } from "../../index.ts";
import { densityPixels, gridPoints, histogram } from "./density.ts";

/** Cells along each side. */
const SIZE = 96;

/** Samples that a truth without a known density is counted from, and that the square is fitted to. */
const [COUNTED, FITTED] = [200_000, 4096];

export interface View {
  readonly size: number;
  /** Row-major cell centres [size * size, 2], from the top left. */
  readonly grid: Float32Array;
  /** The truth's density in each cell. */
  readonly truth: ArrayLike<number>;
  /** Whether the truth is exact, not counted. */
  readonly exact: boolean;
  /** A density on the grid as RGB pixels [size, size, 3], on one scale for all pictures. */
  pixels(density: ArrayLike<number>): Uint8Array;
}

/** The view of 2-D data; undefined in other dimensions. */
export function viewOf(data: DataSource, seed: number): View | undefined {
  if (data.dimension !== 2) return undefined;
  let extent = 0;
  for (const value of sampleData(data, FITTED, seed)) extent = Math.max(extent, 1.1 * Math.abs(value));
  const grid = gridPoints(SIZE, extent);
  const truth = exactDensity(data, grid) ?? histogram(sampleData(data, COUNTED, seed + 1), SIZE, extent);
  const brightest = brightestOf(truth);
  return {
    size: SIZE,
    grid,
    truth,
    exact: data.logDensity !== undefined,
    pixels: (density) => densityPixels(density, SIZE, brightest),
  };
}

function exactDensity(data: DataSource, grid: Float32Array): number[] | undefined {
  if (!data.logDensity) return undefined;
  const density: number[] = [];
  for (let i = 0; i < grid.length; i += 2) density.push(Math.exp(data.logDensity(grid.subarray(i, i + 2))));
  return density;
}

/** The brightest colour stands for this density: the largest of few cells would be noise. */
function brightestOf(density: ArrayLike<number>): number {
  const sorted = Float64Array.from(density).sort();
  return (sorted[Math.floor(sorted.length * 0.98)] as number) || 1;
}
