/** The marginal fields that the page holds models against: held themselves to finite differences, densities and the continuity equation. */
import { describe, expect, test } from "vitest";
import { mixtureTruth } from "../../demo/field/mixture.ts";
import { DIVERGENCE, LOG, newLocal, SX, SY, type Truth, UX, UY } from "../../demo/field/truth.ts";
import { truthOf } from "../../demo/field/truths.ts";
import { checkerboard, eightGaussians, moons, pinwheel, rings, spirals } from "../../src/index.ts";

const unequal = mixtureTruth({
  means: [-1, 0.5, 1.2, -0.4, 0.3, 1.1],
  weights: [0.2, 0.5, 0.3],
  variances: [0.04, 0.2, 0.5],
});
const truths: [string, Truth][] = [
  ["three unequal Gaussians", unequal],
  ["single points", mixtureTruth({ means: [-1, 0.5, 1.2, -0.4], weights: [0.4, 0.6], variances: [0, 0] })],
  ...[checkerboard(), eightGaussians(), moons(), spirals(), rings(), pinwheel()].map((source): [string, Truth] => [
    source.name,
    truthOf(source) as Truth,
  ]),
];

const at = (truth: Truth, x: number, y: number, t: number) => {
  const out = newLocal();
  truth.at(x, y, t, out);
  return Array.from(out);
};

describe.each(truths)("the truth of %s", (_, truth) => {
  const h = 1e-4;
  const places = [0.02, 0.3, 0.6, 0.85].flatMap((t) =>
    [
      [0.3, -0.7],
      [1.4, 1.1],
      [-0.9, 0.2],
    ].map(([x, y]) => [x as number, y as number, t] as const),
  );

  test.each(places)("has derivatives that fit, at (%d, %d), t = %d", (x, y, t) => {
    const here = at(truth, x, y, t);
    const slope = (of: number, axis: "x" | "y" | "t") => {
      const [dx, dy, dt] = [axis === "x" ? h : 0, axis === "y" ? h : 0, axis === "t" ? h : 0];
      return (at(truth, x + dx, y + dy, t + dt)[of]! - at(truth, x - dx, y - dy, t - dt)[of]!) / (2 * h);
    };
    const size = 1 + Math.abs(here[DIVERGENCE]!);
    expect(Math.abs(slope(LOG, "x") - here[SX]!) / size).toBeLessThan(1e-4);
    expect(Math.abs(slope(LOG, "y") - here[SY]!) / size).toBeLessThan(1e-4);
    expect(Math.abs(slope(UX, "x") + slope(UY, "y") - here[DIVERGENCE]!) / size).toBeLessThan(1e-3);
    // d/dt log p + div u + u . s = 0: the field moves this density.
    const change = slope(LOG, "t") + here[DIVERGENCE]! + here[UX]! * here[SX]! + here[UY]! * here[SY]!;
    expect(Math.abs(change) / size).toBeLessThan(1e-3);
  });
});

describe("at the end", () => {
  test.each([eightGaussians(), moons(), rings()])("the density of $name is the source's", (source) => {
    const truth = truthOf(source) as Truth;
    for (const [x, y] of [
      [1, 0.3],
      [-0.6, 0.8],
      [2, 0],
    ] as const) {
      if (source.logDensity) expect(at(truth, x, y, 1)[LOG]).toBeCloseTo(source.logDensity([x, y]), 3);
    }
  });

  test("the checkerboard has no density in its empty squares", () => {
    const truth = truthOf(checkerboard()) as Truth;
    const inside = checkerboard().logDensity?.([1, 1]) as number;
    expect(at(truth, 1, 1, 0.98)[LOG]).toBeCloseTo(inside - 2 * Math.log(0.98), 6);
    expect(at(truth, -1, 1, 0.98)[LOG]).toBeLessThan(-100);
    expect(at(truth, 1, -3, 0.98)[LOG]).toBeCloseTo(inside - 2 * Math.log(0.98), 6);
  });

  test("the pinwheel's is close", () => {
    const [source, truth] = [pinwheel(), truthOf(pinwheel()) as Truth];
    const cell = 0.1;
    let distance = 0;
    for (let x = -5; x < 5; x += cell) {
      for (let y = -5; y < 5; y += cell) {
        distance +=
          0.5 * cell ** 2 * Math.abs(Math.exp(source.logDensity!([x, y])) - Math.exp(at(truth, x, y, 1)[LOG]!));
      }
    }
    expect(distance).toBeLessThan(0.1);
  });
});
