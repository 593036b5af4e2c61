/** Films as a few numbers each: their places along the directions in which the films of the training set vary most. */
import { eigen, type Features } from "../frechet.ts";

/** The directions in which rows vary most: what puts rows of the same width on `components` coordinates. */
export interface Components {
  readonly mean: Float64Array;
  /** Row-major [count, width], each of length 1. */
  readonly directions: Float64Array;
  readonly count: number;
}

/** Principal components of rows that may have many more numbers than there are rows: by the rows' inner products. */
export function principalComponents({ values, count, width }: Features, components: number): Components {
  const mean = new Float64Array(width);
  for (let i = 0; i < count * width; i++) mean[i % width] += (values[i] as number) / count;
  const centred = Float64Array.from({ length: count * width }, (_, i) => (values[i] as number) - mean[i % width]);
  const inner = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += centred[i * width + k] * centred[j * width + k];
      inner[i * count + j] = sum;
      inner[j * count + i] = sum;
    }
  }
  const total = Array.from({ length: count }, (_, i) => inner[i * count + i] as number).reduce(
    (sum, one) => sum + one,
    0,
  );
  const { values: sizes, vectors } = eigen(inner, count);
  const order = Array.from(sizes.keys()).sort((a, b) => (sizes[b] as number) - (sizes[a] as number));
  const kept = order.slice(0, components).filter((column) => (sizes[column] as number) > 1e-12 * total);
  const directions = new Float64Array(kept.length * width);
  for (const [at, column] of kept.entries()) {
    const length = Math.sqrt(sizes[column] as number);
    for (let row = 0; row < count; row++) {
      const weight = vectors[row * count + column] / length;
      for (let k = 0; k < width; k++) directions[at * width + k] += weight * centred[row * width + k];
    }
  }
  return { mean, directions, count: kept.length };
}

/** Rows' coordinates along the components. */
export function alongComponents(rows: Features, { mean, directions, count }: Components): Features {
  const { width } = rows;
  const values = Float64Array.from({ length: rows.count * count }, (_, i) => {
    const [row, at] = [Math.floor(i / count) * width, (i % count) * width];
    let sum = 0;
    for (let k = 0; k < width; k++) sum += ((rows.values[row + k] as number) - mean[k]) * directions[at + k];
    return sum;
  });
  return { values, count: rows.count, width: count };
}
