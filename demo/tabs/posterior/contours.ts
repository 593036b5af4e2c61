/** Lines of equal density, by marching squares: pieces between neighbours' middles, [count, 4] as x, y, x, y in the box's units. */
import type { DensityGrid } from "./exact.ts";

/** Which sides of a square a line crosses, by which of its corners are above: bottom 0, right 1, top 2, left 3. */
const crossed: readonly (readonly number[])[] = [
  ...[[], [3, 0], [0, 1], [3, 1], [1, 2], [3, 2, 0, 1], [0, 2], [3, 2]],
  ...[[2, 3], [2, 0], [3, 0, 1, 2], [2, 1], [1, 3], [1, 0], [0, 3], []],
];

export function contourOf({ side, box, values }: DensityGrid, level: number): Float32Array {
  const [[left, right], [bottom, top]] = box;
  const pieces: number[] = [];
  // Beyond the edge there is nothing: lines that run into it close along it.
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= side || row >= side ? 0 : (values[row * side + column] as number);
  const place = (column: number, row: number) => {
    const within = (value: number) => Math.min(side, Math.max(0, value + 0.5)) / side;
    pieces.push(left + (right - left) * within(column), bottom + (top - bottom) * within(row));
  };
  for (let row = -1; row < side; row++) {
    for (let column = -1; column < side; column++) {
      const corners = [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)] as const;
      const kind = corners.reduce((sum, value, i) => sum + (value > level ? 1 << i : 0), 0);
      for (const edge of crossed[kind] as readonly number[]) {
        const [from, to] = [corners[edge] as number, corners[(edge + 1) % 4] as number];
        const part = (level - from) / (to - from);
        if (edge === 0) place(column + part, row);
        else if (edge === 1) place(column + 1, row + part);
        else if (edge === 2) place(column + 1 - part, row + 1);
        else place(column, row + 1 - part);
      }
    }
  }
  return Float32Array.from(pieces);
}
