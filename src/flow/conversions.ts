/**
 * Velocity, score, noise and data at a point x of an affine Gaussian path say the same thing: any one gives the others,
 *   x1 = (sigma v - sigma' x) / (alpha' sigma - sigma' alpha),  x0 = (alpha' x - alpha v) / (alpha' sigma - sigma' alpha),
 *   score = -x0 / sigma,  v = alpha' x1 + sigma' x0,  x = alpha x1 + sigma x0.
 * Linear in the quantity, they hold for conditional values and for expectations given x alike. Exact for the true field;
 * the score of a learned velocity by this relation is an approximation.
 */
import type { Node } from "../graph/node.ts";
import { add, divide, multiply, negate, subtract } from "../ops/arithmetic.ts";
import type { PathValues } from "./paths/path.ts";

export const fieldKinds = ["velocity", "score", "noise", "data"] as const;
export type FieldKind = (typeof fieldKinds)[number];

/**
 * `value` [B, D], a quantity of kind `from` at the points `x` [B, D], as the quantity of kind `to` [B, D].
 *
 * Singular at an end: to a score where sigma = 0 (t = 1 on most paths); from noise or score to data or velocity where
 * alpha = 0 (t = 0); from data to noise or velocity where sigma = 0.
 *
 * @param path - the scheduler's values at the times of x.
 */
export function convertField(from: FieldKind, to: FieldKind, value: Node, x: Node, path: PathValues): Node {
  if (from === to) return value;
  const { alpha, sigma, alphaRate, sigmaRate } = path;
  if (from === "score") {
    const noise = negate(multiply(sigma, value));
    return to === "noise" ? noise : convertField("noise", to, noise, x, path);
  }
  if (to === "score") return negate(divide(convertField(from, "noise", value, x, path), sigma));
  if (from === "velocity") {
    const determinant = subtract(multiply(alphaRate, sigma), multiply(sigmaRate, alpha));
    return to === "data"
      ? divide(subtract(multiply(sigma, value), multiply(sigmaRate, x)), determinant)
      : divide(subtract(multiply(alphaRate, x), multiply(alpha, value)), determinant);
  }
  const noise = from === "noise" ? value : divide(subtract(x, multiply(alpha, value)), sigma);
  if (to === "noise") return noise;
  const data = from === "data" ? value : divide(subtract(x, multiply(sigma, value)), alpha);
  return to === "data" ? data : add(multiply(alphaRate, data), multiply(sigmaRate, noise));
}
