/**
 * Residuals r = div(v - u) + (v - u) . score of a model's velocity v along its path, whose mean |r| bounds the total variation:
 * see flow/total-variation.ts. The path's own u and score are f64 on the host, as they may be singular near its ends.
 */
import type { NumericArray } from "../backends/backend.ts";
import { ConfigError, DataError } from "../errors.ts";
import { withExactDivergence } from "../flow/divergence.ts";
import { chunkState, seedState } from "../flow/likelihood.ts";
import { withMeanDivergence } from "../flow/log-density-field.ts";
import { componentsOf, type MixtureParts, mixtureField, mixtureMarginal } from "../flow/mixture.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Node } from "../graph/node.ts";
import { integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { concat } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom, seedOf } from "../ops/threefry.ts";
import { nextTask } from "../turns.ts";
import { chunksOf } from "./chunks.ts";
import { FieldProgram } from "./field-program.ts";
import type { LocalModel } from "./model.ts";
import type { AskedResiduals, Residuals } from "./more-asked.ts";
import { expectFiniteResult, paddedRows, pointsOf } from "./points.ts";
import { estimatorOf, partOf, solveOptionNames, solveOptions, tangentCount } from "./solve-options.ts";
import { toModelUnits } from "./units.ts";

const known = [...solveOptionNames, "of", "divergence", "probes", "bins", "until", "mixture"] as const;

/** What the path says of rows: velocity and score [rows, D], and the velocity's divergence [rows]. */
interface Truth {
  readonly velocity: ArrayLike<number>;
  readonly score: ArrayLike<number>;
  readonly divergence: ArrayLike<number>;
}

/** See {@link Residuals}. Row i is of bin i modulo the number of bins, at a random time in it. */
export async function residualsOf(model: LocalModel, given: NumericArray, asked: AskedResiduals): Promise<Residuals> {
  optionsObject("options of residuals", asked, known);
  const { seed, signal, onProgress } = solveOptions("residuals", asked);
  model.source.starting?.refuse("the bound on the total variation", { score: "the path's own marginals" });
  const divergence = estimatorOf(asked);
  const bins = integerOption("bins", asked.bins, 1, 10_000);
  const until = numberOption("until", asked.until, { minimum: 0, maximum: 1, open: "minimum" });
  const { dimension } = model;
  const { network, path, standardization } = model.source;
  const { values, count: all } = pointsOf("points", given, dimension);
  const each = Math.floor(all / bins);
  if (each < 2) throw tooFew(all, bins);
  const count = each * bins;
  const told = model.told("residuals", asked, all);
  const data = toModelUnits(values, standardization);
  const mixture = asked.mixture && inModelUnits(asked.mixture, dimension, standardization);

  const random = new HostRandom(seed);
  const noise = random.normal(count * dimension, streamOf("diagnostics"));
  const within = random.uniform(count, streamOf("diagnostics", 1));
  // Strata of a bin: one row in each, so that the mean over the bin's times has next to no error of its own.
  const times = Float32Array.from(within, (u, i) => {
    const stratum = (Math.floor(i / bins) + u) / each;
    return (until * ((i % bins) + stratum)) / bins;
  });
  const scheduled = scheduleAt(path, times);
  if (scheduled.sigma.some((sigma) => !(sigma > 0))) throw noScore(path);
  const x = Float32Array.from(noise, (z, i) => {
    const row = Math.floor(i / dimension);
    return (scheduled.alpha[row] as number) * (data[i] as number) + (scheduled.sigma[row] as number) * z;
  });

  return model.work(asked, async (live, parameters) => {
    const { guided } = told;
    const { rows, chunks } = chunksOf(count, network, tangentCount(divergence, dimension), guided ? 2 : 1);
    const shared = await model.source.store(live, signal);
    const wanted = model.stillWanted(signal);
    const settings = {
      ...{ rows, network, guided, width: dimension + 1, states: [seedState, chunkState] },
      value(points: Node, at: Node) {
        const found = withMeanDivergence(model.field(parameters, rows, guided), points, at, divergence);
        return concat([found.velocity, found.divergence], 1);
      },
    };
    const program = await model.programs.get(
      live,
      JSON.stringify({ field: rows, parameters, guided, divergence }),
      () => FieldProgram.build(shared, settings, wanted),
    );
    const residuals = new Float64Array(count);
    for (let chunk = 0; chunk < chunks; chunk++) {
      signal?.throwIfAborted();
      const from = chunk * rows;
      const end = Math.min(from + rows, count);
      partOf(onProgress, chunk, rows, count)?.(0);
      const drawn = [
        [seedState.name, Uint32Array.from(seedOf(seed))],
        [chunkState.name, Uint32Array.of(chunk)],
      ] as const;
      const batch = [paddedRows(x, from, rows, dimension), paddedRows(times, from, rows, 1)] as const;
      const there = await program.run(...batch, new Map([...told.at(from, rows), ...drawn]));
      expectFiniteResult(there, "velocities and divergences", dimension + 1);
      const at = { x: x.subarray(from * dimension, end * dimension), t: times.subarray(from, end) };
      const truth = mixture
        ? marginalAt(mixture, path, at, dimension)
        : conditionalAt(scheduled, at.x, data, { from, dimension });
      for (let row = 0; row < end - from; row++) {
        const own = there.subarray(row * (dimension + 1), (row + 1) * (dimension + 1));
        let sum = (own[dimension] as number) - (truth.divergence[row] as number);
        for (let i = 0; i < dimension; i++) {
          const k = row * dimension + i;
          sum += ((own[i] as number) - (truth.velocity[k] as number)) * (truth.score[k] as number);
        }
        const row0 = from + row;
        residuals[(row0 % bins) * each + Math.floor(row0 / bins)] = sum;
      }
      await nextTask();
    }
    expectFiniteResult(residuals, "residuals", 1);
    onProgress?.(count, count);
    return { residuals };
  });
}

