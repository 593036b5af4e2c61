/** Losses of a model on fresh batches, without training: how two models are held against each other. */
import type { Executable } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { inUnits, isArrayData, madeArray } from "../data/array.ts";
import { expectDrawable } from "../data/drawable.ts";
import { drawnOnHost } from "../data/sample.ts";
import type { DataSource } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { integerOption, optionsObject, partOption, signalOption } from "../graph/options.ts";
import { add, increment, multiply } from "../ops/arithmetic.ts";
import { replaceRow } from "../ops/rows.ts";
import { concat, reshape } from "../ops/shape.ts";
import { constant, state, table } from "../ops/sources.ts";
import type { BatchUse } from "../ops/streams.ts";
import { seedOf } from "../ops/threefry.ts";
import { type BatchOptions, buildBatchLosses } from "../train/batch.ts";
import type { ConditionFacts } from "../train/checkpoint.ts";
import type { EvaluateLossesOptions, LossMeans } from "./api.ts";
import { loaded } from "./loaded.ts";
import type { ModelSource } from "./model-source.ts";
import { Pace, runPaced } from "./pace.ts";
import type { StillWanted } from "./plan.ts";
import { expectLossFits } from "./sizes.ts";
import { StateStore } from "./state-store.ts";
import type { Telling } from "./told.ts";

export interface LossProgramOptions extends BatchOptions {
  readonly batches: number;
  readonly seed: number;
  /** The model's own. */
  readonly standardization: Standardization | undefined;
  readonly facts: ConditionFacts;
}

export interface LossEvaluation extends LossProgramOptions {
  readonly signal: AbortSignal | undefined;
}

const columns = ["loss", "velocityLoss", "divergenceLoss"] as const;

/** @param parameters - of the network, by name, as views of a state in `shared`. */
export async function meanLosses(
  shared: StateStore,
  parameters: ReadonlyMap<string, Node>,
  options: LossEvaluation,
  stillWanted: StillWanted,
): Promise<LossMeans> {
  const program = await LossProgram.build(shared, parameters, options, "evaluation", stillWanted);
  try {
    return await program.run(options.signal);
  } finally {
    program.dispose();
  }
}

/** The losses of a number of batches, which are the same at each run. */
export class LossProgram {
  readonly #options: LossProgramOptions;
  readonly #store: StateStore;
  readonly #executable: Executable;
  readonly #pace = new Pace();

  private constructor(options: LossProgramOptions, store: StateStore, executable: Executable) {
    this.#options = options;
    this.#store = store;
    this.#executable = executable;
  }

  static async build(
    shared: StateStore,
    parameters: ReadonlyMap<string, Node>,
    options: LossProgramOptions,
    use: BatchUse,
    stillWanted: StillWanted,
  ): Promise<LossProgram> {
    const { network, loss, batchSize, data } = options;
    const numbers = [...(data.state?.values() ?? [])].reduce((total, { length }) => total + length, 0);
    expectLossFits({ network, loss, batchSize, vectors: 1, reverse: false, data: numbers }, shared.backend.limits);
    const store = new StateStore(shared.backend);
    try {
      const executable = await loaded(shared, store, evaluationGraph(parameters, options, use), stillWanted);
      for (const [name, values] of options.data.state ?? []) store.write(name, values);
      store.write(states.seed.name, Uint32Array.from(seedOf(options.seed)));
      return new LossProgram(options, store, executable);
    } catch (error) {
      store.dispose();
      throw error;
    }
  }

