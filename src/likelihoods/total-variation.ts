/** The total variation between a model's density and its data's: the bound of the paper, and what it is on a grid. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import { sampleData } from "../data/sample.ts";
import type { DataSource } from "../data/source.ts";
import type { LogDensityOptions, Model, SolveOptions } from "../engine/api.ts";
import { ask, solveOptionsAnd } from "../engine/asking.ts";
import { ConfigError, UnsupportedError } from "../errors.ts";
import type { MixtureParts } from "../flow/mixture.ts";
import { choiceOption, integerOption, numberOption } from "../graph/options.ts";

export interface TotalVariationBoundOptions extends Omit<SolveOptions, "solver"> {
  /** Points that paths lead to, drawn where the data are a source; default 20,000. */
  readonly count?: number;
  /** Of time, equally wide; default 50. */
  readonly bins?: number;
  /** Where time ends, in (0, 1]; default 1 for "marginal", 0.95 for "conditional". */
  readonly until?: number;
  /**
   * "marginal": against the true velocity and score of p_t, which are known of Gaussian mixtures; default there. "conditional":
   * against those of the path to each point, whose expectation is never less, for any data; default elsewhere. It contains what
   * a perfect model has too, and grows without bound as sigma goes to 0: for comparing models.
   */
  readonly against?: "marginal" | "conditional";
  /** "exact" (default), or "hutchinson": its error makes the bound larger. */
  readonly divergence?: "exact" | "hutchinson";
  readonly probes?: number;
}

export interface TotalVariationBound {
  /** At `until`, from 0 on; 1 and more say nothing. */
  readonly bound: number;
  /** Of the bound, over the points drawn. */
  readonly standardError: number;
  readonly against: "marginal" | "conditional";
  /** By bin: where it ends, E |r| in it with its standard error, and the bound up to its end. */
  readonly bins: readonly {
    readonly end: number;
    readonly meanAbsoluteResidual: number;
    readonly standardError: number;
    readonly bound: number;
  }[];
}

/**
 * TV(p_model, p) at time T <= 1/2 integral from 0 to T of E_{p_t} |div(v - u) + (v - u) . score| dt, by points of the path drawn
 * with stratified times. Of a model that is told conditions give these, and data that have them. It knows nothing of how the
 * solver errs, nor of a prior that the path's start differs from (ve, vp).
 *
 * @param data - what the model learned: a source, or points [count, D].
 * @throws {@link UnsupportedError} for "marginal" where the data are no mixture.
 * @throws {@link ConfigError} when an option is wrong.
 */
export async function totalVariationBound(
  model: Model,
  data: DataSource | Numbers,
  options: TotalVariationBoundOptions = {},
): Promise<TotalVariationBound> {
  const names = ["count", "bins", "until", "against", "divergence", "probes"] as const;
  const { count = 20_000, bins = 50, ...rest } = solveOptionsAnd("totalVariationBound", options, names);
  const source = isSource(data) ? data : undefined;
  const mixture = source && mixtureOf(source);
  const { against = mixture ? "marginal" : "conditional", ...solve } = rest;
  choiceOption("against of totalVariationBound", against, ["marginal", "conditional"]);
  if (against === "marginal" && !mixture) throw noMarginal(source);
  const { until = against === "marginal" ? 1 : 0.95, ...given } = solve;
  integerOption("count of totalVariationBound", count);
  integerOption("bins of totalVariationBound", bins, 1, 10_000);
  numberOption("until of totalVariationBound", until, { minimum: 0, maximum: 1, open: "minimum" });
  const points = source ? sampleData(source, count, solve.seed ?? 0) : copiedNumbers("points", data as Numbers);
  const { residuals } = await ask("totalVariationBound", model, points, {
    ...given,
    ...{ of: "residuals", bins, until },
    ...(against === "marginal" && mixture ? { mixture } : {}),
  });
  const each = residuals.length / bins;
  const width = until / bins;
  let [bound, variance] = [0, 0];
  const byBin = Array.from({ length: bins }, (_, bin) => {
    const own = residuals.subarray(bin * each, (bin + 1) * each).map(Math.abs);
    const mean = own.reduce((sum, one) => sum + one, 0) / each;
    const squares = own.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    const standardError = Math.sqrt(squares / (each - 1) / each);
    bound += 0.5 * width * mean;
    variance += (0.5 * width * standardError) ** 2;
    return { end: (bin + 1) * width, meanAbsoluteResidual: mean, standardError, bound };
  });
  return { bound, standardError: Math.sqrt(variance), against, bins: byBin };
}

export interface TotalVariationOptions extends Omit<LogDensityOptions, "divergence" | "probes"> {
  /** Of the grid, for each coordinate; default: the extremes of 4,096 points of the data, and a quarter of their span beyond. */
  readonly lower?: readonly number[];
  readonly upper?: readonly number[];
  /** Of the grid along each coordinate; default 2,000 in one dimension, 128 in two. */
  readonly points?: number;
}

