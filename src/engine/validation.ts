/**
 * What a model makes of rows that it is not trained on, worked out on the device while it is trained. Imported on demand.
 *
 * Everything that is drawn here is drawn once for a run, from streams of its own: two validations differ by the
 * parameters alone, and training does not notice them.
 */
import type { NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { type ArrayData, arrayRows, isArrayData, rowsOf } from "../data/array.ts";
import { sampleRows } from "../data/sample.ts";
import type { DataCondition, DataSource } from "../data/source.ts";
import { someRows } from "../data/split.ts";
import { logJacobian, standardize } from "../data/standardize.ts";
import { type DivergenceOptions, estimateCount, summarizeEstimates } from "../flow/likelihood.ts";
import { networkField } from "../flow/network-field.ts";
import { rk4 } from "../flow/solvers/rk4.ts";
import { sizeOf } from "../graph/node.ts";
import { conditionValues } from "../nn/conditions.ts";
import { type Network, parameterLayout, parameterViews } from "../nn/network.ts";
import { gather } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { state } from "../ops/sources.ts";
import type { ValidationMetrics } from "../train/validation.ts";
import { chunksOf } from "./chunks.ts";
import { LossProgram, states } from "./evaluate-losses.ts";
import type { Rows } from "./pair-rows.ts";
import type { Paired } from "./pairing.ts";
import type { StillWanted } from "./plan.ts";
import { paddedRows } from "./points.ts";
import { Solve, type SolveSettings } from "./solve.ts";
import { tangentCount } from "./solve-options.ts";
import type { StateStore } from "./state-store.ts";
import { Told, type ToldValue, toldNodes } from "./told.ts";
import { heldOutDivergence, type TrainerSettings, type ValidationSettings } from "./trainer-settings.ts";

/** Rows held out that losses are taken on, at most; of more, so many drawn by seed. */
const MOST_ROWS = 4096;

/** Draws of time and noise in all, at least: few rows are taken several times each, all equally often. */
const LEAST_DRAWS = 4096;

/** Rows whose likelihood is computed, at most. */
const MOST_JUDGED = 1024;

/** A likelihood costs as much as many steps, so only every so many validations have one, unless it is the criterion. */
const JUDGED_EVERY = 10;

/** Steps of rk4 from data to noise. The error is a hundredth of what rows differ by: see docs/data.md. */
const SOLVER_STEPS = 16;

/** Number of the draw of rows, where not all held out are looked at: the split itself is 0. */
const ROWS_DRAW = 1;

interface JudgedRows {
  /** In model units. */
  readonly points: NumericArray;
  readonly told: Told;
  readonly judged: number;
  readonly divergence: Required<DivergenceOptions>;
}

export class Validator {
  readonly #settings: TrainerSettings & { readonly validation: ValidationSettings };
  readonly #losses: LossProgram;
  /** Undefined where starts have no density. */
  readonly #solve: Solve | undefined;
  /** In model units, and how many are judged. */
  readonly #points: NumericArray;
  readonly #told: Told;
  readonly #judged: number;
  readonly #divergence: Required<DivergenceOptions>;

  private constructor(
    settings: TrainerSettings & { readonly validation: ValidationSettings },
    losses: LossProgram,
    solve: Solve | undefined,
    { points, told, judged, divergence }: JudgedRows,
  ) {
    this.#settings = settings;
    this.#losses = losses;
    this.#solve = solve;
    this.#points = points;
    this.#told = told;
    this.#judged = judged;
    this.#divergence = divergence;
  }

  /** @param shared - holds "parameters", and "ema" where there is an average. */
  static async build(
    shared: StateStore,
    settings: TrainerSettings,
    validation: ValidationSettings,
    stillWanted: StillWanted,
  ): Promise<Validator> {
    const { network, path, loss, ema, seed, trainingData, paired } = settings;
    const { dimension } = network;
    const { standardization } = trainingData;
    const source = heldOut(validation.source, seed);
    const points = standardization ? standardize(source.values, standardization) : source.values;
    const known = knownInModelUnits(source.conditions, trainingData);
    const parameters = ema ? "ema" : "parameters";
    const layout = parameterLayout(network);
    const views = parameterViews(state({ name: parameters, shape: [layout.total], dtype: "f32" }), layout);

    const { rows, chunks } = chunksOf(source.count, network, tangentsOf(loss.options, dimension));
    const batchSize = chunks === 1 ? rows : Math.floor(source.count / chunks);
    const taken = batchSize * chunks;
    const rounds = Math.ceil(LEAST_DRAWS / taken);
    const batches = rounds * chunks;
    const order = orderOf(taken, rounds);
    const data = paired?.starting
      ? await pairedBatches(
          { points, known, rows: source.rows },
          { ...settings, paired, batches, batchSize, together: settings.batchSize, order },
          stillWanted,
        )
      : heldOutBatches(
          points.subarray(0, taken * dimension),
          { known, conditions: trainingData.conditions },
          { dimension, batchSize, batches, order },
        );
    const losses = await LossProgram.build(
      shared,
      views,
      { network, path, loss, data, batchSize, batches, seed, standardization: undefined, facts: {} },
      "validation",
      stillWanted,
    );
    try {
      const judged = Math.min(source.count, MOST_JUDGED);
      const divergence = heldOutDivergence(dimension);
      const { rows } = chunksOf(judged, network, tangentCount(divergence, dimension));
      const judging: SolveSettings = {
        ...{ network, path, dimension, divergence, rows },
        field: networkField(network, parameters, toldNodes(network, rows)),
        solver: rk4({ steps: SOLVER_STEPS }),
        stops: [1, 0],
        guided: false,
        task: "encode",
      };
      const solve = paired?.start ? undefined : await Solve.build(shared, judging, stillWanted);
      const told = toldRows(network, known);
      return new Validator({ ...settings, validation }, losses, solve, { points, told, judged, divergence });
    } catch (error) {
      losses.dispose();
      throw error;
    }
  }

  /** What the model is worth after `step` steps. Throws the signal's reason when that is aborted. */
  async metrics(step: number, signal: AbortSignal | undefined): Promise<Omit<ValidationMetrics, "best">> {
    const { by, every } = this.#settings.validation;
    const { velocityLoss, divergenceLoss } = await this.#losses.run(signal);
    const isJudged = this.#solve && (by === "negativeLogLikelihood" || (step / every) % JUDGED_EVERY === 0);
    return { step, velocityLoss, divergenceLoss, ...(isJudged ? await this.#judge(this.#solve, signal) : {}) };
  }

  dispose(): void {
    this.#losses.dispose();
    this.#solve?.dispose();
  }

  /** The mean negative log-likelihood, and its standard error over rows. */
  async #judge(solve: Solve, signal: AbortSignal | undefined) {
    const { network, seed, trainingData } = this.#settings;
    const { dimension } = network;
    const { rows, chunks } = chunksOf(this.#judged, network, tangentCount(this.#divergence, dimension));
    const columns = estimateCount(this.#divergence);
    const jacobian = trainingData.standardization ? logJacobian(trainingData.standardization) : 0;
    const values: number[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) {
      const points = paddedRows(this.#points, chunk * rows, rows, dimension);
      const told = this.#told.at(chunk * rows, rows);
      await solve.run({ seed, chunk, points, told }, signal, async () => {});
      const there = Math.min(rows, this.#judged - chunk * rows);
      const estimates = (await solve.estimates()).subarray(0, there * columns);
      for (const value of summarizeEstimates(estimates, this.#divergence).values) values.push(-(value + jacobian));
    }
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    if (count === 1) return { negativeLogLikelihood: mean }; // of a single row there is no telling how sure that is
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { negativeLogLikelihood: mean, standardError: Math.sqrt(squares / (count - 1) / count) };
  }
}

interface HeldOut extends Pick<ArrayData, "values" | "count"> {
  /** What is known of each row, in data units, by name. */
  readonly conditions: Readonly<Record<string, NumericArray>>;
  /** Their numbers among the rows held out; undefined: all in order, or none of them. */
  readonly rows: Uint32Array | undefined;
}

/** The rows that are looked at, in data units. */
function heldOut(source: DataSource, seed: number): HeldOut {
  if (!isArrayData(source)) return { ...sampleRows(source, MOST_ROWS, seed), count: MOST_ROWS, rows: undefined };
  const rows = source.count <= MOST_ROWS ? undefined : someRows(source.count, MOST_ROWS, seed, ROWS_DRAW);
  const { values, count, conditionValues = {} } = rows ? arrayRows(source, rows) : source;
  return { values, count, conditions: conditionValues, rows };
}

/** What is known of rows, in the units of the data trained on. */
function knownInModelUnits(
  known: HeldOut["conditions"],
  { conditions = {} }: DataSource,
): Readonly<Record<string, NumericArray>> {
  return Object.fromEntries(
    Object.entries(known).map(([name, values]) => {
      const units = conditions[name]?.standardization;
      return [name, units ? standardize(values, units) : values];
    }),
  );
}

/**
 * Numbers of rows in the order that they are taken in, `rounds` times: a round is the rows in order, each begins elsewhere, since
 * some losses look at the first rows of a batch alone.
 */
function orderOf(count: number, rounds: number): Uint32Array {
  return Uint32Array.from({ length: count * rounds }, (_, i) => {
    const round = Math.floor(i / count);
    return (i + Math.floor((round * count) / rounds)) % count;
  });
}

/** The same as pairs: of a batch's rows with starts that are drawn for it, or that were given with them. */
async function pairedBatches(
  {
    points,
    known,
    rows,
  }: { readonly points: NumericArray; readonly known: HeldOut["conditions"] } & Pick<HeldOut, "rows">,
  of: Pick<TrainerSettings, "trainingData" | "seed" | "network"> & {
    readonly paired: Paired;
    readonly batches: number;
    readonly batchSize: number;
    readonly together: number;
    readonly order: Uint32Array;
  },
  stillWanted: StillWanted,
): Promise<DataSource> {
  const { trainingData, paired, seed, batches, batchSize, order } = of;
  const { dimension, standardization } = trainingData;
  const { drawing, judgedPairs } = await onDemand(import("./judged-pairs.ts"));
  const { coupling, start, heldOut } = paired;
  const starts = heldOut && (standardization ? standardize(heldOut, standardization) : heldOut);
  const draw = drawing({ data: trainingData, start, batchSize, seed, use: "validation" }, false);
  const made = await judgedPairs({
    ...{ data: trainingData, coupling, seed, use: "validation", batches, batchSize, together: of.together },
    rowsAt(batch) {
      const numbers = order.subarray(batch * batchSize, (batch + 1) * batchSize);
      const conditions = Object.entries(known).map(
        ([name, values]) =>
          [name, rowsOf(Float64Array.from(values), numbers, values.length / (points.length / dimension))] as const,
      );
      const own = { points: rowsOf(Float64Array.from(points), numbers, dimension), conditions: new Map(conditions) };
      if (!starts) return { own, from: draw(batch).start as Rows };
      const given = rows ? numbers.map((number) => rows[number] as number) : numbers;
      return { own, from: { points: rowsOf(Float64Array.from(starts), given, dimension), conditions: new Map() } };
    },
    stillWanted: () => stillWanted(0, 0),
  });
  const { standardization: _, conditions: _1, ...inModelUnits } = made; // as the rows are here: nothing is to be changed
  return inModelUnits;
}

/** Batches of points [n, D] that take them in this order. */
function heldOutBatches(
  points: NumericArray,
  { known, conditions = {} }: { readonly known: HeldOut["conditions"] } & Pick<DataSource, "conditions">,
  of: {
    readonly dimension: number;
    readonly batchSize: number;
    readonly batches: number;
    readonly order: Uint32Array;
  },
): DataSource {
  const { dimension, batches, order } = of;
  const count = points.length / dimension;
  const told = Object.entries(known).map(([name, values]) => {
    const { shape, classes } = conditions[name] as DataCondition;
    const dtype = classes === undefined ? "f32" : "u32";
    const own = values.subarray(0, count * sizeOf(shape));
    return {
      ...({ name, shape, dtype } as const),
      state: `data.heldOut.${name}`,
      values: dtype === "u32" ? Uint32Array.from(own) : Float32Array.from(own),
    };
  });
  return {
    name: "held-out",
    options: {},
    dimension,
    state: new Map<string, Float32Array | Uint32Array>([
      ["data.heldOut", Float32Array.from(points)],
      ["data.order", order],
      ...told.map(({ state, values }) => [state, values] as const),
    ]),
    draw({ rows, state }) {
      const { name, shape, dtype } = states.batch;
      const numbers = gather(state("data.order", [batches, rows], "u32"), state(name, shape, dtype));
      const row = reshape(numbers, [rows]);
      const drawn = gather(state("data.heldOut", [count, dimension], "f32"), row);
      if (told.length === 0) return drawn;
      return {
        points: drawn,
        conditions: new Map(
          told.map((one) => [one.name, gather(state(one.state, [count, ...one.shape], one.dtype), row)]),
        ),
      };
    },
  };
}

/** Directions that a loss takes derivatives along, by its options; one where they do not say. */
function tangentsOf(options: Readonly<Record<string, unknown>>, dimension: number): number {
  const { estimator, probes } = options;
  return Math.max(1, estimator === "exact" ? dimension : 1, Number(probes) || 1);
}

/** What rows are told whose conditions are known, in model units, by name. */
function toldRows({ conditions }: Network, rows: Readonly<Record<string, NumericArray>>): Told {
  return new Told(
    conditionValues(conditions).map(({ name, shape, dtype }): ToldValue => {
      const values = rows[name] ?? Float32Array.of(1); // all are told
      return { state: `told.${name}`, dtype, width: sizeOf(shape), values };
    }),
  );
}
