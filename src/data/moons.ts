import { f32Option, optionsObject } from "../graph/options.ts";
import { add, cos, multiply, sin } from "../ops/arithmetic.ts";
import { concat } from "../ops/shape.ts";
import type { DataSource } from "./source.ts";

/**
 * Two interleaved half circles of radius 2, centred: s (2 cos a - 1, 2 sin a - 1/2) + noise N(0, I), with a ~ U(0, pi)
 * and s = 1 (the upper moon) or -1. Mean 0; the variances are 3 and 9/4 - 4/pi, plus noise^2.
 *
 * @param noise - standard deviation, in data units, at least 0; default 0.2.
 * @throws {@link ConfigError} when it is outside its range.
 */
export function moons(options: { noise?: number } = {}): DataSource {
  const { noise = 0.2 } = optionsObject("options of moons", options, ["noise"]);
  f32Option("noise of moons", noise, { minimum: 0 });
  return {
    name: "moons",
    options: { noise },
    dimension: 2,
    draw: ({ rows, random }) => {
      const angle = multiply(random("uniform", [rows, 1]), Math.PI);
      const moon = random("rademacher", [rows, 1]);
      const upper = concat([add(multiply(cos(angle), 2), -1), add(multiply(sin(angle), 2), -0.5)], 1);
      return add(multiply(moon, upper), multiply(random("normal", [rows, 2]), noise));
    },
  };
}
