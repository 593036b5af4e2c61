import { vjp } from "../../autodiff/vjp.ts";
import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, multiply, square, subtract } from "../../ops/arithmetic.ts";
import { stopGradient } from "../../ops/control.ts";
import { meanAll, sum } from "../../ops/reduce.ts";
import { constant } from "../../ops/sources.ts";
import { hutchinsonEstimate, jacobianProducts } from "../divergence.ts";
import { pointBetween } from "../paths/path.ts";
import { cfm } from "./cfm.ts";
import { type Loss, meanSquare } from "./loss.ts";

/**
 * The objective of the published program for two-dimensional densities, as it stands there, to compare with:
 *
 *   mean (v - u)^2 + divergence [ mean over rows and coordinates of (sigma (J^T 1 + s v' - u s - dilation))^2
 *     + mean over rows of (sigma (z.(J z) + (s.z)(v'.z) - (u.z)(s.z) - dilation z.z))^2 + mean (D (v - u))^2 ]
 *
 * with products of vectors elementwise in the first term, J^T 1 the column sums of the Jacobian dv/dx, z a Rademacher
 * probe and v' the velocity held constant. Unlike {@link fdm}, it estimates (v - u).s with the probe, its first term is
 * no estimate of the divergence, and its last term adds D^2 divergence to the velocity's weight. As there, sigma s is
 * taken as -x0 and sigma dilation as sigma', exactly.
 *
 * @param divergence - weight of the bracket, at least 0; default 0.1, as published. With 0 the loss is CFM's.
 * @throws {@link ConfigError} when the weight is negative.
 * @see Huang et al., Improving Flow Matching by Aligning Flow Divergence (ICML 2025), the authors' program.
 */
export function paper2d(options: { divergence?: number } = {}): Loss {
  const { divergence = 0.1 } = optionsObject("options of paper2d", options, ["divergence"]);
  f32Option("divergence of paper2d", divergence, { minimum: 0 });
  return {
    name: "paper-2d",
    options: { divergence },
    readsScore: divergence > 0,
    build(context) {
      if (divergence === 0) return cfm().build(context);
      const { x, velocity: u, noise: x0, sigma, sigmaRate, field } = pointBetween(context);
      const v = field(x, context.t);
      const z = context.random("rademacher", x.shape);
      const velocityLoss = meanSquare(subtract(v, u));
      const excess = subtract(stopGradient(v), u);

      const [columnSums] = vjp([v], [constant(1, x.shape)], [x]);
      const byCoordinate = subtract(subtract(multiply(sigma, columnSums ?? 0), multiply(excess, x0)), sigmaRate);

      const [product] = jacobianProducts(v, x, [z]);
      const alongProbe = multiply(sum(multiply(excess, z), [1]), sum(multiply(x0, z), [1]));
      const expansion = multiply(sigmaRate, sum(square(z), [1]));
      const byRow = subtract(subtract(multiply(sigma, hutchinsonEstimate(z, product ?? z)), alongProbe), expansion);

      const scaledVelocity = multiply(velocityLoss, (x.shape[1] as number) ** 2);
      const divergenceLoss = add(add(meanAll(square(byCoordinate)), meanAll(square(byRow))), scaledVelocity);
      return { loss: add(velocityLoss, multiply(divergenceLoss, divergence)), velocityLoss, divergenceLoss };
    },
  };
}
