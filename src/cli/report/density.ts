/** Pictures of 2-D densities: values on a grid through a colour map. */
import { png } from "./png.ts";

/**
 * Eleven colours from dark to light, equally spaced: perceptually even and readable in grey (values of the "magma"
 * family, picked by eye for this report).
 */
const COLOURS = [
  [8, 6, 22],
  [28, 16, 68],
  [62, 18, 110],
  [95, 26, 126],
  [128, 37, 130],
  [163, 48, 126],
  [200, 62, 115],
  [231, 85, 101],
  [248, 125, 98],
  [254, 170, 120],
  [252, 229, 176],
] as const;

function colour(value: number): readonly [number, number, number] {
  const position = Math.min(Math.max(value, 0), 1) * (COLOURS.length - 1);
  const low = Math.min(Math.floor(position), COLOURS.length - 2);
  const part = position - low;
  const [a, b] = [COLOURS[low], COLOURS[low + 1]] as [readonly number[], readonly number[]];
  const mix = (channel: number) => Math.round((a[channel] as number) * (1 - part) + (b[channel] as number) * part);
  return [mix(0), mix(1), mix(2)];
}

/** Points of a square grid of cell centres over [-extent, extent]^2, row-major from the top left: [size * size, 2]. */
export function gridPoints(size: number, extent: number): Float32Array {
  const points = new Float32Array(size * size * 2);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      points[2 * (row * size + column)] = extent * ((2 * column + 1) / size - 1);
      points[2 * (row * size + column) + 1] = extent * (1 - (2 * row + 1) / size);
    }
  }
  return points;
}

/** Counts of points [count, 2] in the cells of the grid, divided by count and cell area: a density. */
export function histogram(points: ArrayLike<number>, size: number, extent: number): Float64Array {
  const density = new Float64Array(size * size);
  const count = points.length / 2;
  const cell = (2 * extent) / size;
  for (let i = 0; i < count; i++) {
    const column = Math.floor(((points[2 * i] as number) + extent) / cell);
    const row = Math.floor((extent - (points[2 * i + 1] as number)) / cell);
    if (column >= 0 && column < size && row >= 0 && row < size) {
      density[row * size + column] = (density[row * size + column] as number) + 1 / (count * cell * cell);
    }
  }
  return density;
}

/** The density [size, size] as RGB pixels [size, size, 3], black at 0, light at `top` and above. */
export function densityPixels(density: ArrayLike<number>, size: number, top: number): Uint8Array {
  const pixels = new Uint8Array(size * size * 3);
  for (let i = 0; i < size * size; i++) pixels.set(colour((density[i] as number) / top), 3 * i);
  return pixels;
}

/** A data URI of square pictures' pixels [size, size, 3]. */
export function dataUri(pixels: Uint8Array, size: number): string {
  return `data:image/png;base64,${png(size, size, pixels).toString("base64")}`;
}

/** A PNG file of square pictures [size, size, 3] in a row, each pixel `scale` wide, with white between them. */
export function rowOfPictures(pictures: readonly Uint8Array[], size: number, scale = 4): Buffer {
  const [side, gap] = [size * scale, 4 * scale];
  const width = pictures.length * (side + gap) - gap;
  const pixels = new Uint8Array(width * side * 3).fill(255);
  pictures.forEach((picture, number) => {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const from = 3 * (Math.floor(y / scale) * size + Math.floor(x / scale));
        pixels.set(picture.subarray(from, from + 3), 3 * (y * width + number * (side + gap) + x));
      }
    }
  });
  return png(width, side, pixels);
}
