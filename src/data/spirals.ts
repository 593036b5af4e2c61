import { f32Option, optionsObject } from "../graph/options.ts";
import { add, cos, multiply, negate, sin, sqrt } from "../ops/arithmetic.ts";
import { concat } from "../ops/shape.ts";
import type { DataSource } from "./source.ts";

/** Growth of the radius, in data units per radian. */
const GROWTH = 1 / 3;

/**
 * Two spirals from the centre, one the other's mirror image in it: s (-cos a, sin a) a/3 + noise N(0, I), with
 * a = 2 pi turns sqrt(U(0, 1)), s = 1 or -1. The root spreads points evenly along the arms. Mean 0; the mean of |x|^2 is
 * (2 pi turns / 3)^2 / 2 + 2 noise^2.
 *
 * @param turns - of each spiral, above 0; default 1.5.
 * @param noise - standard deviation, in data units, at least 0; default 0.1.
 * @throws {@link ConfigError} when one is outside its range.
 */
export function spirals(options: { turns?: number; noise?: number } = {}): DataSource {
  const { turns = 1.5, noise = 0.1 } = optionsObject("options of spirals", options, ["turns", "noise"]);
  f32Option("turns of spirals", turns, { minimum: 0, open: "minimum" });
  f32Option("noise of spirals", noise, { minimum: 0 });
  return {
    name: "spirals",
    options: { turns, noise },
    dimension: 2,
    draw: ({ rows, random }) => {
      const angle = multiply(sqrt(random("uniform", [rows, 1])), 2 * Math.PI * turns);
      const radius = multiply(multiply(angle, GROWTH), random("rademacher", [rows, 1]));
      const arm = multiply(concat([negate(cos(angle)), sin(angle)], 1), radius);
      return add(arm, multiply(random("normal", [rows, 2]), noise));
    },
  };
}
