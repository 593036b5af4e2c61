/** The steps of posterior() one by one: simulations, what a trainer is given, and the posterior of its model. */
import type { Numbers } from "../data/numbers.ts";
import type { Model, TrainerOptions } from "../engine/api.ts";
import { ConfigError, DataError } from "../errors.ts";
import { integerOption, isRecord, optionsObject, signalOption } from "../graph/options.ts";
import type { ObservationFacts } from "./file.ts";
import { observedNumbers } from "./observation.ts";
import { JointPrior } from "./parameters.ts";
import type { Prior, Priors } from "./priors.ts";
import {
  givenSimulations,
  type Simulated,
  type SimulationsGiven,
  type Simulator,
  shapeOf,
  simulations as simulated,
} from "./simulate.ts";
import { type PosteriorTrainingOptions, trainerOptionsOf, trainingNames } from "./train.ts";
import { Posterior } from "./trained.ts";

export interface InferenceOptions<Given extends Prior | Priors> {
  /** What is known of the parameters before: a prior of each by name, or one for all. */
  readonly prior: Given;
  /** What data would be observed with given parameters; may be left out where simulations are given. */
  readonly simulate?: Simulator<Given>;
  /**
   * What was observed: what the simulator would give. May be left out: the posterior is one for all observations, and each question
   * may come with its own.
   */
  readonly observation?: number | Numbers;
  /** How many, default 10,000; or those that ran before. */
  readonly simulations?: number | SimulationsGiven;
  /** Simulations at once, of an asynchronous simulator; default 1. The result does not depend on it. */
  readonly concurrency?: number;
  /** Of parameters, simulations and training; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then, in turns of 25 ms. */
  readonly onProgress?: (progress: SimulationProgress) => void;
}

export const inferenceNames = [
  ...(["prior", "simulate", "observation", "simulations", "concurrency", "seed", "signal", "onProgress"] as const),
] satisfies readonly (keyof InferenceOptions<Priors>)[];

export interface SimulationProgress {
  readonly stage: "simulating";
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly seconds: number;
}

/** Simulations, and what they are for. */
export interface Inference<Given extends Prior | Priors> {
  /** For another `inference` or `posterior({ simulations })`, without simulating again. */
  readonly simulations: Simulated;
  /** Options of `createTrainer`, the seed among them; the rate falls to 0 at `steps`. */
  training(options?: PosteriorTrainingOptions): TrainerOptions;
  /** The posterior of a model that was trained so. It disposes of the model when it is disposed of itself. */
  posterior(model: Model): Posterior<Given>;
}

/**
 * What `posterior()` does, in steps, for a training loop of your own: one that saves on its way and is resumed, that shows curves, or
 * that goes on for as long as somebody watches.
 *
 * @throws {@link ConfigError} when an option is wrong.
 * @throws {@link DataError} when all simulations fail, one has another shape than the others, or the observation does not fit.
 * @throws the signal's reason.
 * @example
 * const steps = await inference({ prior, simulate, observation });
 * const trainer = await createTrainer(runtime, steps.training({ steps: 4000 }));
 * for await (const progress of trainer.run({ steps: 4000 })) show(progress);
 * const { parameters } = await steps.posterior(trainer.model).sample({ count: 1000 });
 */
export async function inference<const Given extends Prior | Priors>(
  options: InferenceOptions<Given>,
): Promise<Inference<Given>> {
  const given = optionsObject("options of inference", options, inferenceNames);
  const prior = new JointPrior(given.prior);
  const { simulate, observation } = given;
  const seed = integerOption("seed of inference", given.seed ?? 0, 0);
  const values = observation === undefined ? undefined : observedNumbers(observation);
  const shape = values && (typeof observation === "number" ? [1] : shapeOf(observation as Numbers, values.length));
  const simulations = await simulationsOf(prior, given, { seed, shape, width: values?.length });
  const facts: ObservationFacts = { ...rangeOf(simulations), ...(values ? { values: [...values] } : {}) };
  return {
    simulations,
    training(own = {}) {
      optionsObject("options of training", own, trainingNames);
      return { ...trainerOptionsOf(prior, simulations, own), seed };
    },
    posterior: (model) => new Posterior<Given>(model, { table: prior, prior, simulate, observation: facts, seed }),
  };
}

async function simulationsOf<Given extends Prior | Priors>(
  prior: JointPrior<Given>,
  { simulate, simulations, concurrency = 1, signal: given, onProgress = () => {} }: InferenceOptions<Given>,
  { seed, shape, width }: { seed: number; shape: readonly number[] | undefined; width: number | undefined },
): Promise<Simulated> {
  const signal = signalOption(given);
  if (isRecord(simulations)) {
    const own = givenSimulations(prior, simulations as SimulationsGiven);
    if (width === undefined || own.observations.length === own.count * width) return own;
    throw new DataError({
      subject: "observation",
      given: `${width} numbers`,
      expected: `${own.observations.length / own.count}, as each simulation has`,
      remedy: "Give one observation, as the simulator would give it.",
    });
  }
  if (typeof simulate !== "function") {
    throw new ConfigError({
      subject: "simulate of posterior",
      given: simulate ?? String(simulate),
      expected: "a function from parameters to data, or simulations that ran before",
      remedy: "Give simulate: (parameters, { random }) => data.",
    });
  }
  const count = integerOption("simulations of posterior", simulations ?? 10_000, 2);
  integerOption("concurrency of posterior", concurrency);
  const begun = performance.now();
  return simulated({
    ...{ prior, simulate, count, concurrency, seed, use: "training", shape, signal },
    onProgress: (done, failed) =>
      onProgress({
        ...{ stage: "simulating", done, total: count, failed },
        seconds: (performance.now() - begun) / 1000,
      }),
  });
}

/** Least and greatest of each number over all simulations. */
function rangeOf({ observations, count, shape }: Simulated): Omit<ObservationFacts, "values"> {
  const width = observations.length / count;
  const least = Array.from(observations.subarray(0, width));
  const greatest = [...least];
  for (let at = width; at < observations.length; at++) {
    const [k, value] = [at % width, observations[at] as number];
    if (value < (least[k] as number)) least[k] = value;
    if (value > (greatest[k] as number)) greatest[k] = value;
  }
  return { shape, least, greatest, count };
}
