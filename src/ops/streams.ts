/**
 * Random streams by purpose. Draws of one seed and counter are independent where their streams differ, so every purpose
 * has streams of its own, and {@link Streams} hands out each of them once. Two purposes on one stream would see the same
 * bits: noise that tells the time, say, which neither's statistics show.
 */
import { LimitError } from "../errors.ts";

/** Each purpose's first stream, and the first that is no longer its own. Fixed for good: other ones, other bits. */
const ranges = {
  /** Of a batch: where on the path, the noise, what the loss and the data source draw, noise upon the data. */
  times: [0x0, 0x1],
  noise: [0x1, 0x2],
  loss: [0x100, 0x200],
  data: [0x200, 0x300],
  jitter: [0x8, 0x10],
  /** Of a solve: what it starts from, and its probes. */
  prior: [0x2, 0x3],
  probes: [0x400, 0x500],
  /** Points drawn on the host for their own sake. */
  points: [0x800, 0x1000],
  /** A parameter each; which rows are held out. */
  parameters: [0x1000, 0x10_0000],
  split: [0x10, 0x20],
  /** Which rows of a batch are not told a condition. */
  drops: [0x20, 0x40],
  /** In which order rows of a file are read. */
  order: [0x40, 0x42],
  /** Pairs of a transport plan; what measures of samples draw: projections, permutations, folds, networks' weights. */
  pairs: [0x42, 0x43],
  diagnostics: [0x50, 0x60],
  /** Of a solve with noise on the way: of each batch of points a seed, by that seed the noise of each step. */
  batches: [0x60, 0x61],
  diffusion: [0x61, 0x62],
  /** Of a coupling of starts with data: a seed for each step. */
  couplings: [0x62, 0x63],
  /** Of simulations by what they are for: a seed for each of them; by that seed all that it draws. */
  simulations: [0x70, 0x74],
} as const;

export type StreamPurpose = keyof typeof ranges;
export const streamPurposes = Object.keys(ranges) as StreamPurpose[];

/** What batches are for: those that judge a model must not be those that it was trained on, seeds being equal. */
export const batchUses = ["training", "evaluation", "validation"] as const;
export type BatchUse = (typeof batchUses)[number];

/** Purposes that need more than their range go on here, as many streams each; a use of batches has 2^28. */
const MORE = 0x10_0000;
const EACH_USE = 0x1000_0000;

/**
 * Stream `index` of a purpose.
 *
 * @throws {@link LimitError} where the purpose has no stream of this number.
 */
export function streamOf(purpose: StreamPurpose, index = 0, use: BatchUse = "training"): number {
  const [first, end] = ranges[purpose];
  const beyond = first + index - end;
  // A purpose of one stream is a single draw; asked for twice, it is a mistake.
  const most = end - first === 1 ? 0 : MORE;
  if (beyond >= most) {
    throw new LimitError({
      subject: `random streams for ${purpose}`,
      given: index + 1,
      expected: `at most ${end - first + most} in a graph`,
      remedy: "Draw fewer values, of a larger shape each.",
    });
  }
  const own = beyond < 0 ? first + index : MORE * (1 + streamPurposes.indexOf(purpose)) + beyond;
  return EACH_USE * batchUses.indexOf(use) + own;
}

/** The streams of one graph, or of graphs that share a seed and a counter: each is handed out once. */
export class Streams {
  readonly #use: BatchUse;
  readonly #taken = new Map<StreamPurpose, number>();

  constructor(use: BatchUse = "training") {
    this.#use = use;
  }

  /**
   * The next stream of this purpose.
   *
   * @throws {@link LimitError} when none is left.
   */
  next(purpose: StreamPurpose): number {
    const index = this.#taken.get(purpose) ?? 0;
    this.#taken.set(purpose, index + 1);
    return streamOf(purpose, index, this.#use);
  }
}
