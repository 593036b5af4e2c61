/** The options of a trainer, checked and completed. What is read of them is copied: their owner may change them later. */
import { type ArrayData, arrayRows, isArrayData } from "../data/array.ts";
import { automaticJitter, jitterDeviations, jitterOf } from "../data/jitter.ts";
import type { DataSource } from "../data/source.ts";
import { fitStandardization } from "../data/standardize.ts";
import { ConfigError, LimitError, printable } from "../errors.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { onPath, type PathScheduler } from "../flow/paths/path.ts";
import { sameShape } from "../graph/node.ts";
import {
  f32Option,
  GRAPH,
  integerOption,
  LARGEST_BATCH,
  optionsObject,
  partOption,
  signalOption,
} from "../graph/options.ts";
import { type Network, parameterLayout } from "../nn/network.ts";
import type { PlanLimits } from "../schedule/program.ts";
import { adam, type Optimizer } from "../train/adam.ts";
import { type Ema, ema } from "../train/ema.ts";
import type { ValidationCriterion } from "../train/validation.ts";
import type { TrainerOptions } from "./api.ts";
import type { Validating } from "./held-out.ts";
import type { Paired, Pairing } from "./pairing.ts";
import { expectLossFits, expectSolveFits } from "./sizes.ts";
import { progressOption } from "./solve-options.ts";
import type { Telling } from "./told.ts";

const DEFAULT_BATCH = 512;

/** Options with every choice made. */
export interface TrainerSettings {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly seed: number;
  readonly ema?: Ema;
  readonly maximumGradientNorm?: number;
  readonly snapshotEvery: number | undefined;
  /** As it was given: what checkpoints know it by. */
  readonly data: DataSource;
  /** What steps draw from: without the rows held out. */
  readonly trainingData: DataSource;
  /** Standard deviation in standardised units, 0: none; and per coordinate in model units. */
  readonly jitter: number;
  readonly deviations: readonly number[] | undefined;
  readonly validation: ValidationSettings | undefined;
  /** There where network or data have conditions. */
  readonly telling: Telling | undefined;
  /** There where starts are other than noise, or paired with data. */
  readonly paired: Paired | undefined;
}

export interface ValidationSettings {
  /** Numbers of the data's rows; undefined where another source is validated on. */
  readonly rows: { readonly training: Uint32Array; readonly heldOut: Uint32Array } | undefined;
  /** What is validated on. */
  readonly source: DataSource;
  /** Steps between validations. */
  readonly every: number;
  /** Validations without a better one after which a run ends; undefined: it goes on. */
  readonly patience: number | undefined;
  readonly by: ValidationCriterion;
}

/** @throws {@link LimitError} when a step needs more than the device has, or is too much to plan. */
export function expectTrainingFits(settings: TrainerSettings, limits: PlanLimits): void {
  const { network, loss, batchSize, optimizer, ema, validation, trainingData, paired } = settings;
  const data = [...(trainingData.state?.values() ?? [])].reduce((total, { length }) => total + length, 0);
  const vectors = 1 + optimizer.moments.length + (ema ? 1 : 0) + (validation ? 1 : 0);
  expectLossFits({ network, loss, batchSize, vectors, reverse: true, data }, limits);
  if (!validation || paired?.start) return;
  const judging = { network, solver: { name: "rk4" }, rows: 1, divergence: heldOutDivergence(network.dimension) };
  // Before a step is planned, which takes seconds; of more rows at once it is found out when validation is planned.
  const part = "The likelihood of rows held out";
  expectSolveFits(judging, limits, { part, way: ["no validation", { tangents: 0, evaluations: 0 }] });
}

/** Dimensions up to which the divergence of likelihoods held out is exact, and how many probes estimate it beyond. */
const [MOST_EXACT, PROBES] = [16, 4];

