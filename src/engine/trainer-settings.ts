/** The options of a trainer, checked and completed. */
import { ConfigError } from "../errors.ts";
import { integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { adam, type Optimizer } from "../train/adam.ts";
import type { TrainerOptions } from "./api.ts";

const DEFAULT_BATCH = 512;

/** Options with every choice made. */
export interface TrainerSettings extends TrainerOptions {
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly seed: number;
}

/** The options with every choice made, checked. */
export function completed(options: TrainerOptions): TrainerSettings {
  optionsObject("options of createTrainer", options, [
    ...(["network", "path", "loss", "optimizer", "data", "batchSize", "seed"] as const),
    ...(["ema", "maximumGradientNorm", "snapshotEvery"] as const),
  ]);
  for (const name of ["network", "path", "loss", "data"] as const) {
    if (typeof options[name] === "object" && options[name] !== null) continue;
    throw new ConfigError({
      subject: `${name} of createTrainer`,
      given: options[name],
      expected: `a ${name}`,
      remedy: "Give all of network, path, loss and data.",
    });
  }
  const { network, data, batchSize = DEFAULT_BATCH, seed = 0, optimizer = adam() } = options;
  integerOption("batchSize", batchSize, 1, 1 << 20);
  integerOption("seed", seed, 0);
  if (options.snapshotEvery !== undefined) integerOption("snapshotEvery", options.snapshotEvery);
  if (options.maximumGradientNorm !== undefined) {
    numberOption("maximumGradientNorm", options.maximumGradientNorm, { minimum: 0, open: "minimum" });
  }
  if (network.dimension !== data.dimension) {
    throw new ConfigError({
      subject: "dimension of the network",
      given: network.dimension,
      expected: `${data.dimension}, the dimension of the data`,
      remedy: "Give the network the dimension of the data.",
    });
  }
  return { ...options, optimizer, batchSize, seed };
}
