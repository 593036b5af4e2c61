import type { Node } from "../../graph/node.ts";
import { integerOption, optionsObject } from "../../graph/options.ts";
import { add, multiply, negate, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import type { PathScheduler } from "./path.ts";

/**
 * Polynomial path: alpha = t^n, sigma = 1 - t^n.
 *
 * sigma is taken as (1 - t)(1 + t + ... + t^(n-1)), which keeps all its digits as t -> 1; there score and dilation grow
 * without bound. For n > 1 both rates are 0 at t = 0.
 *
 * @param degree - n, an integer from 1 to 16; default 3.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1] and gives four nodes [B, 1].
 * @throws {@link ConfigError} when the degree is outside its range.
 */
export function polynomial(options: { degree?: number } = {}): PathScheduler {
  const { degree = 3 } = optionsObject("options of polynomial", options, ["degree"]);
  integerOption("degree of polynomial", degree, 1, 16);
  return {
    name: "polynomial",
    options: { degree },
    priorDeviation: 1,
    dilationVanishes: degree > 1,
    at(t) {
      const powers: Node[] = [constant(1, t.shape)]; // t^0 ... t^n
      while (powers.length <= degree) powers.push(multiply(powers[powers.length - 1] as Node, t));
      const alphaRate = multiply(powers[degree - 1] as Node, degree);
      return {
        alpha: powers[degree] as Node,
        sigma: multiply(subtract(1, t), powers.slice(0, degree).reduce(add)),
        alphaRate,
        sigmaRate: negate(alphaRate),
      };
    },
  };
}