  async run(signal: AbortSignal | undefined): Promise<LossMeans> {
    const { batches } = this.#options;
    const store = this.#store;
    store.write(states.batch.name, Uint32Array.of(0));
    await runPaced(store.backend, this.#executable, batches, this.#pace, { signal });
    signal?.throwIfAborted();
    const rows = await store.read(ROWS);
    const mean = (column: number) => {
      let total = 0;
      for (let batch = 0; batch < batches; batch++) total += rows[batch * columns.length + column] as number;
      return total / batches;
    };
    return Object.fromEntries(columns.map((name, column) => [name, mean(column)])) as unknown as LossMeans;
  }

  dispose(): void {
    this.#executable.dispose();
    this.#store.dispose();
  }
}

/** States of every such program; "evaluate.batch" is the number of the batch. */
export const states = {
  seed: { name: "evaluate.seed", shape: [2], dtype: "u32" },
  batch: { name: "evaluate.batch", shape: [1], dtype: "u32" },
} as const;
const ROWS = "evaluate.rows";

/** One batch: its losses become a row, and the next batch's number is one more. */
function evaluationGraph(parameters: ReadonlyMap<string, Node>, options: LossProgramOptions, use: BatchUse): Graph {
  const { batches, data, standardization, facts } = options;
  const counter = state(states.batch);
  const random = { seed: state(states.seed), counter, use };
  const losses = buildBatchLosses(options, parameters, random, {
    points: (x) => changeUnits(x, data.standardization, standardization),
    condition: (name, value) =>
      changeUnits(value, data.conditions?.[name]?.standardization, facts[name]?.standardization),
  });
  const row = concat(
    columns.map((name) => reshape(losses[name] ?? constant(0), [1])),
    0,
  );
  const rows = { name: ROWS, shape: [batches, columns.length], dtype: "f32" } as const;
  return {
    name: `${options.loss.name}-evaluation`,
    updates: [
      { state: rows, value: replaceRow(state(rows), counter, row) },
      { state: states.batch, value: increment(counter) },
    ],
  };
}

/** Values [B, ...] in units of one standardisation to those of another, which other data may have given a model. */
function changeUnits(x: Node, from: Standardization | undefined, to: Standardization | undefined): Node {
  if (JSON.stringify(from) === JSON.stringify(to)) return x;
  const each = x.shape.slice(1);
  const size = sizeOf(each);
  const unit = { mean: new Array<number>(size).fill(0), std: new Array<number>(size).fill(1) };
  const [old, next] = [from ?? unit, to ?? unit];
  const scale = old.std.map((std, i) => std / (next.std[i] as number));
  const shift = old.mean.map((mean, i) => (mean - (next.mean[i] as number)) / (next.std[i] as number));
  return add(multiply(x, table(scale, [1, ...each])), table(shift, [1, ...each]));
}

/** Means so many deviations from 0 leave f32 some 13 bits of a deviation. */
const FAR = 2 ** 10;

/** Points of a source that are drawn on the host at most: beyond it they are drawn from these. */
const MOST_DRAWN = 1 << 16;

/**
 * The data in the units of a model with this standardisation. The device draws in f32, which has no digit left of points
 * that lie far from 0: those of a source without units of its own are then drawn here, in f64.
 */
function inModelUnits(
  data: DataSource,
  standardization: Standardization | undefined,
  { batchSize, batches, seed }: { readonly batchSize: number; readonly batches: number; readonly seed: number },
): DataSource {
  const isFar = standardization?.std.some((std, i) => Math.abs(standardization.mean[i] as number) > FAR * std);
  if (!isFar || isArrayData(data) || data.standardization || data.conditions) return inUnits(data, standardization);
  const count = Math.min(batchSize * batches, MOST_DRAWN);
  const options = { count, dimension: data.dimension, standardize: true };
  return madeArray({ values: drawnOnHost(data, count, seed), options }, standardization);
}

/**
 * What `options` ask of a model, complete, with data in its units.
 *
 * @throws {@link ConfigError} when an option is unknown or out of range, or the data are of another dimension.
 */
export async function evaluationOf(
  model: Pick<LossEvaluation, "network" | "path" | "standardization" | "facts"> & Pick<ModelSource, "starting">,
  options: EvaluateLossesOptions,
  telling: Telling | undefined,
): Promise<LossEvaluation> {
  const known = [
    "data",
    "start",
    "coupling",
    "path",
    "loss",
    "batchSize",
    "batches",
    "seed",
    "best",
    "ema",
    "signal",
  ] as const;
  optionsObject("options of evaluateLosses", options, known);
  const { network, standardization, facts } = model;
  const { dimension } = network;
  const { path = model.path, batchSize = 512, batches = 20, seed = 0 } = options;
  const signal = signalOption(options.signal);
  partOption("data of evaluateLosses", options.data, "draw", "arrayData(points)");
  partOption("loss of evaluateLosses", options.loss, "build", "fdm()");
  partOption("path of evaluateLosses", path, "at", "condOT()");
  const loss = options.loss.forNetwork?.(network, path) ?? options.loss;
  integerOption("batchSize of evaluateLosses", batchSize, 1, 1 << 20);
  integerOption("batches of evaluateLosses", batches, 1, 1 << 20);
  integerOption("seed of evaluateLosses", seed, 0);
  if (options.data.dimension !== dimension) {
    throw new ConfigError({
      subject: "dimension of the data",
      given: options.data.dimension,
      expected: `${dimension}, the model's`,
      remedy: "Evaluate on data of the same kind as trained on.",
    });
  }
  expectDrawable("data of evaluateLosses", options.data);
  const data = telling?.toldData("the data", network, options.data) ?? options.data;
  telling?.expectSameNames("the data", data, facts, "the model");
  const units = inModelUnits(data, standardization, { batchSize, batches, seed });
  const { starting } = model;
  if (loss.readsScore && !path.between) starting?.refuse("evaluateLosses", { score: `loss ${loss.name}` });
  const { start, coupling } = options;
  const isPlain = !starting && start === undefined && coupling === undefined;
  const evaluation = { network, path, loss, data: units, batchSize, batches, seed, signal };
  const started = isPlain
    ? units
    : await (await onDemand(import("./judged-pairs.ts"))).judgedData({ ...evaluation, starting, start, coupling });
  return { ...evaluation, standardization, facts, data: started };
}