export interface TotalVariation {
  /** Half the integral of |p_model - p| over the grid's box. */
  readonly distance: number;
  /** What of each is in the box, by the same quadrature: 1 but for what lies beyond, or between the points. */
  readonly modelMass: number;
  readonly dataMass: number;
}

/**
 * The total variation between a model of one or two dimensions and data whose density is known, by the midpoint rule on a grid.
 *
 * @throws {@link UnsupportedError} where the density is not known, or there are more dimensions.
 */
export async function totalVariation(
  model: Model,
  data: DataSource,
  options: TotalVariationOptions = {},
): Promise<TotalVariation> {
  const given = solveOptionsAnd("totalVariation", options, ["lower", "upper", "points"]);
  const { dimension } = model;
  const density = isSource(data) ? data.logDensity?.bind(data) : undefined;
  if (!density || dimension > 2 || data.dimension !== dimension) throw noGrid(data, dimension);
  const { points: side = dimension === 1 ? 2000 : 128, lower, upper, ...rest } = given;
  integerOption("points of totalVariation", side, 2, dimension === 1 ? 1_000_000 : 2000);
  const box = boxOf(data, lower, upper);
  const cell = box.reduce((area, [low, high]) => area * ((high - low) / side), 1);
  const count = side ** dimension;
  const grid = Float64Array.from({ length: count * dimension }, (_, i) => {
    const axis = i % dimension;
    const [low, high] = box[axis] as readonly [number, number];
    const row = Math.floor(i / dimension);
    const place = axis === 0 ? row % side : Math.floor(row / side);
    return low + ((place + 0.5) * (high - low)) / side;
  });
  const { values } = await model.logDensity(grid, { ...rest, divergence: "exact" });
  const sums = { distance: 0, modelMass: 0, dataMass: 0 };
  for (let row = 0; row < count; row++) {
    const own = Math.exp(values[row] as number);
    const exact = Math.exp(density(grid.subarray(row * dimension, (row + 1) * dimension)));
    sums.distance += 0.5 * cell * Math.abs(own - exact);
    sums.modelMass += cell * own;
    sums.dataMass += cell * exact;
  }
  return sums;
}

function isSource(data: DataSource | Numbers): data is DataSource {
  return typeof (Object(data) as Partial<DataSource>).draw === "function";
}

/** Components of a source that is a mixture of Gaussians, by its options. */
function mixtureOf({ name, options }: DataSource): MixtureParts | undefined {
  if (name === "gaussian-mixture") return options as unknown as MixtureParts;
  if (name !== "eight-gaussians") return undefined;
  const { radius, std } = options as { readonly radius: number; readonly std: number };
  const angles = Array.from({ length: 8 }, (_, k) => (k * Math.PI) / 4);
  return {
    weights: angles.map(() => 1 / 8),
    means: angles.map((angle) => [radius * Math.cos(angle), radius * Math.sin(angle)]),
    variances: angles.map(() => [std * std, std * std]),
  };
}

type Interval = readonly [low: number, high: number];

function boxOf(data: DataSource, lower?: readonly number[], upper?: readonly number[]): readonly Interval[] {
  const { dimension } = data;
  const drawn = lower && upper ? [] : sampleData(data, 4096, 0);
  return Array.from({ length: dimension }, (_, axis) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = axis; i < drawn.length; i += dimension) {
      low = Math.min(low, drawn[i] as number);
      high = Math.max(high, drawn[i] as number);
    }
    const beyond = (high - low) / 4;
    const ends = [lower ? lower[axis] : low - beyond, upper ? upper[axis] : high + beyond] as const;
    if (Number.isFinite(ends[0]) && Number.isFinite(ends[1]) && (ends[0] as number) < (ends[1] as number)) {
      return ends as Interval;
    }
    throw new ConfigError({
      subject: "lower and upper of totalVariation",
      given: [lower ?? "nothing", upper ?? "nothing"],
      expected: `${dimension} finite numbers each, lower below upper`,
      remedy: "Give both ends of each coordinate, or leave them out.",
    });
  });
}

function noMarginal(source: DataSource | undefined): UnsupportedError {
  return new UnsupportedError({
    subject: 'against "marginal" of totalVariationBound',
    given: source ? `the data "${source.name}"` : "points",
    expected: "gaussianMixture() or eightGaussians(), whose marginal velocity and score are known",
    remedy: 'Choose against: "conditional".',
  });
}

function noGrid(data: DataSource, dimension: number): UnsupportedError {
  return new UnsupportedError({
    subject: "data of totalVariation",
    given: isSource(data) ? `"${data.name}" for a model of ${dimension} dimensions` : String(data),
    expected: "a source of one or two dimensions with a known log-density, the same as the model's",
    remedy: "Take totalVariationBound, or compare samples: divflow/diagnostics.",
  });
}