interface Schedule {
  readonly alpha: ArrayLike<number>;
  readonly sigma: Float64Array;
  readonly alphaRate: ArrayLike<number>;
  readonly sigmaRate: ArrayLike<number>;
}

/** The path's values at these times, in f64. */
function scheduleAt(path: PathScheduler, times: Float32Array): Schedule {
  const { alpha, sigma, alphaRate, sigmaRate } = path.at(column(times, 1));
  const [a, s, da, ds] = evaluate([alpha, sigma, alphaRate, sigmaRate]).map(({ data }) => data);
  return { alpha: a, sigma: Float64Array.from(s as ArrayLike<number>), alphaRate: da, sigmaRate: ds } as Schedule;
}

/** Of the path to each row's own point: u = dilation (x - alpha x1) + alpha' x1, score -(x - alpha x1) / sigma^2. */
function conditionalAt(
  { alpha, sigma, alphaRate, sigmaRate }: Schedule,
  x: Float32Array,
  data: NumericArray,
  { from, dimension }: { readonly from: number; readonly dimension: number },
): Truth {
  const rows = x.length / dimension;
  const velocity = new Float64Array(x.length);
  const score = new Float64Array(x.length);
  const dilation = Float64Array.from(
    { length: rows },
    (_, row) => (sigmaRate[from + row] as number) / (sigma[from + row] as number),
  );
  for (let i = 0; i < x.length; i++) {
    const row = Math.floor(i / dimension);
    const point = data[from * dimension + i] as number;
    const apart = (x[i] as number) - (alpha[from + row] as number) * point;
    velocity[i] = (dilation[row] as number) * apart + (alphaRate[from + row] as number) * point;
    score[i] = -apart / (sigma[from + row] as number) ** 2;
  }
  return { velocity, score, divergence: dilation.map((each) => each * dimension) };
}

/** Of all paths together, to points of a mixture. */
function marginalAt(
  mixture: MixtureParts,
  path: PathScheduler,
  { x, t }: { readonly x: Float32Array; readonly t: Float32Array },
  dimension: number,
): Truth {
  const components = componentsOf(mixture);
  const [points, times] = [column(x, dimension), column(t, 1)];
  const { velocity, score } = mixtureMarginal(components, path.at(times), points);
  const { divergence } = withExactDivergence(mixtureField(components, path), points, times);
  const [v, s, d] = evaluate([velocity, score, divergence]).map(({ data }) => data);
  return { velocity: v, score: s, divergence: d } as Truth;
}

function column(values: ArrayLike<number>, width: number): Node {
  return table(Array.from(values), [values.length / width, width]);
}

function inModelUnits(
  { weights, means, variances }: MixtureParts,
  dimension: number,
  standardization: LocalModel["source"]["standardization"],
): MixtureParts {
  if (means.some((mean) => mean.length !== dimension)) {
    throw new DataError({
      subject: "the mixture that the points come from",
      given: `${means[0]?.length} coordinates`,
      expected: `${dimension}, as the model has`,
      remedy: "Give the data that the model was trained on.",
    });
  }
  if (!standardization) return { weights, means, variances };
  const { mean, std } = standardization;
  return {
    weights,
    means: means.map((each) => each.map((value, i) => (value - (mean[i] as number)) / (std[i] as number))),
    variances: variances.map((each) => each.map((value, i) => value / (std[i] as number) ** 2)),
  };
}

function tooFew(given: number, bins: number): ConfigError {
  return new ConfigError({
    subject: "points of the bound",
    given,
    expected: `at least two for each of ${bins} bins`,
    remedy: "Give more points, or fewer bins.",
  });
}

function noScore({ name }: PathScheduler): ConfigError {
  return new ConfigError({
    subject: "until of the bound",
    given: `a time where the path "${name}" has no noise left, and so no score`,
    expected: "a time before that",
    remedy: "Leave it out.",
  });
}