/** How likelihoods of rows held out are taken. */
export const heldOutDivergence = (dimension: number) =>
  dimension <= MOST_EXACT
    ? ({ estimator: "exact", probes: 1, probe: "rademacher" } as const)
    : ({ estimator: "hutchinson", probes: PROBES, probe: "rademacher" } as const);

/** Of what can be trained here but has no exact likelihood, with the solver that there is by default. */
export function unjudged({ network }: TrainerSettings, limits: PlanLimits): string[] {
  try {
    const divergence = { estimator: "exact" };
    expectSolveFits({ network, solver: { name: "dopri5" }, rows: 1, divergence }, limits);
    return [];
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    return [`Exact log-densities of this model will be refused. ${error.facts.remedy}`];
  }
}

/** Of trainers that are made: how planning is watched and given up. */
export type Planning = Pick<TrainerOptions, "signal" | "onProgress">;

export const planningOptions = ({ signal, onProgress }: Planning): Planning => ({
  signal: signalOption(signal),
  onProgress: progressOption(onProgress),
});

/** The options with every choice made, checked. */
export function completed(
  options: TrainerOptions,
  {
    telling,
    validating,
    pairing,
  }: {
    readonly telling?: Telling | undefined;
    readonly validating?: Validating | undefined;
    readonly pairing?: Pairing | undefined;
  } = {},
): TrainerSettings {
  optionsObject("options of createTrainer", options, [
    ...(["network", "path", "loss", "optimizer", "data", "batchSize", "seed", "ema", "maximumGradientNorm"] as const),
    ...([
      "start",
      "coupling",
      "snapshotEvery",
      "validation",
      "validateEvery",
      "earlyStopping",
      "jitter",
      "initial",
      "signal",
      "onProgress",
    ] as const),
  ]);
  const { path, batchSize = DEFAULT_BATCH, seed = 0, optimizer = adam() } = options;
  const { snapshotEvery, maximumGradientNorm } = options;
  partOption("network of createTrainer", options.network, "apply", "mlp({ dimension })");
  partOption("path of createTrainer", path, "at", "condOT()");
  const network = onPath(options.network, path);
  partOption("loss of createTrainer", options.loss, "build", "fdm()");
  const loss = options.loss.forNetwork?.(network, path) ?? options.loss;
  partOption("data of createTrainer", options.data, "draw", "checkerboard() or arrayData(points)");
  partOption("optimizer of createTrainer", optimizer, "update", "adam()");
  integerOption("batchSize", batchSize, 1, LARGEST_BATCH);
  integerOption("seed", seed, 0);
  if (snapshotEvery !== undefined) integerOption("snapshotEvery", snapshotEvery);
  if (maximumGradientNorm !== undefined) {
    f32Option("maximumGradientNorm", maximumGradientNorm, { minimum: 0, open: "minimum" });
  }
  if (options.ema !== undefined) optionsObject("ema of createTrainer", options.ema, ["decay"]);
  expectDimension("data", options.data, network);
  const data = telling?.toldData("the data", network, options.data) ?? options.data;
  const validation = validating ? validating({ ...options, data, seed, telling }) : expectNoValidation(options);
  const trainingData = validation?.rows && isArrayData(data) ? arrayRows(data, validation.rows.training) : data;
  const jitter = jitterOf(options.jitter ?? 0, trainingData);
  const paired = pairing?.({ ...options, loss, trainingData, batchSize, seed, rows: validation?.rows });
  return {
    ...{ network, path, loss, optimizer, batchSize, seed, snapshotEvery, data, jitter, validation },
    ...{ telling, paired, trainingData: paired?.trainingData ?? trainingData },
    ...(options.ema ? { ema: ema(options.ema) } : {}),
    ...(maximumGradientNorm === undefined ? {} : { maximumGradientNorm }),
    deviations: jitter > 0 && isArrayData(trainingData) ? jitterDeviations(jitter, trainingData) : undefined,
  };
}

