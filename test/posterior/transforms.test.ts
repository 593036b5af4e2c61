// Bounded parameters: ways to the whole line and back, their Jacobians by differences and by closed forms, and what priors draw.
import { describe, expect, test } from "vitest";
import { normalCdf, normalDensity } from "../../src/ops/special.ts";
import { JointPrior } from "../../src/posterior/parameters.ts";
import {
  boundsOf,
  fromLine,
  logJacobianAt,
  logJacobianSlope,
  normalQuantile,
  parseTransform,
  type Transform,
  toLine,
  transformOf,
} from "../../src/posterior/transforms.ts";
import { definePrior, logNormal, logUniform, normal, type Prior, uniform } from "../../src/posterior.ts";
import { RandomSequence } from "../../src/transport/random-sequence.ts";

const kinds: readonly Transform[] = [
  { kind: "unbounded", mean: 3, deviation: 0.2 },
  { kind: "above", low: -2, mean: 1, deviation: 0.7 },
  { kind: "below", high: 5, mean: -1, deviation: 1.3 },
  { kind: "between", low: -3, high: 0.5 },
  { kind: "logBetween", low: 1e-3, high: 20 },
];

test("normal quantiles are those of tables, and the CDF's inverse to 1e-12 of the share", () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 13);
  expect(normalQuantile(1e-9)).toBeCloseTo(-5.9978070150076865, 12);
  for (const p of [1e-300, 1e-16, 1e-5, 0.02, 0.03, 0.4, 0.5, 0.7, 0.99, 1 - 1e-12]) {
    expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 12);
  }
});

describe.each(kinds)("$kind", (transform) => {
  const [low, high] = boundsOf(transform);

  test("leads there and back", () => {
    for (let z = -5; z <= 5; z += 0.25) {
      const x = fromLine(transform, z);
      expect(x).toBeGreaterThan(low);
      expect(x).toBeLessThan(high);
      expect(toLine(transform, x)).toBeCloseTo(z, 8);
    }
  });

  // Central differences: truncation and rounding are some 1e-10 of the slope.
  test("has the Jacobian of its differences, and that has the slope of its own", () => {
    const h = 1e-5;
    for (let z = -3; z <= 3; z += 0.37) {
      const slope = (fromLine(transform, z + h) - fromLine(transform, z - h)) / (2 * h);
      expect(logJacobianAt(transform, z)).toBeCloseTo(-Math.log(Math.abs(slope)), 7);
      const change = (logJacobianAt(transform, z + h) - logJacobianAt(transform, z - h)) / (2 * h);
      expect(logJacobianSlope(transform, z)).toBeCloseTo(change, 7);
    }
  });

  test("no number whatsoever leads outside the bounds", () => {
    for (const z of [-1e6, -100, -40, -9, -8, 8, 9, 40, 100]) {
      const x = fromLine(transform, z);
      expect(x).toBeGreaterThanOrEqual(low);
      expect(x).toBeLessThanOrEqual(high);
    }
  });

  test("is the same from its JSON, and damaged JSON is none", () => {
    const json = JSON.parse(JSON.stringify(transform)) as Record<string, unknown>;
    expect(parseTransform(json)).toEqual(transform);
    for (const name of Object.keys(json)) expect(parseTransform({ ...json, [name]: null })).toBeUndefined();
  });
});

test("ends of intervals have finite coordinates, ends of half-lines have none", () => {
  for (const transform of kinds.slice(3)) {
    const [low, high] = boundsOf(transform);
    expect(toLine(transform, low)).toBeCloseTo(-8.2, 1);
    expect(toLine(transform, high)).toBeCloseTo(8.2, 1);
  }
  expect(toLine(kinds[1] as Transform, -2)).toBe(Number.NEGATIVE_INFINITY);
});

