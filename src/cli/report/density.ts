/** Pictures of 2-D densities: values on a grid through a colour map. */
import { colour } from "./colours.ts";
import { png } from "./png.ts";
import type { Range } from "./rows.ts";

/** Centres of the cells of a grid over x and y, row-major from the top left: [size * size, 2]. */
export function gridPoints(size: number, [x, y]: readonly [Range, Range]): Float64Array {
  const points = new Float64Array(size * size * 2);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      points[2 * (row * size + column)] = x.low + ((x.high - x.low) * (column + 0.5)) / size;
      points[2 * (row * size + column) + 1] = y.high - ((y.high - y.low) * (row + 0.5)) / size;
    }
  }
  return points;
}

/** Counts of points [count, 2] in the cells of the grid, divided by count and cell area: a density. */
export function histogram(
  points: ArrayLike<number>,
  size: number,
  [x, y]: readonly [Range, Range],
): Float64Array<ArrayBuffer> {
  const density = new Float64Array(size * size);
  const count = points.length / 2;
  const [width, height] = [(x.high - x.low) / size, (y.high - y.low) / size];
  for (let i = 0; i < count; i++) {
    const column = Math.floor(((points[2 * i] as number) - x.low) / width);
    const row = Math.floor((y.high - (points[2 * i + 1] as number)) / height);
    if (column >= 0 && column < size && row >= 0 && row < size) {
      density[row * size + column] = (density[row * size + column] as number) + 1 / (count * width * height);
    }
  }
  return density;
}

/** A grid [size, size] whose cells become `times` x `times` of a finer one. */
export function enlarged(density: ArrayLike<number>, size: number, times: number): Float64Array {
  const side = size * times;
  return Float64Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return density[Math.floor(row / times) * size + Math.floor(column / times)] as number;
  });
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
