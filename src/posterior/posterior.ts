/** Simulation-based inference: from a prior and a simulator to the posterior of parameters, without a likelihood. */
import type { Numbers } from "../data/numbers.ts";
import type { Runtime } from "../engine/api.ts";
import { CheckpointError, ConfigError, DataError } from "../errors.ts";
import { integerOption, isRecord, optionsObject, partOption, signalOption } from "../graph/options.ts";
import { factsOf, type ObservationFacts } from "./file.ts";
import { JointPrior, type ParameterTable } from "./parameters.ts";
import type { Prior, Priors } from "./priors.ts";
import {
  givenSimulations,
  type Simulated,
  type SimulationsGiven,
  type Simulator,
  shapeOf,
  simulations as simulated,
} from "./simulate.ts";
import {
  type PosteriorTraining,
  type PosteriorTrainingOptions,
  type TrainingProgress,
  trained,
  trainingNames,
} from "./train.ts";
import { observedNumbers, Posterior } from "./trained.ts";

export interface PosteriorOptions<Given extends Prior | Priors> extends PosteriorTrainingOptions {
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
  /** Called now and then, in turns of 25 ms of simulations and a few times a second of training. */
  readonly onProgress?: (progress: SimulationProgress | TrainingProgress) => void;
}

export interface SimulationProgress {
  readonly stage: "simulating";
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  readonly seconds: number;
}

/** A posterior with what it was made of. */
export interface InferredPosterior<Given extends Prior | Priors> extends Posterior<Given> {
  /** For another `posterior({ simulations })`, without simulating again. */
  readonly simulations: Simulated;
  readonly training: PosteriorTraining;
  /** What speaks against it, a sentence each: simulations that failed, an observation unlike all of them. */
  readonly warnings: readonly string[];
}

/**
 * The posterior of a simulator's parameters given what was observed: draws parameters from the prior, simulates data with each, and
 * trains a flow of the parameters that is told the data. It is amortised: other observations cost no further training.
 *
 * Simulations that throw or give values that are not finite are left out and counted. That does not bias the posterior: the observation
 * is one that did not fail, and failures depend on parameters in prior and likelihood alike.
 *
 * @param runtime - of `createRuntime()`.
 * @throws {@link ConfigError} when an option is wrong.
 * @throws {@link DataError} when all simulations fail, one has another shape than the others, or the observation does not fit.
 * @throws the signal's reason.
 * @example
 * const result = await posterior(runtime, {
 *   prior: { mass: uniform({ low: 0, high: 5 }), friction: logUniform({ low: 0.01, high: 1 }) },
 *   simulate: ({ mass, friction }, { random }) => measured(mass, friction).map((x) => x + 0.1 * random.normal()),
 *   observation: [1.2, 0.7, 0.4],
 * });
 * const { parameters } = await result.sample({ count: 1000 }); // parameters.mass, parameters.friction
 */
export async function posterior<const Given extends Prior | Priors>(
  runtime: Runtime,
  options: PosteriorOptions<Given>,
): Promise<InferredPosterior<Given>> {
  partOption("runtime", runtime, "createTrainer", "await createRuntime()");
  const given = optionsObject("options of posterior", options, [
    ...(["prior", "simulate", "observation", "simulations", "concurrency", "seed", "signal", "onProgress"] as const),
    ...trainingNames,
  ]);
  const prior = new JointPrior(given.prior);
  const { simulate, observation, onProgress = () => {} } = given;
  const signal = signalOption(given.signal);
  const seed = integerOption("seed of posterior", given.seed ?? 0, 0);
  const values = observation === undefined ? undefined : observedNumbers(observation);
  const shape = values && (typeof observation === "number" ? [1] : shapeOf(observation as Numbers, values.length));
  if (given.steps !== undefined) integerOption("steps of posterior", given.steps);

  const made = await simulationsOf();
  const facts: ObservationFacts = { ...rangeOf(made), ...(values ? { values: [...values] } : {}) };
  const { model, training } = await trained(runtime, prior, made, { ...given, seed, signal }, onProgress);
  const result = new Posterior<Given>(model, { table: prior, prior, simulate, observation: facts, seed });
  const warnings = [...failureWarnings(made), ...result.warningsOf()];
  return Object.assign(result, { simulations: made, training, warnings });

  async function simulationsOf(): Promise<Simulated> {
    if (isRecord(given.simulations)) {
      const own = givenSimulations(prior, given.simulations as SimulationsGiven);
      if (!values || own.observations.length === own.count * values.length) return own;
      throw new DataError({
        subject: "observation",
        given: `${values.length} numbers`,
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
    const count = integerOption("simulations of posterior", given.simulations ?? 10_000, 2);
    const concurrency = integerOption("concurrency of posterior", given.concurrency ?? 1);
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
}

export interface LoadPosteriorOptions<Given extends Prior | Priors> {
  /** The prior, for calibrate() and predictive(): one that differs from the file's is refused. */
  readonly prior?: Given;
  /** The simulator, for the same. */
  readonly simulate?: Simulator<Given>;
  /** The file's name, for messages. */
  readonly source?: string;
}

/**
 * The posterior in the bytes that `posterior.checkpoint()` gave, or that `save` wrote. Transforms, names and the observation are in
 * the file; prior and simulator, which are the user's code, are wanted for further simulations alone.
 *
 * @throws {@link CheckpointError} when the file is damaged or no posterior's, or the prior has other names or bounds than the file's.
 */
export async function loadPosterior<const Given extends Prior | Priors = Priors>(
  runtime: Runtime,
  bytes: Uint8Array | ArrayBuffer,
  options: LoadPosteriorOptions<Given> = {},
): Promise<Posterior<Given>> {
  partOption("runtime", runtime, "loadModel", "await createRuntime()");
  const given = optionsObject("options of loadPosterior", options, ["prior", "simulate", "source"]);
  const { simulate, source = "posterior's file" } = given;
  const facts = factsOf(new Uint8Array(bytes), source);
  const prior = given.prior && new JointPrior(given.prior);
  if (prior) expectSame(prior, facts.table, source);
  const model = await runtime.loadModel(bytes, { source });
  return new Posterior<Given>(model, { ...facts, table: prior ?? facts.table, prior, simulate });
}

function expectSame(given: ParameterTable, own: ParameterTable, source: string): void {
  const said = ({ places, transforms }: ParameterTable) => JSON.stringify([places, transforms]);
  if (said(given) === said(own)) return;
  throw new CheckpointError({
    subject: `prior of ${source}`,
    given: said(given),
    expected: said(own),
    remedy: "Give the prior that the posterior was made with, or leave it out: samples and densities need none.",
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

function failureWarnings({ failed, failures, count }: Simulated): string[] {
  if (failed === 0) return [];
  const [first] = failures;
  return [
    `${failed} of ${count + failed} simulations failed and are left out, most often by: ${first?.reason} (${first?.count} times).`,
  ];
}
