/** A "network" whose averages are those of Gaussian data in closed form, for tests of what goes by flow maps. */
import { gaussianAverages } from "../../src/flow/gaussian-flow-map.ts";
import type { AverageVelocity, Network } from "../../src/nn/network.ts";
import { multiply } from "../../src/ops/arithmetic.ts";
import { table } from "../../src/ops/sources.ts";

export const mean = [1, -0.5];
export const scale = 0.4;

/**
 * The map between N(0, I) and N(mean, scale^2 I) on cond-ot.
 *
 * @param factor - of A: 1 is right.
 */
export function gaussianNetwork({
  divergence = true,
  reverse = true,
  factor = 1,
}: Partial<Pick<AverageVelocity, "divergence" | "reverse">> & { readonly factor?: number } = {}): Network {
  const at: AverageVelocity["at"] = (_, x, s, e) => {
    const made = gaussianAverages({ mean: table(mean, [1, 2]), scale }, x, s, e);
    return { velocity: made.velocity, ...(divergence && { divergence: multiply(made.divergence, factor) }) };
  };
  return {
    ...{ kind: "gaussian", config: {}, dimension: 2, sample: [2] },
    parameters: [{ name: "none", shape: [4], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    average: { divergence, reverse, at },
    apply: (values, x, t) => at(values, x, t, t).velocity,
  };
}

/** ln of N(mean, scale^2 I) at points [S, 2]. */
export function gaussianLogDensities(points: ArrayLike<number>): number[] {
  return Array.from({ length: points.length / 2 }, (_, i) => {
    const squares = mean.map((m, j) => ((points[2 * i + j] as number) - m) ** 2).reduce((a, b) => a + b);
    return -squares / (2 * scale ** 2) - Math.log(2 * Math.PI * scale ** 2);
  });
}
