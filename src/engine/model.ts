/** A model on this thread: its network's velocity field, solved forwards to sample and backwards to judge. */
import type { NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { expectHeld } from "../data/held.ts";
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import { type DivergenceOptions as Estimator, estimateCount } from "../flow/likelihood.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import { networkField } from "../flow/network-field.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Node, Shape } from "../graph/node.ts";
import { copiedOptions, optionsObject, signalOption } from "../graph/options.ts";
import { type Network, parameterLayout, parameterViews } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import { writeCheckpoint } from "../train/checkpoint.ts";
import type {
  EncodeOptions,
  Encoding,
  EvaluateLossesOptions,
  LogDensity,
  LogDensityOptions,
  LossMeans,
  Model,
  ModelCondition,
  SampleOptions,
  Samples,
  SolveOptions,
  VelocityOptions,
} from "./api.ts";
import { chunksOf } from "./chunks.ts";
import { dispose, disposed } from "./disposed.ts";
import { FieldProgram } from "./field-program.ts";
import { plainGuides } from "./guide-options.ts";
import { KeptPrograms } from "./kept-programs.ts";
import type { ModelSource } from "./model-source.ts";
import type { AskedMore, Block } from "./more-asked.ts";
import { chosenParameters, type ParametersChoice, type ParametersName } from "./parameters.ts";
import type { StillWanted } from "./plan.ts";
import { copyRows, expectFiniteResult, paddedRows, pointsOf, resultArray, timesOf } from "./points.ts";
import type { Live, LocalRuntime } from "./runtime.ts";
import { Solve, type SolveSettings } from "./solve.ts";
import {
  estimatorOf,
  optionalEstimator,
  partOf,
  solveOptionNames,
  solveOptions,
  startOf,
  stopsOf,
  tangentCount,
} from "./solve-options.ts";
import { conditionsOf, guidanceState, type Told, tellingOf, toldNodes, toldNothing } from "./told.ts";
import { densitiesOf, toDataUnits, toModelUnits } from "./units.ts";

const guiding = () => onDemand(import("./guide.ts"));

/** Evaluations of the network that one of the field is. */
const fieldsOf = ({ guided }: Told) => (guided ? 2 : 1);

