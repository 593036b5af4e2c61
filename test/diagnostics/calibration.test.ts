// Calibration in closed form: Gaussian posteriors that are right, too narrow, too wide, shifted, or wrongly correlated.
import { describe, expect, test } from "vitest";
import { intervalCoverage, sbc, tarp } from "../../src/diagnostics/calibration.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { normals } from "../transport/clouds.ts";

interface Wrong {
  /** Deviation of the draws, over what is right. */
  readonly width?: number;
  /** Shift of the draws, in deviations of the posterior. */
  readonly shift?: number;
}

/**
 * Parameters N(0, I) in D dimensions, data parameter + noise of deviation 0.8 each: the posterior is N(x / 1.64, 0.64 / 1.64), by
 * coordinate.
 */
function simulated(truths: number, draws: number, seed: number, { width = 1, shift = 0 }: Wrong = {}, dimension = 2) {
  const normal = normals(seed);
  const deviation = Math.sqrt(0.64 / 1.64);
  const parameters = Float64Array.from({ length: truths * dimension }, normal);
  const means = parameters.map((value) => (value + 0.8 * normal()) / 1.64);
  const values = new Float64Array(truths * draws * dimension);
  for (let at = 0; at < values.length; at++) {
    const i = Math.floor(at / (draws * dimension));
    values[at] = means[i * dimension + (at % dimension)] + deviation * (shift + width * normal());
  }
  return {
    truths: { values: parameters, shape: [truths, dimension] },
    draws: { values, shape: [truths, draws, dimension] },
  };
}

/** In how many of so many tries. */
function times(tries: number, is: (seed: number) => boolean): number {
  return Array.from({ length: tries }, (_, seed) => is(seed + 1)).filter(Boolean).length;
}

const [truths, draws, tries] = [200, 100, 60];
const known = new Map<string, ReturnType<typeof judged>>(); // bands take a tenth of a second each
const judged = (wrong: Wrong, seed: number) => {
  const made = simulated(truths, draws, seed, wrong, 1);
  const [one] = sbc(made.truths, made.draws, { seed, points: 20 });
  return { one, curve: tarp(made.truths, made.draws, { seed, points: 20 }) };
};
function found(wrong: Wrong, seed: number) {
  const key = JSON.stringify([wrong, seed]);
  const made = known.get(key) ?? judged(wrong, seed);
  known.set(key, made);
  return made;
}

describe("sbc", () => {
  // By chance 0.05 of the tries each: of 60 more than 9 once in 1,000 times.
  test("of right posteriors its tests hold their level, and the bands theirs", () => {
    expect(times(tries, (seed) => found({}, seed).one.kolmogorovSmirnov.pValue < 0.05)).toBeLessThan(10);
    expect(times(tries, (seed) => found({}, seed).one.chiSquare.pValue < 0.05)).toBeLessThan(10);
    expect(times(tries, (seed) => !found({}, seed).one.isWithin)).toBeLessThan(10);
  });

  test.each<[string, Wrong]>([
    ["too narrow by 1.5", { width: 1 / 1.5 }],
    ["too wide by 1.5", { width: 1.5 }],
    ["shifted by half a deviation", { shift: 0.5 }],
  ])("finds posteriors that are %s in at least 57 of 60 tries, by chi-square at 0.01 and by the bands", (_, wrong) => {
    expect(times(tries, (seed) => found(wrong, seed).one.chiSquare.pValue < 0.01)).toBeGreaterThanOrEqual(57);
    expect(times(tries, (seed) => !found(wrong, seed).one.isWithin)).toBeGreaterThanOrEqual(57);
  });

  test("says which way: ends of overconfident ones, the middle of underconfident ones, one side of shifted ones", () => {
    const ends = (wrong: Wrong) => {
      const { counts } = found(wrong, 3).one.chiSquare;
      const [low, middle, high] = [counts[0], counts[Math.floor(counts.length / 2)], counts[counts.length - 1]];
      return { low, middle, high };
    };
    const narrow = ends({ width: 0.5 });
    expect(Math.min(narrow.low, narrow.high)).toBeGreaterThan(2 * narrow.middle);
    const wide = ends({ width: 2 });
    expect(wide.middle).toBeGreaterThan(3 * Math.max(wide.low, wide.high));
    const shifted = ends({ shift: 1 });
    expect(shifted.low).toBeGreaterThan(3 * shifted.high); // draws too high: the truth is low among them
  });

  test("ranks are numbers of draws below, equal ones a share of them", () => {
    const [{ ranks }] = sbc(
      [[0.5], [2], [-1]],
      [
        [[0], [1]],
        [[0], [1]],
        [[0], [1]],
      ],
      { bins: 2 },
    );
    expect([...ranks]).toEqual([1, 2, 0]);
    const equal = { values: new Float64Array(3000), shape: [300, 9, 1] };
    const [{ ranks: shared }] = sbc(
      { values: new Float64Array(300), shape: [300, 1] },
      { values: equal.values.slice(0, 2700), shape: equal.shape },
    );
    expect(new Set(shared).size).toBe(10);
    expect(shared.reduce((sum, rank) => sum + rank, 0) / 300).toBeCloseTo(4.5, 0);
  });

  test("takes draws of one coordinate without its axis, and gives each coordinate of several", () => {
    const { truths: given, draws: drawn } = simulated(60, 9, 1);
    expect(sbc(given, drawn)).toHaveLength(2);
    expect(
      sbc(
        [[1], [2]],
        [
          [0, 3],
          [0, 3],
        ],
        { bins: 2 },
      )[0].ranks,
    ).toEqual(Uint32Array.of(1, 1));
  });
});

