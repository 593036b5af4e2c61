/** Distance of the quadrature's nodes, and how far out they go: the tail past 8 has mass 1e-15. */
const STEP = 0.1;
const REACH = 8;

/**
 * E f(z) for z ~ N(0, I) of one or two coordinates, by the trapezoid rule, which converges exponentially in 1/STEP for
 * f smooth at the scale of 1.
 */
export function meanUnderNormal(dimension: number, f: (z: readonly number[]) => number): number {
  const count = Math.round((2 * REACH) / STEP) + 1;
  const nodes = Array.from({ length: count }, (_, i) => -REACH + i * STEP);
  const weights = nodes.map((z) => (STEP * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI));
  let mean = 0;
  for (let i = 0; i < count; i++) {
    if (dimension === 1) mean += weights[i] * f([nodes[i]]);
    else for (let j = 0; j < count; j++) mean += weights[i] * weights[j] * f([nodes[i], nodes[j]]);
  }
  return mean;
}
