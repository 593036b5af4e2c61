// Every generator of the registry: what is drawn against closed forms and against its own density.
import { describe, expect, test } from "vitest";
import { gaussianMixture } from "../../src/data/gaussian-mixture.ts";
import { dataFrom, dataNames } from "../../src/data/registry.ts";
import { sampleData } from "../../src/data/sample.ts";
import { type DataSource, drawnFrom } from "../../src/data/source.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { random } from "../../src/ops/random.ts";
import { state } from "../../src/ops/sources.ts";
import { byRow, expectMean } from "./statistics.ts";

const COUNT = 40_000;

type Statistic = readonly [name: string, of: (row: ArrayLike<number>) => number, expected: number];

const x: Statistic[1] = (row) => row[0];
const y: Statistic[1] = (row) => row[1];
const squaredLength: Statistic[1] = (row) => row[0] ** 2 + row[1] ** 2;
const centred: readonly Statistic[] = [
  ["x", x, 0],
  ["y", y, 0],
];

interface Case {
  readonly name: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly statistics: readonly Statistic[];
  /** Half the side of a square that holds all but a negligible part, and the distance of grid points in it. */
  readonly grid?: { readonly extent: number; readonly step: number };
}

const cases: readonly Case[] = [
  {
    name: "checkerboard",
    statistics: [
      ...centred,
      ["x squared", (row) => row[0] ** 2, 16 / 12 / 0.45 ** 2],
      ["y squared", (row) => row[1] ** 2, 16 / 12 / 0.45 ** 2],
      ["x y", (row) => row[0] * row[1], 0.25 / 0.45 ** 2],
    ],
  },
  {
    name: "eight-gaussians",
    statistics: [
      ...centred,
      ["squared length", squaredLength, 8 + 2 / 8],
      ["eighth harmonic", (row) => Math.cos(8 * Math.atan2(row[1], row[0])), eighthHarmonic()],
    ],
    grid: { extent: 6, step: 0.1 },
  },
  {
    name: "eight-gaussians",
    options: { radius: 1, std: 0.25 },
    statistics: [["squared length", squaredLength, 1 + 2 / 16]],
    grid: { extent: 3, step: 0.05 },
  },
  {
    name: "moons",
    statistics: [
      ...centred,
      ["x squared", (row) => row[0] ** 2, 3 + 0.04],
      ["y squared", (row) => row[1] ** 2, 9 / 4 - 4 / Math.PI + 0.04],
      ["x y", (row) => row[0] * row[1], 0.5 - 4 / Math.PI],
    ],
  },
  {
    name: "moons",
    options: { noise: 0 },
    statistics: [
      // On the moons and nowhere else: the upper one around (-1, -1/2), the lower one around (1, 1/2).
      [
        "distance from a moon's centre",
        (row) =>
          Math.min(
            Math.abs(Math.hypot(row[0] + 1, row[1] + 0.5) - 2),
            Math.abs(Math.hypot(row[0] - 1, row[1] - 0.5) - 2),
          ) < 1e-5
            ? 1
            : 0,
        1,
      ],
    ],
  },
  {
    name: "spirals",
    statistics: [...centred, ["squared length", squaredLength, Math.PI ** 2 / 2 + 0.02]],
  },
  {
    name: "spirals",
    options: { turns: 1, noise: 0 },
    statistics: [
      ["squared length", squaredLength, (2 * Math.PI) ** 2 / 9 / 2],
      // The radius says the angle, up to half a turn.
      [
        "on an arm",
        (row) => {
          const angle = 3 * Math.hypot(row[0], row[1]);
          return Math.abs(row[0] * Math.sin(angle) + row[1] * Math.cos(angle)) < 1e-5 ? 1 : 0;
        },
        1,
      ],
    ],
  },
  {
    name: "pinwheel",
    statistics: [...centred, ["squared length", squaredLength, 4 * (1 + 0.09 + 0.01)]],
    grid: { extent: 6, step: 0.04 },
  },
  {
    name: "pinwheel",
    options: { arms: 1, radialStd: 0.2, tangentialStd: 0.2, rate: 0 },
    statistics: [
      ["x", x, 2],
      ["y", y, 0],
      ["y squared", (row) => row[1] ** 2, 0.16],
    ],
    grid: { extent: 5, step: 0.1 },
  },
  {
    name: "rings",
    statistics: [...centred, ["squared length", squaredLength, (0.75 ** 2 * (1 + 4 + 9 + 16)) / 4 + 2 * 0.08 ** 2]],
    grid: { extent: 3.8, step: 0.03 },
  },
  {
    name: "rings",
    options: { radii: [0.5, 1], noise: 0.5 },
    statistics: [["squared length", squaredLength, 0.625 + 0.5]],
    grid: { extent: 5, step: 0.1 },
  },
  {
    name: "gaussian-mixture",
    statistics: [
      ["x", x, 0],
      ["x squared", (row) => row[0] ** 2, 4.25],
      ["right half", (row) => (row[0] > 0 ? 1 : 0), 0.5],
    ],
  },
  {
    name: "gaussian-mixture",
    options: {
      weights: [1, 0, 6, 3],
      means: [
        [0, 1],
        [50, 50],
        [-1, -1],
        [2, 0.5],
      ],
      variances: [0.25, 1, [0.5, 0.1], [0.3, 0.3]],
    },
    statistics: [
      ["x", x, 0],
      ["y", y, -0.35],
      ["x squared", (row) => row[0] ** 2, 0.1 * 0.25 + 0.6 * 1.5 + 0.3 * 4.3],
      ["y squared", (row) => row[1] ** 2, 0.1 * 1.25 + 0.6 * 1.1 + 0.3 * 0.55],
    ],
    grid: { extent: 7, step: 0.1 },
  },
];

