/** Two columns at a time: small pictures of the data's rows beside samples of each model. */
import { colour } from "./colours.ts";
import { dataUri } from "./density.ts";
import { columnOf, type Range, type Rows } from "./rows.ts";

/** Pixels along a side. */
const SIZE = 64;

/** Points that a picture is made of, at most: as many for each. */
const POINTS = 4096;

/** Each point is spread over so wide a patch, or a few hundred would be dust: binomial weights. */
const SPREAD = [1 / 4, 1 / 2, 1 / 4] as const;

export type Points = Pick<Rows, "values" | "dimension">;

/** Brightness of each pixel, from the top left: points in it, the more the fewer there are in all. */
function spread({ values, dimension }: Points, columns: readonly [number, number], ranges: readonly [Range, Range]) {
  const density = new Float64Array(SIZE * SIZE);
  const count = Math.min(values.length / dimension, POINTS);
  const place = (value: number, { low, high }: Range) => Math.floor(((value - low) / (high - low)) * SIZE);
  for (let i = 0; i < count; i++) {
    const x = place(values[i * dimension + columns[0]] as number, ranges[0]);
    const y = SIZE - 1 - place(values[i * dimension + columns[1]] as number, ranges[1]);
    SPREAD.forEach((down, dy) => {
      SPREAD.forEach((across, dx) => {
        const [column, row] = [x + dx - 1, y + dy - 1];
        if (column < 0 || column >= SIZE || row < 0 || row >= SIZE) return;
        const pixel = row * SIZE + column;
        density[pixel] = (density[pixel] as number) + (down * across) / count;
      });
    });
  }
  return density;
}

/** Pictures of two columns as data URIs, in the order of `sets`, on the scale of the first. */
export function pairPictures(
  sets: readonly Points[],
  columns: readonly [number, number],
  ranges: readonly [Range, Range],
): string[] {
  const densities = sets.map((points) => spread(points, columns, ranges));
  const lit = (densities[0] as Float64Array).filter((value) => value > 0).sort();
  const brightest = lit[Math.floor(lit.length * 0.97)] || 1;
  return densities.map((density) => {
    const pixels = new Uint8Array(SIZE * SIZE * 3);
    // The square root shows what is thin, too.
    for (const [i, value] of density.entries()) pixels.set(colour(Math.sqrt(value / brightest)), 3 * i);
    return dataUri(pixels, SIZE);
  });
}

/** The columns that are worth a picture: those that change, as many as fit a page. */
export const MOST_COLUMNS = 8;

export function varyingColumns(rows: Rows): number[] {
  return rows.columns.flatMap((_, column) => {
    const values = columnOf(rows, column);
    return values.some((value) => value !== values[0]) ? [column] : [];
  });
}
