/**
 * What is known exactly of a distribution on its way from noise to data, x_t = t x1 + (1 - t) x0: density, velocity, divergence
 * and score of the marginal field at any point and time. Learned fields are held against these.
 */

/** Where the numbers of one point lie in what {@link Truth.at} fills. */
export const [LOG, UX, UY, DIVERGENCE, SX, SY] = [0, 1, 2, 3, 4, 5];

export interface Truth {
  /**
   * Fills `out` with log p_t(x, y) in nats, the marginal velocity u (2), its divergence, and the score grad log p_t (2).
   *
   * @param t - in [0, LATEST].
   */
  at(x: number, y: number, t: number, out: Float64Array): void;
  /** What has to be said of it beside a figure; undefined: it is exact. */
  readonly caveat?: string;
}

/** Fields of data with sharp edges, or of single points, grow without bound as t goes to 1: they are looked at until here. */
export const LATEST = 0.98;

/** Numbers of one point. */
export const newLocal = (): Float64Array => new Float64Array(6);
