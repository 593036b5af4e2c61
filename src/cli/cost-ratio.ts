/**
 * What a step of FDM costs in steps of CFM, measured in turns. Two trainings one after the other do not tell: whatever else
 * a machine begins to do meanwhile slows one of them alone, and equal seconds would then be neither's.
 */
import { createTrainer, type Runtime, type Trainer } from "../index.ts";
import { type Recipe, trainerOptions } from "./recipe.ts";
import { interruption } from "./signals.ts";
import { median } from "./statistics.ts";

/** Turns of both that count, after one each that does not: it compiles. */
const TURNS = 7;

/**
 * Seconds of a step of the second divided by those of one of the first: the median over turns, in each of which both have
 * the same moment; which comes first alternates.
 *
 * @param first - the seconds that a step took, measured now; likewise `second`.
 */
export async function ratioInTurns(
  first: () => Promise<number>,
  second: () => Promise<number>,
  turns = TURNS,
): Promise<number> {
  await first();
  await second();
  const ratios: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    if (turn % 2 === 0) {
      const seconds = await first();
      ratios.push((await second()) / seconds);
    } else {
      const seconds = await second();
      ratios.push(seconds / (await first()));
    }
  }
  return median(ratios);
}

/** The ratio of FDM's step to CFM's with this recipe, about 4 s; undefined when a signal ended it. */
export async function costRatio(runtime: Runtime, recipe: Recipe): Promise<number | undefined> {
  const asked = interruption();
  const { signal } = asked;
  const { validation: _validation, earlyStopping: _stopping, ...options } = trainerOptions(recipe);
  try {
    using cfm = await createTrainer(runtime, { ...options, loss: recipe.loss("cfm"), signal });
    using fdm = await createTrainer(runtime, { ...options, loss: recipe.loss("fdm"), signal });
    return await ratioInTurns(
      () => secondsOfAStep(cfm, signal),
      () => secondsOfAStep(fdm, signal),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  } finally {
    asked.dispose();
  }
}

/** Over one report, some 250 ms. */
export async function secondsOfAStep(trainer: Trainer, signal: AbortSignal): Promise<number> {
  for await (const { seconds, steps } of trainer.run({ steps: 1_000_000, signal })) return seconds / steps.length;
  throw new RangeError("a run without a report");
}
