/** A first guess of the weight of a divergence term, from the lengths of the two terms' gradients. */
import { ConfigError } from "../errors.ts";
import { cfm } from "../flow/losses/cfm.ts";
import { type FDMOptions, fdm } from "../flow/losses/fdm.ts";
import { HUTCH_PLUS_PLUS, hutchPlusPlus } from "../flow/losses/hutch-plus-plus.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { integerOption, numberOption, optionsObject, partOption } from "../graph/options.ts";
import { adam } from "../train/adam.ts";
import type { Runtime, Trainer, TrainerOptions } from "./api.ts";

export interface SuggestOptions {
  /** Steps of conditional flow matching, over which the lengths are taken; default 200. */
  readonly steps?: number;
  /** How often on the way, evenly; default 4. */
  readonly looks?: number;
  /** Batches of each kind at each look; default 8. */
  readonly batches?: number;
  /** How long the weighted divergence term's gradient is meant to be, of the velocity term's; default 0.2. */
  readonly balance?: number;
}

/** What was seen, in the order of looks: root mean squares of gradients' norms over batches. */
export interface DivergenceWeight {
  /** The balance times the median over looks of velocity / divergence. */
  readonly weight: number;
  readonly looks: readonly { readonly step: number; readonly velocity: number; readonly divergence: number }[];
}

/** So small a weight or rate leaves no trace in f32. */
const NEXT_TO_NOTHING = 1e-30;

/**
 * A weight for the divergence term of `options.loss`, `fdm()` or `hutchPlusPlus()`, whose own weight says nothing here: the one
 * that makes its gradient `balance` times as long as the velocity term's over the first steps. A heuristic: it knows nothing of
 * what either term is worth to the model, and gradients of single batches are mostly noise. docs/loss.md has it beside
 * sweeps of nine weights.
 *
 * @param runtime - trains on it: `steps` steps of CFM, and at each look `batches` of the divergence term alone.
 * @param options - as for the trainer that the weight is for; validation and the like are left out.
 * @throws {@link ConfigError} when an option is wrong, or the loss has no divergence term of its own.
 * @example
 * const { weight } = await suggestDivergenceWeight(runtime, { network, path, data, loss: fdm() });
 * const trainer = await createTrainer(runtime, { network, path, data, loss: fdm({ divergence: weight }) });
 */
export async function suggestDivergenceWeight(
  runtime: Runtime,
  options: TrainerOptions,
  how: SuggestOptions = {},
): Promise<DivergenceWeight> {
  partOption("runtime", runtime, "createTrainer", "await createRuntime()");
  const given = optionsObject("options of suggestDivergenceWeight", how, ["steps", "looks", "batches", "balance"]);
  const { steps = 200, looks: count = 4, batches = 8, balance = 0.2 } = given;
  integerOption("steps of suggestDivergenceWeight", steps, 1, 1_000_000);
  integerOption("looks of suggestDivergenceWeight", count, 1, Math.min(steps, 1000));
  integerOption("batches of suggestDivergenceWeight", batches, 1, 10_000);
  numberOption("balance of suggestDivergenceWeight", balance, { minimum: 0, open: "minimum" });
  const residual = residualOf(Object(options).loss);
  const { network, path, data, batchSize, seed, jitter, maximumGradientNorm, optimizer, signal } = options;
  const shared = {
    ...{ network, path, data, ...(signal ? { signal } : {}) },
    ...(batchSize === undefined ? {} : { batchSize }),
    ...(seed === undefined ? {} : { seed }),
    ...(jitter === undefined ? {} : { jitter }),
  };
  const trainer = await runtime.createTrainer({
    ...{ ...shared, loss: cfm() },
    ...(optimizer ? { optimizer } : {}),
    ...(maximumGradientNorm === undefined ? {} : { maximumGradientNorm }),
  });
  try {
    const looks: { step: number; velocity: number; divergence: number }[] = [];
    for (let look = 1; look <= count; look++) {
      const step = Math.round((look * steps) / count);
      const norms = await normsOf(trainer, step - trainer.step, signal);
      const velocity = rootMeanSquare(norms.slice(-batches));
      const initial = { from: trainer.model, ema: false };
      // Nothing is learned: the same parameters see other batches.
      const still = { ...shared, loss: residual, initial, optimizer: adam({ learningRate: NEXT_TO_NOTHING }) };
      const judge = await runtime.createTrainer(still);
      try {
        looks.push({ step, velocity, divergence: rootMeanSquare(await normsOf(judge, batches, signal)) });
      } finally {
        judge.dispose();
      }
    }
    const ratios = looks.map(({ velocity, divergence }) => velocity / divergence).sort((a, b) => a - b);
    const middle = ratios.length >> 1;
    const median =
      ratios.length % 2 ? ratios[middle] : ((ratios[middle - 1] as number) + (ratios[middle] as number)) / 2;
    return { weight: balance * (median as number), looks };
  } finally {
    trainer.dispose();
  }
}

/** The loss with the divergence term alone. */
function residualOf(loss: Loss | undefined): Loss {
  const alone = { ...loss?.options, divergence: 1, velocityWeight: NEXT_TO_NOTHING } as FDMOptions;
  if (loss?.name === "fdm") return fdm(alone);
  if (loss?.name === HUTCH_PLUS_PLUS) return hutchPlusPlus(alone);
  throw new ConfigError({
    subject: "loss of suggestDivergenceWeight",
    given: loss?.name ?? String(loss),
    expected: "fdm() or hutchPlusPlus()",
    remedy: "Give the loss that the weight is for.",
  });
}

async function normsOf(trainer: Trainer, steps: number, signal: AbortSignal | undefined): Promise<number[]> {
  const norms: number[] = [];
  for await (const { steps: each } of trainer.run({ steps, ...(signal ? { signal } : {}) })) {
    norms.push(...each.map(({ gradientNorm }) => gradientNorm));
  }
  return norms;
}

const rootMeanSquare = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
