/** The options of the transformer in sit.ts: what they are, and how they are completed and checked. */
import { ConfigError } from "../errors.ts";
import { booleanOption, f32Option, integerOption, numberOption } from "../graph/options.ts";
import type { ConditionDeclarations } from "./network.ts";
import { checked, expectDivides, LARGEST_WIDTH, MOST_BLOCKS } from "./network-options.ts";

export interface SiTConfig {
  /** [H, W, C]. */
  readonly sample: readonly [number, number, number];
  /** Side of a patch, which divides height and width; default 2. */
  readonly patch?: number;
  /** Of the tokens, a multiple of `heads`; default 384, as SiT-S has it. */
  readonly width?: number;
  /** Blocks; default 12. */
  readonly depth?: number;
  /** Of attention; default 6. */
  readonly heads?: number;
  /** Width of a block's hidden layer in widths; default 4. */
  readonly mlpRatio?: number;
  /** How many frequencies of time; default 128. */
  readonly frequencies?: number;
  /**
   * Where each patch is: "sine-cosine", the default, which SiT and DiT have; or numbers [patches, width], row-major. Fixed.
   */
  readonly positions?: "sine-cosine" | readonly number[];
  /** Whether the network also gives what SiT and DiT call sigma, which is not used: their published files have it. Default false. */
  readonly learnSigma?: boolean;
  /** Of layer norm; default 1e-6. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
}

/** The options with every choice made, checked. */
export function completed(given: SiTConfig) {
  const { sample, conditions } = checked("sit", "pictures", given, [
    ...(["sample", "patch", "width", "depth", "heads", "mlpRatio", "frequencies", "positions"] as const),
    ...(["learnSigma", "epsilon", "conditions"] as const),
  ]);
  const { patch = 2, width = 384, depth = 12, heads = 6, mlpRatio = 4, frequencies = 128 } = given;
  const { positions = "sine-cosine", learnSigma = false, epsilon = 1e-6 } = given;
  for (const [name, value] of Object.entries({ patch, width, heads, frequencies })) {
    integerOption(`${name} of sit`, value, 1, LARGEST_WIDTH);
  }
  integerOption("depth of sit", depth, 1, MOST_BLOCKS);
  numberOption("mlpRatio of sit", mlpRatio, { minimum: 1 / width, maximum: 64 });
  booleanOption("learnSigma of sit", learnSigma);
  f32Option("epsilon of sit", epsilon, { minimum: 0, open: "minimum" });
  expectDivides("width of sit", width, heads, "its heads");
  expectDivides("height in sample of sit", sample[0], patch, "the side of a patch");
  expectDivides("width in sample of sit", sample[1], patch, "the side of a patch");
  if (positions === "sine-cosine") expectDivides("width of sit", width, 4, "sines and cosines of rows and columns");
  const options = { sample, patch, width, depth, heads, mlpRatio, frequencies, learnSigma, epsilon };
  const count = (sample[0] / patch) * (sample[1] / patch) * width;
  return { ...options, positions: positionsOption(positions, count), conditions };
}

function positionsOption(given: unknown, count: number): "sine-cosine" | readonly number[] {
  if (given === "sine-cosine") return given;
  const isList = Array.isArray(given) && given.length === count && given.every(Number.isFinite);
  if (isList) return Object.freeze([...given]);
  throw new ConfigError({
    subject: "positions of sit",
    given: Array.isArray(given) ? `a list of ${given.length}` : (given ?? String(given)),
    expected: `"sine-cosine", or ${count} finite numbers: [patches, width], row-major`,
    remedy: "Leave it out, or give the numbers of pos_embed.",
  });
}
