/**
 * The Dirichlet path's factor C(x, a) as polynomials, for devices, which have f32 and no special functions.
 *
 * With K letters and w = -ln(K x), of two pieces that meet at x = 1/K:
 * - x <= 1/K: C/x = w P(x, a) + R(x, a) and dC/dx likewise, the power series of dirichlet-factor.ts with its logarithm taken
 *   relative to 1/K, so that both terms of C/x are positive. P and R have no singularity: polynomials in x.
 * - x > 1/K: C / sqrt x and dC/dx sqrt x, which vary little there, as polynomials in w.
 * These times a, or its root, vary little with a: their coefficients are polynomials in ln a. All are Chebyshev interpolants
 * of f64 values, cut where the rest is below {@link CUT} of the least value, then in powers of variables in [-1, 1]; these
 * fall fast enough that Horner's rule loses nothing.
 */
import { LARGEST_CONCENTRATION } from "./concentrations.ts";
import { factorSeries, factorValues } from "./dirichlet-factor.ts";

/** What is cut off, relative to the least value of what is tabulated: beside f32's rounding it is nothing. */
const CUT = 1e-9;

/** Degrees of the interpolants that are cut: by x and by a. */
const [MOST_BY_X, MOST_BY_A] = [28, 22];

/** sum over j and i of coefficients[j][i] y^i z^j: y the variable of a, z that of x, both in [-1, 1]. */
export type Polynomial = readonly (readonly number[])[];

export interface FactorTable {
  /** K. */
  readonly letters: number;
  /** Of x <= 1/K: a P and a R, with z = 2 K x - 1. */
  readonly low: Readonly<Record<"ratio" | "slope", readonly [Polynomial, Polynomial]>>;
  /** Of x > 1/K: sqrt a times what is said above, with z = 1 + 2 ln x / ln K. */
  readonly high: Readonly<Record<"ratio" | "slope", Polynomial>>;
}

/** Letters of a table at most. */
export const MOST_LETTERS = 256;

/** y = scale ln a + shift is in [-1, 1]. */
export const concentrationVariable = { scale: 2 / Math.log(LARGEST_CONCENTRATION), shift: -1 } as const;

/** The table of K letters, from 2 to {@link MOST_LETTERS}. */
export function factorTable(letters: number): FactorTable {
  const b = letters - 1;
  const widest = Math.log(letters); // -ln x = w + ln K
  const low = interpolated((z, a) => {
    const x = (1 + z) / (2 * letters);
    const { ratio, slope } = factorSeries(x, a, b);
    const [ratioRest, slopeRest] = [ratio[1] + widest * ratio[0], slope[1] + widest * slope[0]];
    const w = -Math.log(x * letters);
    return [
      { value: a * ratio[0], size: a * ratio[0] },
      { value: a * ratioRest, size: a * (w * ratio[0] + ratioRest) },
      { value: a * slope[0], size: a * slope[0] },
      { value: a * slopeRest, size: a * (w * slope[0] + slopeRest) },
    ];
  });
  const high = interpolated((z, a) => {
    const x = Math.exp((widest * (z - 1)) / 2);
    const { factor, slope } = factorValues(x, a, letters);
    return [factor / Math.sqrt(x), slope * Math.sqrt(x)].map((value) => ({
      value: Math.sqrt(a) * value,
      size: Math.sqrt(a) * value,
    }));
  });
  const [ratio, ratioRest, slope, slopeRest] = low as [Polynomial, Polynomial, Polynomial, Polynomial];
  const [highRatio, highSlope] = high as [Polynomial, Polynomial];
  return {
    letters,
    low: { ratio: [ratio, ratioRest], slope: [slope, slopeRest] },
    high: { ratio: highRatio, slope: highSlope },
  };
}

/** A value to be tabulated, and the size of what it is part of: what is cut off is relative to the least of these. */
interface Sample {
  readonly value: number;
  readonly size: number;
}

/** Chebyshev interpolants in (z, ln a) of each of the values, cut, in powers. */
function interpolated(f: (z: number, a: number) => readonly Sample[]): Polynomial[] {
  const [zs, ys] = [chebyshevNodes(MOST_BY_X), chebyshevNodes(MOST_BY_A)];
  const samples = zs.map((z) => ys.map((y) => f(z, concentrationAt(y))));
  return (samples[0]?.[0] ?? []).map((_, k) => {
    const part = (i: number, j: number) => samples[i]?.[j]?.[k] as Sample;
    const least = Math.min(...samples.flatMap((row) => row.map((each) => Math.abs((each[k] as Sample).size))));
    const byY = zs.map((_, i) => chebyshevCoefficients(ys.map((_, j) => part(i, j).value)));
    const all = transposed(byY).map(chebyshevCoefficients); // [by a][by x]
    const byA = degreeOf(all.map(sizeOfAll), (CUT / 2) * least);
    const byX = degreeOf(transposed(all).map(sizeOfAll), (CUT / 2) * least);
    const kept = all.slice(0, byA + 1).map((row) => powersOf(row.slice(0, byX + 1)));
    return transposed(kept).map(powersOf);
  });
}

function concentrationAt(y: number): number {
  return Math.exp((y - concentrationVariable.shift) / concentrationVariable.scale);
}

function chebyshevNodes(degree: number): number[] {
  return Array.from({ length: degree + 1 }, (_, i) => Math.cos((Math.PI * (i + 0.5)) / (degree + 1)));
}

/** Of the interpolant of values at {@link chebyshevNodes}. */
function chebyshevCoefficients(values: readonly number[]): number[] {
  const count = values.length;
  return values.map((_, k) => {
    const sum = values.reduce((total, value, i) => total + value * Math.cos((Math.PI * k * (i + 0.5)) / count), 0);
    return ((k === 0 ? 1 : 2) * sum) / count;
  });
}

/** The least degree beyond which coefficients of these sizes add up to less than `bound`. */
function degreeOf(sizes: readonly number[], bound: number): number {
  let rest = 0;
  let degree = sizes.length - 1;
  while (degree > 0 && rest + (sizes[degree] as number) < bound) rest += sizes[degree--] as number;
  return degree;
}

const sizeOfAll = (coefficients: readonly number[]) => coefficients.reduce((sum, each) => sum + Math.abs(each), 0);

/** sum of c_k T_k as powers, lowest first. */
function powersOf(coefficients: readonly number[]): number[] {
  const powers = coefficients.map(() => 0);
  let [before, last]: number[][] = [[], [1]];
  for (const [k, coefficient] of coefficients.entries()) {
    (last as number[]).forEach((power, i) => {
      powers[i] = (powers[i] as number) + coefficient * power;
    });
    // T_(k+1) = 2 z T_k - T_(k-1), but T_1 = z
    const next = [0, ...(last as number[]).map((power) => (k === 0 ? power : 2 * power))];
    (before as number[]).forEach((power, i) => {
      next[i] = (next[i] as number) - power;
    });
    [before, last] = [last, next];
  }
  return powers;
}

function transposed(rows: readonly (readonly number[])[]): number[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column] as number));
}
