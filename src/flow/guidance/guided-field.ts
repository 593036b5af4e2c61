/** Fields that are guided by a weight of the finished sample, or told some of its coordinates. */
import type { Node } from "../../graph/node.ts";
import { add, divide, less, maximum, minimum, multiply, select, square, subtract } from "../../ops/arithmetic.ts";
import type { VelocityField } from "../losses/loss.ts";
import { type PathScheduler, type PathValues, pointOnPath, targetVelocity } from "../paths/path.ts";
import type { Window } from "../paths/window.ts";
import { gradientBy, guidanceCoefficient, tweedie } from "./by-function.ts";

/** Gradient by x [B, D] of the log-weight of a sample of which `denoised` [B, D], made of x, is the estimate. */
export type WeightGradient = (denoised: Node, x: Node, at: PathValues) => Node;

/**
 * The field of the density times a weight, guided from the window's first time on, fully from twice that, and as at the last
 * one until the end: where alpha is 0 the coefficient is infinite and what it multiplies 0, so that near it, what a learned
 * field misses of that 0 would be multiplied by 1 / alpha; where sigma is 0, some paths' rates are infinite. It is continuous
 * in time, as solvers with error control need it.
 */
export function guidedByWeight(
  field: VelocityField,
  path: PathScheduler,
  gradient: WeightGradient,
  [first, last]: Window,
): VelocityField {
  return (x, t) => {
    const at = path.at(minimum(maximum(t, first), last));
    const v = field(x, t);
    const change = multiply(guidanceCoefficient(at), gradient(tweedie(v, x, at), x, at));
    if (first === 0) return add(v, change);
    const share = minimum(subtract(divide(t, first), 1), 1);
    return add(v, select(less(0, share), multiply(share, change), 0));
  };
}

/** Coordinates of samples that are known [B, D]. */
export interface KnownCoordinates {
  /** In model units; where the mask is 0, any finite numbers. */
  readonly values: Node;
  /** 1 where known, else 0. */
  readonly mask: Node;
}

/**
 * Inpainting by guidance: known coordinates y are those of a sample given x, which is taken to be normal around xhat with
 * the variance c sigma^2 / (c alpha^2 + sigma^2) that normal data of variance c have, so log w = -|y - xhat|^2 / 2 of it.
 *
 * @param variance - c of the data's coordinates, in model units.
 * @see Song et al., Pseudoinverse-Guided Diffusion Models for Inverse Problems (2023).
 */
export function knownGradient({ values, mask }: KnownCoordinates, variance = 1): WeightGradient {
  return (denoised, x, { alpha, sigma }) => {
    const precision = add(divide(square(alpha), square(sigma)), 1 / variance);
    const cotangent = multiply(multiply(mask, subtract(values, denoised)), precision);
    return gradientBy(denoised, cotangent, x);
  };
}

/**
 * Inpainting by replacement: known coordinates go along the path from the noise that they began with, and the field is asked
 * with them there; the others follow it. What they are told is so of the known ones *at time t*, noise and all: the samples
 * are those of no exact conditional density, and come nearer to it the less they depend on each other.
 *
 * @param noise - x0 [B, D].
 * @param last - known coordinates stay where they are at this time: some paths end with an infinite rate.
 */
export function replacedField(
  field: VelocityField,
  path: PathScheduler,
  { values, mask, noise }: KnownCoordinates & { readonly noise: Node },
  [, last]: Window,
): VelocityField {
  return (x, t) => {
    const at = path.at(minimum(t, last));
    const v = field(select(mask, pointOnPath(at, noise, values), x), t);
    return select(mask, targetVelocity(at, noise, values), v);
  };
}