// A standard normal of the coordinate is the prior itself: its density in the user's units has a closed form.
describe("the prior is standard normal on the line", () => {
  const logNormalDensity = (x: number) => normalDensity((Math.log(x) - 0.3) / 0.6) / (0.6 * x);
  const cases: readonly (readonly [Prior, number, number])[] = [
    [uniform({ low: -1, high: 4 }), 1.7, 1 / 5],
    [logUniform({ low: 0.1, high: 10 }), 2.5, 1 / (2.5 * Math.log(100))],
    [normal({ mean: 2, deviation: 3 }), 1, normalDensity(-1 / 3) / 3],
    [logNormal({ mean: 0.3, deviation: 0.6 }), 1.2, logNormalDensity(1.2)],
  ];
  test.each(cases.map(([prior, x, density]) => ({ name: prior.name, prior, x, density })))(
    "$name",
    ({ prior, x, density }) => {
      const [transform] = prior.transforms as readonly [Transform];
      const z = toLine(transform, x);
      expect(normalDensity(z) * Math.exp(logJacobianAt(transform, z))).toBeCloseTo(density, 12);

      // What it draws: mean and variance of the coordinate, 4 standard errors of 4000 draws.
      const random = new RandomSequence(5, 0x70);
      const drawn = Float64Array.from({ length: 4000 }, () => toLine(transform, prior.draw(random) as number));
      const mean = drawn.reduce((sum, each) => sum + each / 4000, 0);
      const variance = drawn.reduce((sum, each) => sum + (each - mean) ** 2 / 4000, 0);
      expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(4000));
      expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / 4000));
    },
  );
});

describe("several parameters", () => {
  const prior = new JointPrior({
    rate: logUniform({ low: 0.01, high: 1 }),
    place: uniform({ low: [-1, -2], high: 3 }),
  });

  test("are one row, by name and back", () => {
    expect(prior.columns).toEqual(["rate", "place[0]", "place[1]"]);
    const { row, parameters } = prior.draw(new RandomSequence(1, 0x70));
    expect(parameters).toEqual({ rate: row[0], place: row.slice(1) });
    expect(prior.parameters(row)).toEqual(parameters);
    const rows = prior.rows("points", { rate: [0.1, 0.2], place: [0, 1, 2, 3] });
    expect([...rows]).toEqual([0.1, 0, 1, 0.2, 2, 3]);
    expect([...(prior.byName(rows)["place"] as Float64Array)]).toEqual([0, 1, 2, 3]);
    expect(prior.rows("points", [[0.1, 0, 1]])).toEqual(prior.rows("points", { rate: 0.1, place: [0, 1] }));
  });

  test("their Jacobian is the product of theirs, and a row with one outside is none", () => {
    const z = prior.toLine(Float64Array.of(0.1, 0, 1, 0.1, 0, 3.5));
    const sum = prior.transforms.reduce((total, each, k) => total + logJacobianAt(each, z[k] as number), 0);
    expect(prior.logJacobian(z.subarray(0, 3))[0]).toBeCloseTo(sum, 12);
    expect([...z.subarray(3)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test.each([
    [{ rate: 0.1 }, /place\[0\]|numbers/],
    [{ rate: 0.1, place: [0, 1], speed: 2 }, /speed.*rate, place\[0\], place\[1\]/],
    [{ rate: [0.1, 0.2], place: [0, 1] }, /2 numbers for rate, 2 numbers for place/],
    [[0.1, 0], /2 numbers.*rows of 3/],
    [[0.1, 0, Number.NaN], /NaN in row 0/],
  ])("%o is refused", (given, message) => {
    expect(() => prior.rows("points", given as never)).toThrow(message);
  });
});

test.each([
  [() => uniform({ low: 1, high: 1 }), /high of uniform/],
  [() => uniform({ low: [0, 0], high: [1, 1, 1] }), /2 numbers and 3 numbers/],
  [() => logUniform({ low: 0, high: 1 }), /low of logUniform/],
  [() => normal({ mean: 0, deviation: 0 }), /deviation of normal/],
  [() => definePrior({ name: "x", bounds: [[1, 0]], draw: () => [0] }), /bounds\[0\]/],
  [() => definePrior({ name: "x", bounds: [], draw: () => [0] }), /bounds\[0\]/],
  [() => definePrior({ name: "x", bounds: [[0, 1]], draw: () => [2] }).draw(new RandomSequence(0, 0x70)), /within/],
  [() => new JointPrior({} as never), /a prior for each parameter/],
])("a wrong prior is told so: %s", (make, message) => {
  expect(make).toThrow(message);
});

test("bounds choose the transform", () => {
  expect(transformOf([0, 1]).kind).toBe("between");
  expect(transformOf([0, Number.POSITIVE_INFINITY]).kind).toBe("above");
  expect(transformOf([Number.NEGATIVE_INFINITY, 0]).kind).toBe("below");
  expect(transformOf([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]).kind).toBe("unbounded");
});