/** E cos(8 angle) of N((r, 0), s^2 I), by a sum over a grid that resolves s: the same for each of the eight. */
function eighthHarmonic(): number {
  const std = Math.SQRT2 / 4;
  let sum = 0;
  let mass = 0;
  for (let i = -160; i <= 160; i++) {
    for (let j = -160; j <= 160; j++) {
      const weight = Math.exp(-(i * i + j * j) / 800);
      mass += weight;
      sum += weight * Math.cos(8 * Math.atan2((j * std) / 20, 2 * Math.SQRT2 + (i * std) / 20));
    }
  }
  return sum / mass;
}

const sourceOf = ({ name, options = {} }: Case) => dataFrom({ name, options });
const labelled = cases.map((each) => ({ ...each, label: `${each.name} ${JSON.stringify(each.options ?? {})}` }));

/** A batch as a training step draws it. */
function batch(source: DataSource, rows: number, step: number, seed = 5): Float64Array {
  let stream = 0x200;
  const { points: drawn } = drawnFrom(source, {
    rows,
    random: (kind, shape, { bound } = {}) =>
      random(kind, shape, {
        seed: state({ name: "seed", shape: [2], dtype: "u32" }),
        counter: state({ name: "step", shape: [1], dtype: "u32" }),
        stream: stream++,
        ...(bound === undefined ? {} : { bound }),
      }),
    state: (name, shape, dtype) => state({ name, shape, dtype }),
  });
  expect(drawn.shape).toEqual([rows, source.dimension]);
  expect(drawn.dtype).toBe("f32");
  return evaluate(
    [drawn],
    new Map([
      ["seed", { shape: [2], data: Float64Array.of(seed, 0) }],
      ["step", { shape: [1], data: Float64Array.of(step) }],
    ]),
  )[0].data;
}

test("every generator has a case", () => {
  expect(new Set(cases.map(({ name }) => name))).toEqual(new Set(dataNames));
});

describe.each(labelled)("$label", (each) => {
  const source = sourceOf(each);
  const points = sampleData(source, COUNT, 11);

  test.each(each.statistics)("mean of %s", (_name, of, expected) => {
    expectMean(byRow(points, source.dimension, of), expected);
  });

  test("a step's batch is a function of seed and step", () => {
    const first = batch(source, 33, 7);
    expect(batch(source, 33, 7)).toEqual(first);
    expect(batch(source, 33, 8)).not.toEqual(first);
    expect(batch(source, 33, 7, 6)).not.toEqual(first);
    expect(batch(source, 1, 7)).toHaveLength(source.dimension);
  });

  test("name and options make it again", () => {
    const again = dataFrom(JSON.parse(JSON.stringify({ name: source.name, options: source.options })));
    expect(again.options).toEqual(source.options);
    expect(sampleData(again, 50, 3)).toEqual(sampleData(source, 50, 3));
  });
});