export class LocalModel implements Model {
  readonly runtime: LocalRuntime;
  readonly dimension: number;
  readonly columns: readonly string[] | undefined;
  readonly shape: Shape;
  readonly conditions: Readonly<Record<string, ModelCondition>>;
  /** This and the methods below are for what is imported on demand too: see more.ts. */
  readonly source: ModelSource;
  readonly programs = new KeptPrograms(() => this.#check());
  #disposed = false;

  constructor(runtime: LocalRuntime, source: ModelSource) {
    this.runtime = runtime;
    this.source = source;
    this.dimension = source.network.dimension;
    this.columns = source.columns && Object.freeze([...source.columns]); // no caller may rename them
    this.shape = Object.freeze([...source.shape]);
    this.conditions = conditionsOf(source.network, source.facts);
    runtime.own(this);
  }

  get step(): number {
    return this.source.step();
  }

  get network(): Network {
    return this.source.network;
  }

  get path(): PathScheduler {
    return this.source.path;
  }

  /** @param block - given, the options are of rows from its first on: see {@link AskedBlock}. */
  async sample(given: SampleOptions, block?: Block): Promise<Samples> {
    const { starting, standardization } = this.source;
    if (!starting && Object(given).start !== undefined) (await onDemand(import("./start.ts"))).fromNoise();
    const options = starting ? starting.sampling(given, block) : given;
    optionsObject("options of sample", options, [
      ...solveOptionNames,
      ...(["count", "noise", "logDensity", "times", "guide", "known"] as const),
    ]);
    const { solver, seed, signal, onProgress } = solveOptions("sample", options);
    const { dimension } = this;
    const { count, noise } = startOf(options, dimension);
    const { first, total } = block ?? { first: 0, total: count };
    const divergence = optionalEstimator("sample", options.logDensity);
    const told = this.told("sample", options, count);
    const times = options.times && [...copiedNumbers("times of sample", options.times)];
    const { stops, stopOf } = stopsOf(times ?? []);
    const guides = plainGuides(options, this);
    if (block === undefined) {
      expectHeld("samples", Math.max(1, times?.length ?? 0), count, dimension);
      if (divergence) expectHeld("estimates of log-densities", count, estimateCount(divergence));
    }
    const started = performance.now();
    const sampled = this.work(options, async (live, parameters) => {
      const guide = guides && (await (await guiding()).guideOf(guides, this, standardization, total, divergence));
      const { rows } = this.blocks(total, divergence, told, guide?.passes);
      const own = block ? Math.min(rows, count) : count;
      const double = standardization !== undefined;
      const values = resultArray(own * dimension, double);
      const trajectory = times && resultArray(times.length * own * dimension, double);
      const estimates = resultArray(divergence ? own * estimateCount(divergence) : 0, true);
      const task = noise ? "decode" : "sample";
      const solve = await this.solve(
        live,
        parameters,
        { solver, rows, stops, divergence, task, guided: told.guided, guide },
        signal,
      );
      for (let from = 0; from < own; from += rows) {
        const chunk = (first + from) / rows;
        const toldRows = new Map([...told.at(from, rows), ...(guide?.at(first + from, rows) ?? [])]);
        const input = { seed, chunk, told: toldRows, onProgress: partOf(onProgress, chunk, rows, total) };
        const points = noise && paddedRows(noise, from, rows, dimension);
        await solve.run(points ? { ...input, points } : input, signal, async (stop) => {
          const wanted = stopOf.flatMap((one, i) => (one === stop ? [i] : []));
          const last = stop === stops.length - 1;
          if (wanted.length === 0 && !last) return;
          const there = toDataUnits(await solve.points(), standardization);
          if (last) guide?.finish(there, first + from);
          for (const i of wanted) copyRows(there, trajectory as NumericArray, i * own + from, (i + 1) * own, dimension);
          if (last) copyRows(there, values, from, own, dimension);
        });
        if (divergence) copyRows(await solve.estimates(), estimates, from, own, estimateCount(divergence));
      }
      expectFiniteResult(values, "samples", dimension);
      return {
        ...{ values, count: own, dimension, shape: [own, ...this.shape] },
        ...(divergence ? { logDensity: densitiesOf(estimates, divergence, standardization) } : {}),
        ...(times && trajectory ? { trajectory: { times, values: trajectory } } : {}),
        seconds: (performance.now() - started) / 1000,
      };
    });
    return guides ? sampled.catch(async (error) => (await guiding()).rethrow(error, guides)) : sampled;
  }

  /** @param block - given, the points are rows from its first on: see {@link AskedDensities}. */
  async logDensity(points: Numbers, options: LogDensityOptions = {}, block?: Block): Promise<LogDensity> {
    optionsObject("options of logDensity", options, [...solveOptionNames, "divergence", "probes"]);
    const { logDensity } = await this.#encode("logDensity", points, options, estimatorOf(options), block);
    return logDensity as LogDensity;
  }

  async encode(points: Numbers, options: EncodeOptions = {}): Promise<Encoding> {
    optionsObject("options of encode", options, [...solveOptionNames, "logDensity"]);
    return this.#encode("encode", points, options, optionalEstimator("encode", options.logDensity));
  }

  /** Carries points back to t = 0, and their log-density on the way where a divergence is given. */
  async #encode(
    of: "logDensity" | "encode",
    given: Numbers,
    options: SolveOptions,
    divergence: Required<Estimator> | undefined,
    block?: Block,
  ): Promise<Encoding> {
    const { solver, seed, signal, onProgress } = solveOptions(of, options);
    const { dimension } = this;
    const { standardization, starting } = this.source;
    if (divergence) starting?.refuse(of, { logDensity: true });
    const { values: points, count } = pointsOf("points", given, dimension);
    const { first, total } = block ?? { first: 0, total: count };
    const told = this.told(of, options, count);
    const inputs = toModelUnits(points, standardization);
    const columns = divergence ? estimateCount(divergence) : 0;
    expectHeld("estimates of log-densities", count, columns);
    const started = performance.now();
    return this.work(options, async (live, parameters) => {
      const { rows } = this.blocks(total, divergence, told);
      const values = new Float32Array(of === "encode" ? count * dimension : 0);
      const estimates = resultArray(count * columns, true);
      const settings = { solver, rows, stops: [1, 0], divergence, task: "encode", guided: told.guided } as const;
      const solve = await this.solve(live, parameters, settings, signal);
      for (let from = 0; from < count; from += rows) {
        const chunk = (first + from) / rows;
        const batch = paddedRows(inputs, from, rows, dimension);
        const input = {
          seed,
          chunk,
          points: batch,
          told: told.at(from, rows),
          onProgress: partOf(onProgress, chunk, rows, total),
        };
        await solve.run(input, signal, async () => {});
        if (of === "encode") copyRows(await solve.points(), values, from, count, dimension);
        if (divergence) copyRows(await solve.estimates(), estimates, from, count, columns);
      }
      expectFiniteResult(values, "noise", dimension);
      expectFiniteResult(estimates, "log-densities", columns);
      return {
        values,
        count,
        dimension,
        ...(divergence ? { logDensity: densitiesOf(estimates, divergence, standardization) } : {}),
        seconds: (performance.now() - started) / 1000,
      };
    });
  }

