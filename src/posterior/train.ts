/** Training of a posterior's model: the parameters' flow, told what was observed. */
import { arrayData } from "../data/array.ts";
import type { Model, Runtime, TrainerOptions, ValidationMetrics } from "../engine/api.ts";
import { cfm } from "../flow/losses/cfm.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { condOT } from "../flow/paths/cond-ot.ts";
import { numbers } from "../nn/conditions.ts";
import { mlp } from "../nn/mlp.ts";
import type { Network } from "../nn/network.ts";
import { adam, type Optimizer } from "../train/adam.ts";
import { cosineDecay, product, warmUp } from "../train/rates.ts";
import type { ParameterTable } from "./parameters.ts";
import type { Simulated } from "./simulate.ts";

/** How it is trained. */
export interface PosteriorTrainingOptions {
  /** Default cfm(); fdm() fits the divergence too. docs/posterior.md has both. */
  readonly loss?: Loss;
  /** Widths of the MLP's hidden layers; default five of 128. */
  readonly hidden?: readonly number[];
  /** Another network, of the parameters' dimension, that is told `observation`: for series, images, sets. */
  readonly network?: Network;
  /** Steps at most; default 8000. The learning rate falls to 0 by then. */
  readonly steps?: number;
  /** Default 256, or as many as there are simulations. */
  readonly batchSize?: number;
  /** Default: adam, its rate falling from 4e-3 as half a cosine. */
  readonly optimizer?: Optimizer;
  /** Share of the simulations, or how many, that are held out and choose the best parameters; default 0.1. */
  readonly validation?: number;
  /**
   * Deviation of noise on the parameters, anew each time a simulation is drawn: {@link TrainerOptions.jitter}. Of some hundred simulations
   * 0.3 beside fdm({ divergence: 3 }) was best (docs/when-fdm-pays.md); it blurs posteriors that are sharper. Default 0.
   */
  readonly jitter?: number | "auto";
  /** Validations, one each 100 steps, without a better one after which training ends; default 30. */
  readonly patience?: number;
}

/** What came of it. */
export interface PosteriorTraining {
  readonly steps: number;
  readonly seconds: number;
  /** The best validation; the model has its parameters. */
  readonly best: ValidationMetrics | undefined;
  /** Whether it ended early. */
  readonly stopped: boolean;
  /** Of the trainer: fewer rows than parameters, which rows held out and the best of all steps guard against. */
  readonly warnings: readonly string[];
}

export interface TrainingProgress {
  readonly stage: "training";
  readonly done: number;
  readonly total: number;
  readonly loss: number;
  /** The last validation so far. */
  readonly validation: ValidationMetrics | undefined;
  readonly seconds: number;
}

export const trainingNames = [
  ...(["loss", "hidden", "network", "steps", "batchSize", "optimizer", "validation", "jitter", "patience"] as const),
] satisfies readonly (keyof PosteriorTrainingOptions)[];

/**
 * Four times what is usual: with a rate that falls to 0 it trains farther in the same steps. Nats on fresh simulations after 4,000 steps
 * at 1e-3, 2e-3 and 4e-3: two_moons -2.49, -2.68, -3.20, the spring of examples/posterior.mjs -1.86, -2.02, -2.05 (+- 0.05).
 */
const RATE = 4e-3;
const WARM_UP = 100;

/** Where options do not say. */
const STEPS = 8000;

/** Fewer rows than this make no tenth worth judging by. */
const FEWEST = 20;

/** What a trainer is given, but for its seed. */
export function trainerOptionsOf(
  table: ParameterTable,
  { parameters, observations, count, shape }: Simulated,
  options: PosteriorTrainingOptions,
): Omit<TrainerOptions, "seed"> {
  const { loss = cfm(), hidden = [128, 128, 128, 128, 128], steps = STEPS, validation = 0.1, patience = 30 } = options;
  const { dimension, columns } = table;
  const data = arrayData(table.toLine(parameters), [count, dimension], {
    ...{ standardize: true, columns },
    conditions: { observation: { values: observations, shape: [count, ...shape] } },
  });
  return {
    network: options.network ?? mlp({ dimension, hidden, conditions: { observation: numbers(shape) } }),
    ...{ path: condOT(), loss, data },
    optimizer:
      options.optimizer ?? adam({ learningRate: product(RATE, warmUp({ steps: WARM_UP }), cosineDecay({ steps })) }),
    batchSize: options.batchSize ?? Math.min(256, count),
    ema: { decay: 0.995 },
    maximumGradientNorm: 1,
    ...(options.jitter === undefined ? {} : { jitter: options.jitter }),
    ...(count >= FEWEST ? { validation, earlyStopping: { patience } } : {}),
  };
}

export async function trained(
  runtime: Runtime,
  inference: { training(options?: PosteriorTrainingOptions): TrainerOptions },
  options: PosteriorTrainingOptions & { readonly signal: AbortSignal | undefined },
  onProgress: (progress: TrainingProgress) => void,
): Promise<{ readonly model: Model; readonly training: PosteriorTraining }> {
  const { steps = STEPS, signal } = options;
  const own = trainingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
  const begun = performance.now();
  const trainer = await runtime.createTrainer({
    ...inference.training(Object.fromEntries(own)),
    ...(signal ? { signal } : {}),
  });
  try {
    let last: ValidationMetrics | undefined;
    const seconds = () => (performance.now() - begun) / 1000;
    for await (const { step, loss: value, validation: judged } of trainer.run({
      steps,
      ...(signal ? { signal } : {}),
    })) {
      last = judged ?? last;
      onProgress({ stage: "training", done: step, total: steps, loss: value, validation: last, seconds: seconds() });
    }
    signal?.throwIfAborted(); // at the last step, which ends the run by itself
    const training = {
      ...{ steps: trainer.step, seconds: seconds(), best: trainer.best, stopped: trainer.stopped },
      warnings: trainer.warnings,
    };
    return { model: await runtime.loadModel(await trainer.model.checkpoint()), training };
  } finally {
    trainer.dispose(); // with the simulations on the device
  }
}