describe.each(labelled.filter((each) => sourceOf(each).logDensity))("exact density of $label", (each) => {
  const source = sourceOf(each);
  const { dimension } = source;
  const logDensity = source.logDensity as NonNullable<DataSource["logDensity"]>;
  const points = sampleData(source, COUNT, 12);

  test("its mean over samples is minus the entropy", () => {
    expectMean(byRow(points, dimension, logDensity), -(source.entropy as number));
  });

  if (each.grid) {
    const { extent, step } = each.grid;
    test("it integrates to 1", () => {
      let mass = 0;
      for (let a = -extent; a <= extent; a += step) {
        for (let b = -extent; b <= extent; b += step) mass += Math.exp(logDensity([a, b])) * step * step;
      }
      expect(Math.abs(mass - 1)).toBeLessThan(1e-5);
    });
  }

  const { score } = source;
  if (score) {
    test("the score is the slope of the log-density", () => {
      // Central differences in f64: truncation ~ h^2 (log p)''' / 6, rounding ~ 2^-53 |log p| / h. Measured: below 2e-6.
      const h = 1e-5;
      for (let row = 0; row < 200; row++) {
        const point = [...points.subarray(row * dimension, (row + 1) * dimension)];
        const slope = score(point);
        point.forEach((value, i) => {
          const at = (moved: number) => logDensity(point.map((other, j) => (j === i ? moved : other)));
          const difference = (at(value + h) - at(value - h)) / (2 * h);
          expect(Math.abs(slope[i] - difference)).toBeLessThan(1e-5 * Math.max(1, Math.abs(difference)));
        });
      }
    });

    test("the mean of score . x is -D (integration by parts)", () => {
      const products = byRow(points, dimension, (row) => score(row).reduce((sum, s, i) => sum + s * row[i], 0));
      expectMean(products, -dimension);
    });
  }

  test("a point of another length is refused", () => {
    expect(() => logDensity(new Array(dimension + 1).fill(0))).toThrow(DataError);
    if (score) expect(() => score([])).toThrow(DataError);
  });
});

describe("options outside their ranges", () => {
  const bad: readonly (readonly [string, Record<string, unknown>])[] = [
    ["checkerboard", { cells: 4 }],
    ["eight-gaussians", { radius: 0 }],
    ["eight-gaussians", { std: Number.NaN }],
    ["eight-gaussians", { std: -1 }],
    ["moons", { noise: -0.1 }],
    ["moons", { noise: "0.1" }],
    ["moons", { noice: 0.1 }],
    ["spirals", { turns: 0 }],
    ["spirals", { noise: Number.POSITIVE_INFINITY }],
    ["pinwheel", { arms: 0 }],
    ["pinwheel", { arms: 2.5 }],
    ["pinwheel", { radialStd: 0 }],
    ["pinwheel", { tangentialStd: -0.1 }],
    ["pinwheel", { rate: Number.NaN }],
    ["rings", { radii: [] }],
    ["rings", { radii: 1 }],
    ["rings", { radii: [1, -1] }],
    ["rings", { noise: 0 }],
    ["gaussian-mixture", { means: [] }],
    ["gaussian-mixture", { means: [[]] }],
    ["gaussian-mixture", { means: [1, 2] }],
    ["gaussian-mixture", { means: [[1], [2, 3]] }],
    ["gaussian-mixture", { means: [[1], [Number.NaN]] }],
    ["gaussian-mixture", { weights: [1] }],
    ["gaussian-mixture", { weights: [1, -1] }],
    ["gaussian-mixture", { weights: [0, 0] }],
    ["gaussian-mixture", { weights: [1, Number.POSITIVE_INFINITY] }],
    ["gaussian-mixture", { weights: "equal" }],
    ["gaussian-mixture", { variances: [1] }],
    ["gaussian-mixture", { variances: [1, 0] }],
    ["gaussian-mixture", { variances: [1, [1, 1]] }],
    ["gaussian-mixture", { variances: [1, [-1]] }],
  ];
  test.each(bad)("%s %j", (name, options) => {
    expect(() => dataFrom({ name, options })).toThrow(ConfigError);
  });

  test("the message names the option and its place", () => {
    expect(() => dataFrom({ name: "gaussian-mixture", options: { weights: [1, -1] } })).toThrow(
      "weights[1] of gaussianMixture: got -1, expected a number in [0, Infinity)",
    );
  });

  test.each([[0], [-1], [1.5], [Number.NaN]])("sampleData of %s points", (count) => {
    expect(() => sampleData(dataFrom({ name: "moons", options: {} }), count)).toThrow(ConfigError);
  });

  test("sampleData with a seed that is no integer", () => {
    expect(() => sampleData(dataFrom({ name: "moons", options: {} }), 3, 0.5)).toThrow(ConfigError);
  });

  test("an unknown name", () => {
    expect(() => dataFrom({ name: "chessboard", options: {} })).toThrow(ConfigError);
  });
});

test.each([
  ["a mean", { means: [[1e39], [0]] }, /means\[0\]\[0\].*3.4e38/],
  ["a variance that is large", { variances: [1e80, 1] }, /standard deviation of variances\[0\]\[0\].*1e\+?40/],
  ["a variance that is small", { variances: [1, 1e-80] }, /standard deviation of variances\[1\]\[0\].*1e-40/],
])("a mixture refuses %s beyond f32", (_name, options, message) => {
  expect(() => gaussianMixture(options)).toThrow(ConfigError);
  expect(() => gaussianMixture(options)).toThrow(message);
});