  async velocity(
    given: Numbers,
    givenTimes: Numbers,
    options: VelocityOptions = {},
  ): Promise<Float32Array | Float64Array> {
    optionsObject("options of velocity", options, ["best", "ema", "signal", "conditions", "guidance"]);
    const signal = signalOption(options.signal);
    const { dimension } = this;
    const { standardization } = this.source;
    const { values, count } = pointsOf("points", given, dimension);
    const times = timesOf("times of velocity", givenTimes, count);
    const told = this.told("velocity", options, count);
    const inputs = toModelUnits(values, standardization);
    const { network } = this.source;
    return this.work(options, async (live, parameters) => {
      const { rows, chunks } = chunksOf(count, network, 0, fieldsOf(told));
      const shared = await this.source.store(live, signal);
      const program = await this.programs.get(
        live,
        JSON.stringify({ velocity: rows, parameters, guided: told.guided }),
        () =>
          FieldProgram.build(
            shared,
            {
              ...{ rows, network, guided: told.guided, width: dimension },
              value: this.field(parameters, rows, told.guided),
            },
            this.stillWanted(signal),
          ),
      );
      const result = resultArray(count * dimension, standardization !== undefined);
      for (let chunk = 0; chunk < chunks; chunk++) {
        signal?.throwIfAborted();
        const from = chunk * rows;
        const velocities = await program.run(
          paddedRows(inputs, from, rows, dimension),
          paddedRows(times, from, rows, 1),
          told.at(from, rows),
        );
        copyRows(velocities, result, from, count, dimension);
      }
      standardization?.std.forEach((std, column) => {
        for (let i = column; i < result.length; i += dimension) result[i] = (result[i] as number) * std;
      });
      return result;
    });
  }

  /** What few pages ask: see more.ts. */
  async more(points: NumericArray | undefined, options: AskedMore): Promise<unknown> {
    return (await onDemand(import("./more.ts"))).answer(this, points, options);
  }

  /** See {@link Runtime.evaluateLosses}. */
  async evaluateLosses(given: EvaluateLossesOptions): Promise<LossMeans> {
    const options = copiedOptions(given);
    const { evaluationOf, meanLosses } = await onDemand(import("./evaluate-losses.ts"));
    const evaluation = await evaluationOf(this.source, options, await tellingOf(this.network, Object(options).data));
    return this.work(options, async (live, parameters) =>
      meanLosses(
        await this.source.store(live, evaluation.signal),
        this.#views(parameters),
        evaluation,
        this.stillWanted(evaluation.signal),
      ),
    );
  }

  async checkpoint(): Promise<Uint8Array> {
    this.#check();
    try {
      return writeCheckpoint(await this.source.lock.run(() => this.source.record()));
    } finally {
      this.#check();
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.programs.dispose();
    this.source.dispose();
    this.runtime.release(this);
  }

  [dispose](): void {
    this.dispose();
  }

  /** Whether to go on with a plan. */
  stillWanted(signal: AbortSignal | undefined): StillWanted {
    return () => {
      this.#check();
      signal?.throwIfAborted();
    };
  }

  told(of: string, { conditions, guidance }: Pick<SolveOptions, "conditions" | "guidance">, count: number): Told {
    const { network, facts, telling } = this.source;
    if (!telling) return toldNothing(of, conditions, guidance);
    return telling.toldBy(of, conditions, { network, facts, count }, guidance);
  }

  /** How `total` points are cut: so many are solved at once. */
  blocks(total: number, divergence: Required<Estimator> | undefined, told: Told, passes = 1) {
    const tangents = tangentCount(divergence, this.dimension);
    return chunksOf(total, this.source.network, tangents, fieldsOf(told) * passes);
  }

  /** The velocity of `rows` points, as it is or guided by what they are told. */
  field(parameters: string, rows: number, guided: boolean): VelocityField {
    const { network, telling } = this.source;
    const told = toldNodes(network, rows);
    if (!guided || !told || !telling) return networkField(network, parameters, told);
    return telling.guidedField(network, this.#views(parameters), told, state(guidanceState(rows)));
  }

  #check(): void {
    if (this.#disposed) throw disposed("the model");
  }

  /** Does device work under the lock, with the state that holds the parameters asked for. */
  async work<Result>(
    { signal, ...choice }: ParametersChoice & { readonly signal?: AbortSignal },
    work: (live: Live, parameters: ParametersName) => Promise<Result>,
  ): Promise<Result> {
    this.#check();
    const { kept, lock } = this.source;
    chosenParameters(choice, kept());
    signal?.throwIfAborted();
    try {
      return await lock.run(() =>
        this.runtime.use(async (live) => {
          this.#check();
          signal?.throwIfAborted();
          return work(live, chosenParameters(choice, kept())); // as they are now: a trainer may have gone on
        }, signal),
      );
    } finally {
      this.#check(); // what went wrong after dispose() is its doing
    }
  }

  async solve(
    live: Live,
    parameters: string,
    { guide, ...settings }: Omit<SolveSettings, "field" | "network" | "path" | "dimension">,
    signal: AbortSignal | undefined,
  ): Promise<Solve> {
    const { network, path } = this.source;
    const shared = await this.source.store(live, signal);
    const { name, options } = settings.solver;
    return this.programs.get(
      live,
      JSON.stringify({ ...settings, solver: { name, options }, parameters, guide: guide?.key }),
      () => {
        const field = this.field(parameters, settings.rows, settings.guided);
        return Solve.build(
          shared,
          {
            ...{ ...settings, network, path, dimension: guide?.dimension ?? this.dimension, guide },
            field: guide?.field(field, settings.rows) ?? field,
          },
          this.stillWanted(signal),
        );
      },
    );
  }

  #views(parameters: string): Map<string, Node> {
    const layout = parameterLayout(this.source.network);
    return parameterViews(state({ name: parameters, shape: [layout.total], dtype: "f32" }), layout);
  }
}
