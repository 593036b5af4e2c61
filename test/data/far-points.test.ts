// Log-densities and scores of every source at points that are huge, tiny or infinite: right limits, and never NaN.
import { describe, expect, test } from "vitest";
import { directionOf } from "../../src/data/point.ts";
import { dataFrom, dataNames } from "../../src/data/registry.ts";

const infinity = Number.POSITIVE_INFINITY;
const sizes = [
  0,
  5e-324,
  1e-310,
  1e-200,
  1e-30,
  1e-8,
  1,
  10,
  75,
  77,
  100,
  1e3,
  1e6,
  1e30,
  1e154,
  1e200,
  1.7e308,
  infinity,
];
const coordinates = [...sizes, ...sizes.map((size) => -size)];

const options: Record<string, Record<string, unknown>[]> = {
  "eight-gaussians": [{}, { radius: 1e30, std: 1e-30 }, { radius: 1.2e-38, std: 1e30 }],
  pinwheel: [{}, { rate: 0 }, { rate: -3 }, { rate: 1e-30 }, { arms: 1, radialStd: 1e-20, tangentialStd: 1e20 }],
  rings: [{}, { noise: 1e-30 }, { noise: 1e30 }, { radii: [1e-30, 1e30] }],
  "gaussian-mixture": [
    {},
    {
      means: [
        [-1, 2],
        [3, 1],
        [0, 0],
      ],
      variances: [
        [1, 4],
        [0.1, 9],
        [4, 1],
      ],
    },
    {
      means: [
        [0, 0],
        [1, 1],
      ],
      variances: [1e-70, 1e70],
    },
    { means: [[1e6, -1e6]], variances: [1e-10] },
  ],
};

const cases = dataNames.flatMap((name) =>
  (options[name] ?? [{}]).map((given) => [name, given, dataFrom({ name, options: given })] as const),
);

function pointsOf(dimension: number): number[][] {
  if (dimension === 1) return coordinates.map((x) => [x]);
  return coordinates.flatMap((x) => coordinates.map((y) => [x, y]));
}

describe.each(cases.filter(([, , source]) => source.logDensity))("%s %j", (_name, _options, source) => {
  const points = pointsOf(source.dimension);

  test("a log-density is a number or -Infinity, and -Infinity at infinite points", () => {
    for (const point of points) {
      const value = source.logDensity!(point);
      if (Number.isNaN(value) || value === infinity) expect({ point, value }).toEqual("a number or -Infinity");
      if (point.some((x) => !Number.isFinite(x))) expect(value).toBe(-infinity);
    }
  });

  test("a score is no NaN, and points inwards far out", () => {
    if (!source.score) return;
    for (const point of points) {
      const score = source.score(point);
      if (score.length !== point.length || score.some(Number.isNaN)) expect({ point, score }).toEqual("numbers");
      const size = Math.max(...point.map(Math.abs));
      // Beyond all that options say, the density falls.
      if (size < 1e301) continue;
      const along = directionOf(point).reduce((sum, d, i) => sum + (d === 0 ? 0 : d * score[i]), 0);
      if (!(along < 0)) expect({ point, score }).toEqual("inwards");
    }
  });

  test("a point that is NaN has no density", () => {
    for (const other of [0, infinity]) {
      const point = Array.from({ length: source.dimension }, (_, i) => (i === 0 ? Number.NaN : other));
      expect(source.logDensity!(point)).toBe(-infinity);
      if (source.score) expect(source.score(point)).toEqual(point.map(() => 0));
    }
  });
});

test("far out, a mixture's score is that of the component that falls off most slowly", () => {
  const mixture = dataFrom({
    name: "gaussian-mixture",
    options: {
      means: [
        [0, 0],
        [5, -5],
      ],
      variances: [1, 4],
    },
  });
  expect(mixture.score!([1e200, 0])).toEqual([-1e200 / 4, -5 / 4]);
  expect(mixture.score!([0, -infinity])).toEqual([5 / 4, infinity]);
  const [at] = mixture.score!([1e100, 0]); // all of it in f64 still
  expect(at / (-1e100 / 4)).toBeCloseTo(1, 12);
});

test("a pinwheel is bounded by what the best angle gives, where its own has no digits", () => {
  const pinwheel = dataFrom({ name: "pinwheel", options: {} });
  const logNormalizer = -Math.log(2 * Math.PI * 0.3 * 0.1) - Math.log(5) - 2 * Math.log(2);
  const radius = Math.hypot(1e6, 1e6);
  const expected = -0.5 * ((radius / 2 - 1) / 0.3) ** 2 + logNormalizer;
  expect(pinwheel.logDensity!([1e6, -1e6]) / expected).toBeCloseTo(1, 12);
  for (const size of [78, 90, 500, 1e5]) {
    const step = size * 1e-6;
    const slope = (pinwheel.logDensity!([size + step, 0]) - pinwheel.logDensity!([size - step, 0])) / (2 * step);
    const [x, y] = pinwheel.score!([size, 0]);
    expect(slope / x).toBeCloseTo(1, 6);
    expect(y).toBe(0);
  }
});

test("rings far out fall like the widest one", () => {
  const rings = dataFrom({ name: "rings", options: {} });
  expect(rings.score!([1e200, 0])).toEqual([(3 - 1e200) / 0.08 ** 2, 0]);
  expect(rings.score!([0, -infinity])).toEqual([0, infinity]);
});

test("directions are of length 1, also of what f64 cannot square", () => {
  expect(directionOf([0, 0])).toEqual([0, 0]);
  expect(directionOf([-infinity, 3])).toEqual([-1, 0]);
  for (const point of [
    [3e307, 4e307],
    [3e-320, 4e-320],
    [3, 4],
  ]) {
    const [x, y] = directionOf(point);
    expect(x).toBeCloseTo(0.6, 3);
    expect(y).toBeCloseTo(0.8, 3);
  }
});