describe("tarp", () => {
  test("of right posteriors the curve is within its bands", () => {
    expect(times(tries, (seed) => !found({}, seed).curve.isWithin)).toBeLessThan(10);
    expect(times(tries, (seed) => found({}, seed).curve.kolmogorovSmirnov.pValue < 0.05)).toBeLessThan(10);
  });

  test.each<[string, Wrong]>([
    ["too narrow by 2", { width: 0.5 }],
    ["too wide by 2", { width: 2 }],
  ])("finds posteriors that are %s in at least 57 of 60 tries", (_, wrong) => {
    expect(times(tries, (seed) => !found(wrong, seed).curve.isWithin)).toBeGreaterThanOrEqual(57);
  });

  // Data are the sum of two parameters: their posterior is correlated by -0.9, and each one alone N(x / (2 + s^2), ...).
  test("finds correlations that are left out, where each coordinate alone is right and sbc sees nothing", () => {
    const noise = 0.1;
    const [truths, draws] = [1000, 40]; // of 200 truths it is seen in one of four tries only
    const make = (seed: number, correlated: boolean) => {
      const normal = normals(seed);
      const [parameters, values]: [number[], number[]] = [[], []];
      const variance = 1 - 1 / (2 + noise);
      const correlation = -1 / (2 + noise) / variance;
      for (let i = 0; i < truths; i++) {
        const pair = [normal(), normal()];
        const x = pair[0] + pair[1] + Math.sqrt(noise) * normal();
        parameters.push(...pair);
        for (let draw = 0; draw < draws; draw++) {
          const [a, b] = [normal(), normal()];
          const other = correlated ? correlation * a + Math.sqrt(1 - correlation ** 2) * b : b;
          values.push(x / (2 + noise) + Math.sqrt(variance) * a, x / (2 + noise) + Math.sqrt(variance) * other);
        }
      }
      return [
        { values: parameters, shape: [truths, 2] },
        { values, shape: [truths, draws, 2] },
      ] as const;
    };
    expect(times(10, (seed) => !tarp(...make(seed, false), { seed, points: 20 }).isWithin)).toBeGreaterThanOrEqual(9);
    expect(times(10, (seed) => !tarp(...make(seed, true), { seed, points: 20 }).isWithin)).toBeLessThan(4);
    const wrong = times(10, (seed) =>
      sbc(...make(seed, false), { seed, points: 5 }).some((one) => one.chiSquare.pValue < 0.005),
    );
    expect(wrong).toBeLessThan(3);
  });

  test("does not depend on the units of a coordinate", () => {
    const made = simulated(60, 20, 1);
    const inOtherUnits = ({ values, shape }: { values: Float64Array; shape: number[] }) => ({
      values: values.map((value, at) => (at % 2 === 0 ? 1024 * value : value)),
      shape,
    });
    const { ranks } = tarp(made.truths, made.draws);
    expect(tarp(inOtherUnits(made.truths), inOtherUnits(made.draws)).ranks).toEqual(ranks);
  });

  test("takes reference points, and equal seeds give equal curves", () => {
    const made = simulated(50, 20, 1);
    expect(tarp(made.truths, made.draws)).toEqual(tarp(made.truths, made.draws));
    const references = { values: new Float64Array(100).fill(9), shape: [50, 2] };
    const far = tarp(made.truths, made.draws, { references });
    expect(far.isWithin).toBe(true);
    expect(() => tarp(made.truths, made.draws, { references: [[1, 2]] })).toThrow(DataError);
  });
});

describe("intervalCoverage", () => {
  test("of right posteriors is the level, within 4 standard errors; of narrow ones below, of wide ones above", () => {
    const cover = (wrong: Wrong) => {
      const made = simulated(1000, 50, 4, wrong);
      return intervalCoverage(made.truths, made.draws);
    };
    for (const { level, coverage, standardError } of cover({})) {
      for (const share of coverage) expect(Math.abs(share - level)).toBeLessThan(4 * standardError);
    }
    // Of half the deviation the central 0.8 reaches to 0.64 deviations: 0.478.
    const narrow = cover({ width: 0.5 }).find(({ level }) => level === 0.8);
    for (const share of narrow?.coverage ?? []) expect(Math.abs(share - 0.478)).toBeLessThan(0.06);
    for (const share of cover({ width: 2 })[0].coverage) expect(share).toBeGreaterThan(0.75);
  });

  test("few draws do not bias it", () => {
    const made = simulated(4000, 4, 5, {}, 1);
    const [half] = intervalCoverage(made.truths, made.draws, { levels: [0.5] });
    expect(Math.abs(half.coverage[0] - 0.5)).toBeLessThan(4 * half.standardError);
  });
});

describe("refuses", () => {
  const { truths: given, draws: drawn } = simulated(30, 5, 1);
  test.each<[string, () => unknown, RegExp]>([
    [
      "draws of other counts",
      () => sbc(given, { ...drawn, shape: [25, 6, 2] }),
      /shape of draws of sbc.*\[30, draws, 2\]/,
    ],
    ["flat draws", () => tarp(given, { values: drawn.values, shape: [300] }), /shape of draws of tarp/],
    ["truths that are not finite", () => sbc([[Number.NaN]], [[[1]]]), /truths of sbc, row 0/],
    ["draws that are not", () => sbc([[1]], [[[Infinity]]]), /draws of sbc, row 0/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(DataError);
    expect(call).toThrow(message);
  });

  test("levels and bins out of range", () => {
    expect(() => intervalCoverage(given, drawn, { levels: [1] })).toThrow(ConfigError);
    expect(() => intervalCoverage(given, drawn, { levels: [] })).toThrow(/levels/);
    expect(() => sbc(given, drawn, { bins: 7 })).toThrow(/bins.*from 2 to 6/);
    expect(() => sbc(given, drawn, { level: 0 })).toThrow(/level/);
  });
});