function expectNoValidation({ validateEvery, earlyStopping }: TrainerOptions): undefined {
  for (const [name, given] of Object.entries({ validateEvery, earlyStopping })) {
    if (given === undefined || given === false) continue;
    throw new ConfigError({
      subject: `${name} of createTrainer`,
      given,
      expected: "an option beside validation",
      remedy: "Say what is held out, such as validation: 0.1, or leave this out.",
    });
  }
}

export function expectDimension(name: string, source: DataSource, network: Network): void {
  const { sample } = network;
  if (network.dimension === source.dimension) {
    const { shape = [source.dimension] } = source;
    if (!sample || sameShape(sample, shape)) return;
    throw new ConfigError({
      subject: name === "data" ? "sample of the network" : `shape of ${name}`,
      given: name === "data" ? sample : shape,
      expected:
        name === "data" ? `[${shape.join(", ")}], the shape of the data` : `[${sample.join(", ")}], the network's`,
      remedy: "Give the network the shape of the data: arrayData(values, [count, ...shape]).",
    });
  }
  throw new ConfigError({
    subject: name === "data" ? "dimension of the network" : `dimension of ${name}`,
    given: name === "data" ? network.dimension : source.dimension,
    expected:
      name === "data" ? `${source.dimension}, the dimension of the data` : `${network.dimension}, the network's`,
    remedy: "Give the network the dimension of the data.",
  });
}

/** What speaks against the options, a sentence each. */
export function warningsOf(settings: TrainerSettings): string[] {
  const { trainingData, network, loss } = settings;
  // Losses of a user's own may train averages, and those of averages come as graphs too.
  const untrained =
    network.average && loss.name !== GRAPH ? ["This loss trains no averages for flowMapSteps(): take meanFlow()."] : [];
  if (!isArrayData(trainingData)) return untrained;
  const lost = trainingData.standardization ? undefined : lostDigits(trainingData);
  return [
    ...untrained,
    ...(lost ? [lost] : []),
    ...(trainingData.count < parameterLayout(settings.network).total ? [byHeart(settings)] : []),
  ];
}

/** What f32 may take of a coordinate's deviation. */
const LARGEST_LOSS = 0.01;

/** Of points that f32 can't tell apart, for they lie close together far from 0. */
function lostDigits(data: ArrayData): string | undefined {
  const { values, count, dimension, columns } = data;
  const { std, mean } = fitStandardization(data);
  for (const [column, deviation] of std.entries()) {
    let squares = 0;
    let varies = false;
    for (let i = column; i < values.length; i += dimension) {
      const value = values[i] as number;
      varies ||= value !== values[column];
      squares += (Math.fround(value) - value) ** 2;
    }
    if (!varies || Math.sqrt(squares / count) <= LARGEST_LOSS * deviation) continue;
    const name = columns?.[column] ? `"${printable(columns[column], 60)}"` : `${column} (from 0)`;
    return (
      `Coordinate ${name} differs by ${deviation.toPrecision(1)} about ${mean[column]?.toPrecision(3)}: of that f32, which ` +
      "devices compute in, keeps less than two digits. Standardise the data (arrayData's option standardize)."
    );
  }
  return undefined;
}

function byHeart({ network, trainingData, validation, jitter }: TrainerSettings): string {
  const { count } = trainingData as ArrayData;
  const { total } = parameterLayout(network);
  const noiseHelps = automaticJitter(count, network.dimension) > 0; // of many rows it makes models worse
  const mends = [
    ...(validation ? (validation.patience === undefined ? ["stop early"] : []) : ["hold some rows out (validation)"]),
    ...(jitter > 0 || !noiseHelps ? [] : ['add noise (jitter: "auto")']),
    "take a smaller network",
  ];
  const [last, ...others] = mends.reverse();
  const list = others.length > 0 ? `${others.reverse().join(", ")} or ${last}` : last;
  return (
    `${count} row${count === 1 ? "" : "s"} to train on, and ${total} parameters: the network can learn the rows by heart, and is then worse on ` +
    `others the longer it is trained. Against that, ${list}.`
  );
}
