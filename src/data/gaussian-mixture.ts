import { ConfigError } from "../errors.ts";
import { f32Option, numberOption, optionsObject } from "../graph/options.ts";
import { add, less, multiply, select } from "../ops/arithmetic.ts";
import { gather } from "../ops/rows.ts";
import { slice } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { logSumExp } from "./log-sum-exp.ts";
import { meanUnderNormal } from "./mean-under-normal.ts";
import { directionOf, expectPoint, isNowhere } from "./point.ts";
import type { DataSource } from "./source.ts";

export interface GaussianMixtureOptions {
  /** Of the components [K], not negative; divided by their sum. Default: equal. */
  readonly weights?: readonly number[] | undefined;
  /** [K][D], in data units. Default: [[-2], [2]]. */
  readonly means?: readonly (readonly number[])[] | undefined;
  /** By component: one number for all coordinates or D of them, above 0, in squared data units. Default: 0.25 each. */
  readonly variances?: readonly (number | readonly number[])[] | undefined;
}

interface Component {
  /** Above 0; they sum to 1. */
  readonly weight: number;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/** Standard deviations that differ by no more than this factor let the quadrature of the entropy resolve all. */
const LARGEST_RATIO = 4;

/**
 * A mixture of K Gaussians with diagonal covariances: p(x) = sum_k w_k prod_i N(x_i; m_ki, v_ki). The default is the
 * 1-D mixture of N(-2, 0.5^2) and N(2, 0.5^2), of equal weights.
 *
 * Log-density and score are exact. The entropy comes from a quadrature good to about 1e-7; it is left out for more than
 * two coordinates, and where one standard deviation is more than 4 times another of the same coordinate.
 *
 * @throws {@link ConfigError} when lengths differ, a weight is negative or all are 0, a variance is not positive, a
 * number is not finite, or a mean or standard deviation is beyond f32.
 */
export function gaussianMixture(options: GaussianMixtureOptions = {}): DataSource {
  const checked = checkOptions(optionsObject("options of gaussianMixture", options, ["weights", "means", "variances"]));
  return mixtureSource("gaussian-mixture", checked.options, checked.components);
}

/** The source of this name and options that draws from these components. */
export function mixtureSource(
  name: string,
  options: Readonly<Record<string, unknown>>,
  components: readonly Component[],
): DataSource {
  const dimension = components[0].mean.length;
  const width = 2 * dimension;
  const rowsOfTable = aliasTable(components);

  /** log(w_k N(x; m_k, v_k)) by component. */
  const terms = (x: readonly number[]) =>
    components.map(({ weight, mean, variance }) =>
      x.reduce(
        (sum, value, i) => sum - 0.5 * ((value - mean[i]) ** 2 / variance[i] + Math.log(2 * Math.PI * variance[i])),
        Math.log(weight),
      ),
    );
  const logDensity = (point: ArrayLike<number>) => {
    const x = expectPoint(point, dimension);
    return isNowhere(x) ? Number.NEGATIVE_INFINITY : logSumExp(terms(x));
  };

  return {
    name,
    options,
    dimension,
    draw: ({ rows, random }) => {
      const drawn = gather(
        table(rowsOfTable.flat(), [components.length, 1 + 2 * width]),
        random("index", [rows], { bound: components.length }),
      );
      const stays = less(random("uniform", [rows, 1]), slice(drawn, 1, 0, 1));
      const own = slice(drawn, 1, 1, 1 + width);
      const other = slice(drawn, 1, 1 + width, 1 + 2 * width);
      const component = select(stays, own, other);
      const noise = random("normal", [rows, dimension]);
      return add(slice(component, 1, 0, dimension), multiply(slice(component, 1, dimension, width), noise));
    },
    logDensity,
    score: (point) => {
      const x = expectPoint(point, dimension);
      if (isNowhere(x)) return x.map(() => 0);
      const logs = terms(x);
      const total = logSumExp(logs);
      // Past f64 each log is -Infinity: there the component that falls off most slowly has all of the density.
      const shares = Number.isFinite(total) ? logs.map((log) => Math.exp(log - total)) : sharesFarOut(x, components);
      return x.map((value, i) =>
        components.reduce((sum, { mean, variance }, k) => {
          return shares[k] === 0 ? sum : sum + (shares[k] * (mean[i] - value)) / variance[i];
        }, 0),
      );
    },
    get entropy() {
      return resolved(components) ? entropyOf(components, logDensity) : undefined;
    },
  };
}

/** What each component has of the density at a point so far out that the density is 0 in f64. */
function sharesFarOut(x: readonly number[], components: readonly Component[]): number[] {
  const direction = directionOf(x);
  const slopes = components.map(({ variance }) => direction.reduce((sum, d, i) => sum + (d * d) / variance[i], 0));
  const least = Math.min(...slopes);
  const slowest = slopes.map((slope) => slope === least);
  const count = slowest.filter(Boolean).length;
  return slowest.map((is) => (is ? 1 / count : 0));
}

/**
 * Walker's alias method: component k is drawn with probability 1/K, then kept with probability `keep`, else changed for
 * its `other`. Row k is [keep, mean, standard deviation, mean of other, standard deviation of other]: one row read
 * draws from any number of components.
 */
function aliasTable(components: readonly Component[]): number[][] {
  const count = components.length;
  const left = components.map(({ weight }) => weight * count); // sums to `count`: 1 to fill each row
  const keep = new Array<number>(count).fill(1);
  const other = components.map((_component, k) => k);
  const poor = [...left.keys()].filter((k) => left[k] < 1);
  const rich = [...left.keys()].filter((k) => left[k] >= 1);
  while (poor.length > 0 && rich.length > 0) {
    const from = rich[rich.length - 1];
    const to = poor.pop() as number;
    keep[to] = left[to];
    other[to] = from;
    left[from] -= 1 - left[to];
    if (left[from] < 1) poor.push(rich.pop() as number);
  }
  const parameters = components.map(({ mean, variance }) => [...mean, ...variance.map(Math.sqrt)]);
  return parameters.map((own, k) => [keep[k], ...own, ...parameters[other[k]]]);
}

/** Whether the quadrature of the entropy sees all of the density's features. */
function resolved(components: readonly Component[]): boolean {
  const dimension = components[0].mean.length;
  return (
    dimension <= 2 &&
    components[0].variance.every((_value, i) => {
      const variances = components.map(({ variance }) => variance[i]);
      return Math.max(...variances) <= LARGEST_RATIO ** 2 * Math.min(...variances);
    })
  );
}

/** -E log p, component by component. */
function entropyOf(components: readonly Component[], logDensity: (point: number[]) => number): number {
  return components.reduce((sum, { weight, mean, variance }) => {
    const at = (z: readonly number[]) => logDensity(mean.map((value, i) => value + Math.sqrt(variance[i]) * z[i]));
    return sum - weight * meanUnderNormal(mean.length, at);
  }, 0);
}

function checkOptions({ weights, means = [[-2], [2]], variances }: GaussianMixtureOptions) {
  expectList("means of gaussianMixture", means);
  const count = means.length;
  const dimension = Array.isArray(means[0]) ? means[0].length : 0;
  expectList("means[0] of gaussianMixture", means[0]);
  means.forEach((mean, k) => {
    expectList(`means[${k}] of gaussianMixture`, mean, dimension);
    mean.forEach((value, i) => {
      f32Option(`means[${k}][${i}] of gaussianMixture`, value);
    });
  });

  const givenWeights = weights ?? new Array<number>(count).fill(1);
  expectList("weights of gaussianMixture", givenWeights, count);
  givenWeights.forEach((value, k) => {
    numberOption(`weights[${k}] of gaussianMixture`, value, { minimum: 0 });
  });
  const total = givenWeights.reduce((sum, value) => sum + value, 0);
  numberOption("sum of the weights of gaussianMixture", total, { minimum: 0, open: "minimum" });

  const givenVariances = variances ?? new Array<number>(count).fill(0.25);
  expectList("variances of gaussianMixture", givenVariances, count);
  const diagonals = givenVariances.map((given, k) => {
    const diagonal = typeof given === "number" ? new Array<number>(dimension).fill(given) : given;
    expectList(`variances[${k}] of gaussianMixture`, diagonal, dimension);
    return diagonal.map((value, i) => {
      const subject = `variances[${k}][${i}] of gaussianMixture`;
      numberOption(subject, value, { minimum: 0, open: "minimum" });
      f32Option(`standard deviation of ${subject}`, Math.sqrt(value)); // this is what devices multiply noise with
      return value;
    });
  });

  const components = means
    .map((mean, k) => ({ weight: givenWeights[k] / total, mean: [...mean], variance: diagonals[k] }))
    .filter(({ weight }) => weight > 0);
  return {
    options: { weights: [...givenWeights], means: means.map((mean) => [...mean]), variances: diagonals },
    components,
  };
}

function expectList(subject: string, given: unknown, length?: number): void {
  if (Array.isArray(given) && given.length > 0 && (length === undefined || given.length === length)) return;
  throw new ConfigError({
    subject,
    given: Array.isArray(given) ? `${given.length} entries` : given,
    expected: length === undefined ? "a list that is not empty" : `a list of ${length}`,
    remedy: "Give K weights, K means of D numbers each, and K variances.",
  });
}
