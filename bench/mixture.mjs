/** Gaussian mixtures drawn by a seed, with their density: data of trials whose truth is known. */

/**
 * Uniform numbers in [0, 1) that follow from a seed (mulberry32).
 * @param {number} seed
 */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * 8 components with means in [-2, 2] and variances from about 0.05 to 0.35, by coordinate: a sampler, whose draws go on, and the
 * log-density in nats of the points [count, D].
 * @param {number} D
 * @param {number} seed
 */
export function mixture(D, seed) {
  const next = uniform(seed);
  const components = Array.from({ length: 8 }, () =>
    Array.from({ length: D }, () => ({ mean: 4 * next() - 2, deviation: Math.sqrt(0.05 + 0.3 * next()) })),
  );
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    draw(/** @type {number} */ count) {
      const points = new Float64Array(count * D);
      for (let row = 0; row < count; row++) {
        const component = components[Math.floor(8 * next())] ?? [];
        component.forEach(({ mean, deviation }, i) => {
          points[row * D + i] = mean + deviation * normal();
        });
      }
      return points;
    },
    logDensity(/** @type {Float64Array} */ points) {
      return Float64Array.from({ length: points.length / D }, (_, row) => {
        const terms = components.map((component) =>
          component.reduce((sum, { mean, deviation }, i) => {
            const away = (Number(points[row * D + i]) - mean) / deviation;
            return sum - 0.5 * (away ** 2 + Math.log(2 * Math.PI * deviation ** 2));
          }, -Math.log(8)),
        );
        const most = Math.max(...terms);
        return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
      });
    },
  };
}
