/** Simulation-based inference: from a prior and a simulator to the posterior of parameters, without a likelihood. */
import type { Runtime } from "../engine/api.ts";
import { CheckpointError } from "../errors.ts";
import { integerOption, optionsObject, partOption, signalOption } from "../graph/options.ts";
import { factsOf } from "./file.ts";
import { type InferenceOptions, inference, inferenceNames, type SimulationProgress } from "./inference.ts";
import { JointPrior, type ParameterTable } from "./parameters.ts";
import type { Prior, Priors } from "./priors.ts";
import type { Simulated, Simulator } from "./simulate.ts";
import {
  type PosteriorTraining,
  type PosteriorTrainingOptions,
  type TrainingProgress,
  trained,
  trainingNames,
} from "./train.ts";
import { Posterior } from "./trained.ts";

export interface PosteriorOptions<Given extends Prior | Priors>
  extends PosteriorTrainingOptions,
    Omit<InferenceOptions<Given>, "onProgress"> {
  /** Called now and then, in turns of 25 ms of simulations and a few times a second of training. */
  readonly onProgress?: (progress: SimulationProgress | TrainingProgress) => void;
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
  const given = optionsObject("options of posterior", options, [...inferenceNames, ...trainingNames]);
  if (given.steps !== undefined) integerOption("steps of posterior", given.steps);
  const { onProgress = () => {} } = given;
  const asked = ([name]: readonly [string, unknown]) => !(trainingNames as readonly string[]).includes(name);
  const steps = await inference(Object.fromEntries(Object.entries(given).filter(asked)) as InferenceOptions<Given>);
  const { model, training } = await trained(
    runtime,
    steps,
    { ...given, signal: signalOption(given.signal) },
    onProgress,
  );
  const result = steps.posterior(model);
  const warnings = [...failureWarnings(steps.simulations), ...result.warningsOf()];
  return Object.assign(result, { simulations: steps.simulations, training, warnings });
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

function failureWarnings({ failed, failures, count }: Simulated): string[] {
  if (failed === 0) return [];
  const [first] = failures;
  return [
    `${failed} of ${count + failed} simulations failed and are left out, most often by: ${first?.reason} (${first?.count} times).`,
  ];
}
