/** Paths and losses of `divflow/flows` by name: imported when one is first asked for. */
import { onDemand } from "../backends/on-demand.ts";
import type { FieldKind } from "../flow/conversions.ts";
import { HUTCH_PLUS_PLUS, hutchPlusPlus } from "../flow/losses/hutch-plus-plus.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { SCORE_MATCHING, scoreMatching } from "../flow/losses/score-matching.ts";
import { type WeightedOptions, weighted } from "../flow/losses/weighted.ts";
import { BROWNIAN_BRIDGE, brownianBridge } from "../flow/paths/brownian-bridge.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { veSDE } from "../flow/paths/ve-sde.ts";
import { WITH_OUTPUT, withOutput } from "../flow/paths/with-output.ts";
import { isRecord, type NamedOptions } from "../graph/options.ts";
import { lossOf, pathOf } from "./parts.ts";

/** One of `morePathNames` in flow/paths/registry.ts. */
export async function morePath({ name, options }: NamedOptions): Promise<PathScheduler> {
  if (name === BROWNIAN_BRIDGE) return brownianBridge(options);
  if (name !== WITH_OUTPUT) return veSDE(options);
  const { output, path, ...scaling } = options;
  return withOutput(output as FieldKind, await pathOf(path as NamedOptions), scaling);
}

/** One of `moreLossNames` in flow/losses/registry.ts. */
export async function moreLoss({ name, options }: NamedOptions): Promise<Loss> {
  if (name === HUTCH_PLUS_PLUS) return hutchPlusPlus(options);
  if (name === SCORE_MATCHING) {
    const { loss, weightOfScore: weight, ...own } = options;
    return scoreMatching(await lossOf({ name: loss as string, options: own }), { weight } as { weight: number });
  }
  const { loss, by, times, every = 1, ...own } = options;
  const weight = isRecord(by) ? (await onDemand(import("./graphs.ts"))).graphWeight(by) : by;
  return weighted(await lossOf({ name: loss as string, options: own }), {
    by: weight,
    times,
    every,
  } as WeightedOptions);
}
