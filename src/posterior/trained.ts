/** What users hold of a trained posterior: samples, log-densities, modes and checks, for one observation or any. */
import type { Numbers } from "../data/numbers.ts";
import { intervalCoverage, sbc, tarp } from "../diagnostics/calibration.ts";
import type { DivergenceOptions, LogDensity, Model } from "../engine/api.ts";
import { dispose } from "../engine/disposed.ts";
import { ConfigError } from "../errors.ts";
import { integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { climbed } from "../likelihoods/mode.ts";
import { type LogDensityInterval, logDensityGradient, logDensityInterval } from "../likelihoods/parts.ts";
import { type ObservationFacts, type PosteriorFacts, withFacts } from "./file.ts";
import { expectShape, observedNumbers, unlikeSimulations } from "./observation.ts";
import type { JointPrior, ParametersGiven, ParameterTable } from "./parameters.ts";
import type { Prior, Priors } from "./priors.ts";
import type {
  AskOptions,
  ParameterSummary,
  PosteriorCalibration,
  PosteriorCalibrationOptions,
  PosteriorMode,
  PosteriorModeOptions,
  PosteriorSampleOptions,
  PosteriorSamples,
  PosteriorSummaryOptions,
} from "./questions.ts";
import { type Simulated, type Simulator, simulations } from "./simulate.ts";
import { logJacobianSlope } from "./transforms.ts";

/** Of each z: beyond it a mode is at the bound. 1e-4 of the prior lie farther out, where few simulations were. */
const FARTHEST = 3.7;

const askNames = ["observation", "solver", "seed", "signal", "best", "ema", "onProgress"] as const;

/** How a posterior came about. */
export interface PosteriorParts<Given extends Prior | Priors> {
  readonly table: ParameterTable;
  readonly prior: JointPrior<Given> | undefined;
  readonly simulate: Simulator<Given> | undefined;
  readonly observation: ObservationFacts;
  readonly seed: number;
}

/** A trained posterior. It holds device memory until it is disposed of. */
export class Posterior<Given extends Prior | Priors = Priors> implements Disposable {
  /** The flow, in coordinates without bounds: standard normal where the posterior is the prior. */
  readonly model: Model;
  readonly #parts: PosteriorParts<Given>;

  constructor(model: Model, parts: PosteriorParts<Given>) {
    this.model = model;
    this.#parts = parts;
  }

  /** Numbers of the parameters, D. */
  get dimension(): number {
    return this.#parts.table.dimension;
  }

  /** Names of the D numbers. */
  get columns(): readonly string[] {
    return this.#parts.table.columns;
  }

  /**
   * Draws parameters given what was observed. None leaves the prior's bounds, by construction: nothing is rejected.
   *
   * @throws {@link DataError} when the observation has another shape than simulations.
   */
  async sample(options: PosteriorSampleOptions = {}): Promise<PosteriorSamples> {
    const given = optionsObject("options of sample", options, ["count", ...askNames]);
    const { count = 1000, observation, ...solve } = given;
    const { values, warnings } = this.#observed(observation);
    const { values: z } = await this.model.sample({ ...solve, count, conditions: { observation: values } });
    return this.#samples(z, warnings);
  }

  #samples(z: ArrayLike<number>, warnings: readonly string[]): PosteriorSamples {
    const { table } = this.#parts;
    const values = table.fromLine(z);
    const count = values.length / table.dimension;
    return {
      ...{ values, count, dimension: table.dimension, shape: [count, table.dimension], columns: table.columns },
      ...{ parameters: table.byName(values), warnings },
    };
  }

  /**
   * Log-densities of parameters given what was observed, normalised over the prior's bounds, in nats and the parameters' own units:
   * the Jacobians of transforms are in it. Outside the bounds -Infinity. At the very ends of intervals they are extrapolated.
   *
   * @param parameters - rows [count, D], or by name.
   * @param options - also `divergence` and `probes`, as of `model.logDensity`.
   * @throws {@link DataError} when a parameter is missing, or the observation has another shape than simulations.
   */
  async logDensity(parameters: ParametersGiven, options: AskOptions & DivergenceOptions = {}): Promise<LogDensity> {
    const given = optionsObject("options of logDensity", options, ["divergence", "probes", ...askNames]);
    const { observation, ...solve } = given;
    const conditions = { observation: this.#observed(observation).values };
    return this.#withJacobian("logDensity", parameters, (z) => this.model.logDensity(z, { ...solve, conditions }));
  }

  /** The same from independent probes, with an interval of each: {@link logDensityInterval} of divflow/likelihoods. */
  async logDensityInterval(
    parameters: ParametersGiven,
    options: AskOptions & { readonly probes?: number; readonly level?: number } = {},
  ): Promise<LogDensityInterval> {
    const given = optionsObject("options of logDensityInterval", options, ["probes", "level", ...askNames]);
    const { observation, ...solve } = given;
    const conditions = { observation: this.#observed(observation).values };
    return this.#withJacobian("logDensityInterval", parameters, (z) =>
      logDensityInterval(this.model, z, { ...solve, conditions }),
    );
  }

  /** What `ask` says of the rows within the bounds, moved by the Jacobian; -Infinity of the others. */
  async #withJacobian<Result extends LogDensity & { readonly lower?: Float64Array; readonly upper?: Float64Array }>(
    subject: string,
    parameters: ParametersGiven,
    ask: (z: Float64Array) => Promise<Result>,
  ): Promise<Result> {
    const { table } = this.#parts;
    const { dimension } = table;
    const z = table.toLine(table.rows(`parameters of ${subject}`, parameters));
    const count = z.length / dimension;
    const inside = Array.from({ length: count }, (_, i) => i).filter((i) => !Number.isNaN(z[i * dimension]));
    const asked = new Float64Array(Math.max(1, inside.length) * dimension); // all outside: one point that is not used
    for (const [k, i] of inside.entries()) asked.set(z.subarray(i * dimension, (i + 1) * dimension), k * dimension);
    const found = await ask(asked);
    const jacobian = table.logJacobian(asked);
    const spread = (of: Float64Array, moved: boolean) => {
      const all = new Float64Array(count).fill(moved ? Number.NEGATIVE_INFINITY : 0);
      for (const [k, i] of inside.entries()) all[i] = (of[k] as number) + (moved ? (jacobian[k] as number) : 0);
      return all;
    };
    return {
      ...found,
      values: spread(found.values, true),
      standardError: spread(found.standardError, false),
      ...(found.lower ? { lower: spread(found.lower, true) } : {}),
      ...(found.upper ? { upper: spread(found.upper, true) } : {}),
    };
  }

  /**
   * The most probable parameters, by ascent from samples: of the density in the parameters' own units. Towards a bound it stops where
   * one in 10,000 draws of the prior lies farther out, and says so.
   */
  async mode(options: PosteriorModeOptions = {}): Promise<PosteriorMode> {
    const given = optionsObject("options of mode", options, ["starts", "iterations", ...askNames]);
    const { starts = 20, iterations = 50, observation, onProgress: _, ...solve } = given;
    integerOption("starts of mode", starts);
    integerOption("iterations of mode", iterations);
    const { table } = this.#parts;
    const { dimension } = table;
    const conditions = { observation: this.#observed(observation).values };
    const first = await this.model.sample({ ...solve, count: starts, conditions });
    const limits = table.transforms.map(({ kind }) => (kind === "unbounded" ? Number.POSITIVE_INFINITY : FARTHEST));
    const clamped = (z: number, at: number) => {
      const limit = limits[at % dimension] as number;
      return Math.min(limit, Math.max(-limit, z));
    };
    const evaluate = async (points: Float64Array) => {
      const z = points.map(clamped);
      const { values, gradient } = await logDensityGradient(this.model, z, { ...solve, conditions });
      const jacobian = table.logJacobian(z);
      return {
        values: values.map((value, i) => value + (jacobian[i] as number)),
        gradient: gradient.map((slope, at) => {
          const transform = table.transforms[at % dimension] as (typeof table.transforms)[number];
          return z[at] === points[at] ? slope + logJacobianSlope(transform, z[at] as number) : 0; // flat beyond
        }),
      };
    };
    const begin = Float64Array.from(first.values, clamped);
    const modes = await climbed(evaluate, begin, { dimension, iterations, tolerance: 1e-4 });
    const best = modes.logDensity.reduce(
      (most, value, i) => (value > (modes.logDensity[most] as number) ? i : most),
      0,
    );
    const z = modes.values.slice(best * dimension, (best + 1) * dimension).map(clamped);
    const values = table.fromLine(z);
    return {
      ...{ parameters: table.byName(values), values, logDensity: modes.logDensity[best] as number },
      converged: modes.converged[best] as boolean,
      atBound: table.columns.filter((_name, k) => Math.abs(z[k] as number) >= (limits[k] as number) - 1e-6),
    };
  }

  /** Mean, deviation, median and a central interval of each number, from samples. */
  async summary(options: PosteriorSummaryOptions = {}): Promise<readonly ParameterSummary[]> {
    const { level = 0.9, ...rest } = optionsObject("options of summary", options, ["level", "count", ...askNames]);
    numberOption("level of summary", level, { minimum: 0, maximum: 1, open: "both" });
    const { values, count, dimension, columns } = await this.sample(rest);
    return columns.map((name, k) => {
      const own = Float64Array.from({ length: count }, (_, i) => values[i * dimension + k] as number).sort();
      const mean = own.reduce((sum, value) => sum + value / count, 0);
      const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2 / count, 0));
      const at = (share: number) => {
        const place = share * (count - 1);
        const below = Math.floor(place);
        const [low, high] = [own[below] as number, own[Math.min(count - 1, below + 1)] as number];
        return low + (high - low) * (place - below);
      };
      return { name, mean, deviation, median: at(0.5), lower: at((1 - level) / 2), upper: at((1 + level) / 2) };
    });
  }

  /**
   * Whether posteriors are right over the prior, by fresh simulations: each one's parameters beside draws of the posterior given its
   * data. docs/diagnostics.md says how to read ranks and curves.
   *
   * @throws {@link ConfigError} when the simulator is not at hand: give it to loadPosterior.
   */
  async calibrate(options: PosteriorCalibrationOptions = {}): Promise<PosteriorCalibration> {
    const own = ["simulations", "draws", "concurrency"] as const;
    const given = optionsObject("options of calibrate", options, [...own, ...askNames.slice(1)] as never);
    const { simulations: count = 200, draws = 100, concurrency = 1, seed = this.#parts.seed, ...solve } = given;
    integerOption("draws of calibrate", draws);
    const { signal } = solve;
    const made = await this.#simulated("calibration", { count, concurrency, seed, signal });
    const width = made.observations.length / made.count;
    const told = new Float64Array(made.count * draws * width);
    for (let i = 0; i < made.count * draws; i++) {
      const begin = Math.floor(i / draws) * width;
      told.set(made.observations.subarray(begin, begin + width), i * width);
    }
    const conditions = { observation: told };
    const { values: z } = await this.model.sample({ ...solve, seed, count: made.count * draws, conditions });
    const { dimension, table } = { dimension: this.dimension, table: this.#parts.table };
    const truths = made.parameters;
    const values = table.fromLine(z);
    const rows = { values: truths, shape: [made.count, dimension] };
    const drawn = { values, shape: [made.count, draws, dimension] };
    const ranks = sbc(rows, drawn, { seed });
    const curve = tarp(rows, drawn, { seed });
    const tests = [curve, ...ranks].map(({ kolmogorovSmirnov }) => kolmogorovSmirnov.pValue);
    return {
      ...{ sbc: ranks, tarp: curve, coverage: intervalCoverage(rows, drawn, { seed }), columns: this.columns },
      ...{ count: made.count, failed: made.failed, truths, draws: values },
      pValue: Math.min(1, Math.min(...tests) * tests.length),
    };
  }

  /** What would be observed with parameters of the posterior: as it should look like the observation, if the model is right. */
  async predictive(options: PosteriorSampleOptions & { readonly concurrency?: number } = {}): Promise<Simulated> {
    const names = ["count", "concurrency", ...askNames] as const;
    const { concurrency = 1, count = 100, ...rest } = optionsObject("options of predictive", options, names);
    const { values } = await this.sample({ ...rest, count });
    const { seed = this.#parts.seed, signal } = rest;
    return this.#simulated("predictive", { count, concurrency, seed, signal, parameters: values });
  }

  async #simulated(
    use: "calibration" | "predictive",
    options: Pick<Parameters<typeof simulations<Given>>[0], "count" | "concurrency" | "seed" | "signal" | "parameters">,
  ): Promise<Simulated> {
    const { prior, simulate, observation } = this.#parts;
    if (!prior || !simulate) {
      throw new ConfigError({
        subject: `${use} of a posterior`,
        given: prior ? "no simulator" : "neither prior nor simulator",
        expected: "both",
        remedy: "Give prior and simulate to posterior() or loadPosterior().",
      });
    }
    integerOption("simulations", options.count);
    integerOption("concurrency", options.concurrency);
    integerOption("seed", options.seed, 0);
    return simulations({ ...options, prior, simulate, use, shape: observation.shape, onProgress: () => {} });
  }

  /** The bytes of a file with the model, the transforms, the names and the observation: {@link loadPosterior} reads it. */
  async checkpoint(): Promise<Uint8Array> {
    const { table, observation, seed } = this.#parts;
    return withFacts(await this.model.checkpoint(), { table, observation, seed } satisfies PosteriorFacts);
  }

  /** What speaks against an observation, by default the posterior's own, a sentence each: such as that no simulation was like it. */
  warningsOf(observation?: number | Numbers): readonly string[] {
    if (observation === undefined && !this.#parts.observation.values) return [];
    return this.#observed(observation).warnings;
  }

  /** Numbers of an observation, checked; and a sentence where it is unlike what was simulated. */
  #observed(given: number | Numbers | undefined) {
    const { observation } = this.#parts;
    if (given === undefined && !observation.values) {
      throw new ConfigError({
        subject: "observation",
        given: "none, here or when the posterior was made",
        expected: "what was observed",
        remedy: "Give { observation } with the question.",
      });
    }
    const values = given === undefined ? Float64Array.from(observation.values ?? []) : observedNumbers(given);
    expectShape(values, observation.shape);
    return { values, warnings: unlikeSimulations(values, observation) };
  }

  dispose(): void {
    this.model.dispose();
  }

  [dispose](): void {
    this.dispose();
  }
}
