/** Models that start from points other than noise: what they are asked for. Imported on demand, or with what reads files. */
import type { NumericArray } from "../backends/backend.ts";
import { copiedNumbers } from "../data/numbers.ts";
import { dataNames } from "../data/registry.ts";
import { sampleData } from "../data/sample.ts";
import type { DataSource } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import { ConfigError, UnsupportedError } from "../errors.ts";
import { GRAPH, integerOption, isRecord, type NamedOptions } from "../graph/options.ts";
import type { Network } from "../nn/network.ts";
import { dataOf } from "../train/parts.ts";
import type { SampleOptions } from "./api.ts";
import type { Block } from "./more-asked.ts";
import { pointsOf } from "./points.ts";
import { toModelUnits } from "./units.ts";

/** What such a model is beside its start. */
interface Facts {
  readonly network: Pick<Network, "dimension" | "score">;
  readonly standardization: Standardization | undefined;
  /** What a trainer had, or what a file says of it; undefined: noise. */
  readonly start?: NamedOptions | undefined;
  readonly coupling?: NamedOptions | undefined;
}

/** Calls, in words of {@link Starting.refuse}. */
interface Asked extends Pick<SampleOptions, "logDensity" | "guide" | "known" | "solver"> {
  /** What else reads a score, in words. */
  readonly score?: string;
}

export class Starting {
  readonly #source: DataSource | undefined;
  readonly facts: Facts;
  /** Starts that blocks of samples come from, in model units: drawn with the first of them, kept until others are asked for. */
  #ofBlocks: { readonly total: number; readonly seed: number; readonly noise: NumericArray } | undefined;

  /** @param source - where starts are at hand. */
  constructor(facts: Facts, source?: DataSource | undefined) {
    this.#source = source?.stream ? undefined : source;
    this.facts = facts;
  }

  /**
   * Options of sample with the points to start from as its `noise`.
   *
   * @param block - given, options are of rows from its first on.
   * @throws {@link ConfigError} when there are none, or what takes noise for independent of the data is asked of pairs.
   * @throws {@link UnsupportedError} when a log-density, a guide or noise on the way is asked for.
   */
  sampling(options: SampleOptions, block?: Block): SampleOptions {
    if (!isRecord(options)) return options; // the call refuses it
    const { start, ...rest }: SampleOptions = options;
    this.refuse("sample", options);
    if (!this.facts.start) return start === undefined ? options : fromNoise();
    if (start !== undefined && rest.noise !== undefined) {
      const facts = { given: "beside noise", expected: "one of them", remedy: "Points in data units are the start." };
      throw new ConfigError({ subject: "start of sample", ...facts });
    }
    if (rest.noise !== undefined) return rest;
    if (start === undefined && block) return { ...rest, noise: this.#blockOf(rest, block) };
    this.#ofBlocks = undefined;
    const { standardization } = this.facts;
    const points = start === undefined ? this.#drawn(rest) : this.#given(start, rest.count);
    return { ...rest, noise: toModelUnits(points, standardization) };
  }

  /**
   * @throws {@link UnsupportedError} for what takes starts for Gaussian.
   * @throws {@link ConfigError} for what takes noise for independent of the data, of a model of pairs.
   */
  refuse(of: string, { logDensity, guide, known, solver, score }: Asked): void {
    // Its drift has the score that the velocity gives where starts are Gaussian, unless the network has one.
    const readsScore = solver?.noisy && !this.facts.network.score;
    const { start, coupling } = this.facts;
    const asked = readsScore ? `solver ${solver.name}` : guide || known ? "a guide, or known coordinates" : score;
    if (start && (logDensity || asked)) {
      throw new UnsupportedError({
        subject: `${of} of a model that starts from "${start.name}" data`,
        given: logDensity ? "a log-density" : asked,
        expected: "what does not ask for the density of its starts: that is not known",
        remedy:
          "Sample and encode by a solver of the flow itself, such as dopri5(); densities need a model that starts from noise.",
      });
    }
    if (!coupling || !asked) return;
    throw new ConfigError({
      subject: `${of} of a model of pairs, by coupling "${coupling.options["name"] ?? coupling.name}"`,
      given: asked,
      expected: "what needs no score: a velocity has one only where noise was drawn independently of the data",
      remedy:
        "Sample by a solver of the flow itself, such as dopri5(), without guides; or train with independent pairs.",
    });
  }

  #given(start: NonNullable<SampleOptions["start"]>, count: number | undefined): Float32Array | Float64Array {
    const subject = "start of sample";
    const points = pointsOf(subject, copiedNumbers(subject, start), this.facts.network.dimension);
    if (count === undefined || count === points.count) return points.values;
    throw new ConfigError({
      subject: "count of sample",
      given: count,
      expected: `${points.count}, as many as start has rows`,
      remedy: "Leave count out where start is given.",
    });
  }

  #drawn({ count, seed = 0 }: SampleOptions): Float32Array | Float64Array {
    integerOption("count of sample", count);
    integerOption("seed of sample", seed, 0);
    return sampleData(this.expected("sample"), count as number, seed);
  }

  /** Rows of what is drawn for all. */
  #blockOf({ count = 0, seed = 0 }: SampleOptions, { first, total }: Block): NumericArray {
    const { standardization, network } = this.facts;
    const kept = this.#ofBlocks?.total === total && this.#ofBlocks.seed === seed ? this.#ofBlocks : undefined;
    const noise = kept?.noise ?? toModelUnits(this.#drawn({ count: total, seed }), standardization);
    this.#ofBlocks = { total, seed, noise };
    return noise.slice(first * network.dimension, (first + count) * network.dimension);
  }

  /** Where starts are drawn from, which has to be at hand. */
  expected(of: string): DataSource {
    if (this.#source) return this.#source;
    throw new ConfigError({
      subject: `start of ${of}`,
      given: "nothing",
      expected: `points to start from: the model was trained from "${this.facts.start?.name}" data, which are not at hand`,
      remedy:
        of === "sample" ? "Give sample({ start: points }), row-major [count, D] in data units." : "Give it as start.",
    });
  }
}

/** @throws {@link ConfigError} where points to start from are given to a model that has none. */
export function fromNoise(of = "of sample"): never {
  throw new ConfigError({
    subject: `start ${of}`,
    given: "points",
    expected: "none: the model starts from noise, of count or given as noise",
    remedy: "Leave start out; createTrainer({ start }) trains a model that starts from data.",
  });
}

/** The same of a model from a file, whose start is at hand where it is a generator. */
export async function startingFrom({ network, standardization, start, coupling }: Facts): Promise<Starting> {
  const draws = start?.name === GRAPH && Object.keys(Object(start.options["state"])).length === 0;
  const source = start && (draws || dataNames.includes(start.name)) ? await dataOf(start) : undefined;
  return new Starting({ network, standardization, start, coupling }, source);
}
