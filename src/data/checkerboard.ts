import { optionsObject } from "../graph/options.ts";
import { add, floor, multiply, subtract } from "../ops/arithmetic.ts";
import { concat } from "../ops/shape.ts";
import { expectPoint } from "./point.ts";
import type { DataSource } from "./source.ts";

/** Cells are this wide in data units times SCALE: a cell has side 1 / SCALE. */
const SCALE = 0.45;
const CELLS = 8;

/** Rounding a point to f32 moves it by less than this, in cells; a rounded point is still in its cell. */
const EDGE = 1e-6;

/**
 * The 2-D checkerboard of the paper: (a, b) / 0.45 with a ~ U(-2, 2), b = U(0, 1) - 2 Bernoulli(1/2) + (floor(a) mod 2).
 * Uniform over the 8 of 4 x 4 cells with floor(a) + floor(b) even; density 0.45^2 / 8 there, entropy
 * log(8 / 0.45^2) = 3.6765 nats.
 *
 * @param options - there are none.
 */
export function checkerboard(options: Record<string, never> = {}): DataSource {
  optionsObject("options of checkerboard", options, []);
  const logDensityInside = Math.log((SCALE * SCALE) / CELLS);
  return {
    name: "checkerboard",
    options: {},
    dimension: 2,
    entropy: -logDensityInside,
    draw: ({ rows, random }) => {
      const a = subtract(multiply(random("uniform", [rows, 1]), 4), 2);
      const column = floor(a);
      const parity = subtract(column, multiply(floor(multiply(column, 0.5)), 2));
      const below = subtract(random("rademacher", [rows, 1]), 1); // 0 or -2
      const b = add(random("uniform", [rows, 1]), add(below, parity)); // the integers first: one rounding
      return multiply(concat([a, b], 1), 1 / SCALE);
    },
    logDensity: (point) => {
      const [x, y] = expectPoint(point, 2);
      const inside = touched(x * SCALE).some((i) => touched(y * SCALE).some((j) => (i + j) % 2 === 0));
      return inside ? logDensityInside : Number.NEGATIVE_INFINITY;
    },
  };
}

/** Numbers of the cells, -2 to 1, that a coordinate in cells is in or on the edge of. */
function touched(x: number): number[] {
  return [-2, -1, 0, 1].filter((cell) => x >= cell - EDGE && x <= cell + 1 + EDGE);
}
