/** Models that start from points other than noise: what they are asked for. Imported on demand, or with what reads files. */
import { copiedNumbers } from "../data/numbers.ts";
import { dataNames } from "../data/registry.ts";
import { sampleData } from "../data/sample.ts";
import type { DataSource } from "../data/source.ts";
import type { Standardization } from "../data/standardize.ts";
import { withStart } from "../data/started.ts";
import { ConfigError, UnsupportedError } from "../errors.ts";
import { GRAPH, integerOption, isRecord, type NamedOptions } from "../graph/options.ts";
import type { Network } from "../nn/network.ts";
import { dataOf } from "../train/parts.ts";
import type { SampleOptions } from "./api.ts";
import { pointsOf } from "./points.ts";
import { toModelUnits } from "./units.ts";

/** Solvers whose drift has the score that the velocity gives where starts are Gaussian. */
const noisy = ["euler-maruyama", "stochastic-heun"];

/** What such a model is beside its start. */
interface Facts {
  readonly network: Pick<Network, "dimension">;
  readonly standardization: Standardization | undefined;
}

export class Starting {
  /** What a trainer had, or what a file says of it. */
  readonly start: NamedOptions;
  readonly #source: DataSource | undefined;
  readonly #facts: Facts;

  /** @param source - where starts are at hand. */
  constructor(start: NamedOptions, source: DataSource | undefined, facts: Facts) {
    this.start = start;
    this.#source = source?.stream ? undefined : source;
    this.#facts = facts;
  }

  /**
   * Options of sample with the points to start from as its `noise`.
   *
   * @throws {@link ConfigError} when there are none.
   * @throws {@link UnsupportedError} when a log-density, a guide or noise on the way is asked for.
   */
  sampling(options: SampleOptions): SampleOptions {
    if (!isRecord(options)) return options; // the call refuses it
    const { start, ...rest }: SampleOptions = options;
    this.refuse("sample", options);
    if (start !== undefined && rest.noise !== undefined) {
      const facts = { given: "beside noise", expected: "one of them", remedy: "Points in data units are the start." };
      throw new ConfigError({ subject: "start of sample", ...facts });
    }
    if (rest.noise !== undefined) return rest;
    const { standardization, network } = this.#facts;
    const points =
      start === undefined
        ? this.#drawn(rest)
        : pointsOf("start of sample", copiedNumbers("start of sample", start), network.dimension).values;
    return { ...rest, noise: toModelUnits(points, standardization) };
  }

  /** The data beside which losses have the model's starts, drawn independently. */
  beside(data: DataSource): DataSource {
    return withStart(data, this.#expected("evaluateLosses"));
  }

  /** @throws {@link UnsupportedError} for what takes starts for Gaussian. */
  refuse(
    of: string,
    { logDensity, guide, known, solver }: Pick<SampleOptions, "logDensity" | "guide" | "known" | "solver">,
  ): void {
    const name = solver?.name;
    const isNoisy = name !== undefined && noisy.includes(name);
    if (!logDensity && !guide && !known && !isNoisy) return;
    throw new UnsupportedError({
      subject: `${of} of a model that starts from "${this.start.name}" data`,
      given: logDensity ? "a log-density" : isNoisy ? `solver ${name}` : "a guide, or known coordinates",
      expected: "what does not ask for the density of its starts: that is not known",
      remedy:
        "Sample and encode by a solver of the flow itself, such as dopri5(); densities need a model that starts from noise.",
    });
  }

  #drawn({ count, seed = 0 }: SampleOptions): Float32Array | Float64Array {
    integerOption("count of sample", count);
    integerOption("seed of sample", seed, 0);
    return sampleData(this.#expected("sample"), count as number, seed);
  }

  #expected(of: string): DataSource {
    if (this.#source) return this.#source;
    throw new ConfigError({
      subject: `start of ${of}`,
      given: "nothing",
      expected: `points to start from: the model was trained from "${this.start.name}" data, which are not at hand`,
      remedy: "Give sample({ start: points }), row-major [count, D] in data units.",
    });
  }
}

/** The same of a model from a file, whose start is at hand where it is a generator. */
export async function startingFrom(start: NamedOptions, facts: Facts): Promise<Starting> {
  const draws = start.name === GRAPH && Object.keys(Object(start.options["state"])).length === 0;
  const source = draws || dataNames.includes(start.name) ? await dataOf(start) : undefined;
  return new Starting(start, source, facts);
}
