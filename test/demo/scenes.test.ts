/** The tour's fields, and how formulas are solved: by closed forms. What the tour says in numbers must be so. */
import { describe, expect, test } from "vitest";
import { logDensityBy, solve } from "../../demo/field/integrate.ts";
import { mixtureTruth } from "../../demo/field/mixture.ts";
import { byRadius, radialTruth } from "../../demo/field/radial.ts";
import { sceneFields } from "../../demo/field/scenes.ts";
import { DIVERGENCE, LOG, newLocal, type Truth, UX, UY } from "../../demo/field/truth.ts";
import { circles } from "../../demo/field/truths.ts";

const breathe = async () => {};
const formulaOf = (truth: Truth) => {
  const local = newLocal();
  return (x: number, y: number, t: number, out: Float64Array) => {
    truth.at(x, y, t, local);
    out.set([local[UX]!, local[UY]!, local[DIVERGENCE]!]);
  };
};

describe("a formula", () => {
  // One Gaussian N(m, v I): x_t is N(t m, S I), and points keep their place in it.
  const [m, v] = [[1, -0.5] as const, 0.09];
  const formula = formulaOf(mixtureTruth({ means: m, weights: [1], variances: [v] }));
  const scaleAt = (t: number) => Math.sqrt(t * t * v + (1 - t) ** 2);

  test("carries points to where the flow has them, at each time", async () => {
    const noise = [0.3, -1.2, 2, 0.1];
    const times = [0, 0.25, 0.5, 0.75, 1];
    const { frames } = await solve(formula, noise, { times, steps: 12, breathe });
    times.forEach((t, frame) => {
      noise.forEach((z, i) => {
        expect(frames[4 * frame + i]).toBeCloseTo(t * m[(i % 2) as 0 | 1] + scaleAt(t) * z, 4);
      });
    });
  });

  test.each([0.3, 1])("has the density of the flow at t = %d", async (t) => {
    const points = [0.4, 0.1, 1.3, -0.7];
    const logs = await logDensityBy(formula, points, { t, breathe });
    logs.forEach((log, i) => {
      const square = (points[2 * i]! - t * m[0]) ** 2 + (points[2 * i + 1]! - t * m[1]) ** 2;
      const variance = scaleAt(t) ** 2;
      expect(log).toBeCloseTo(-square / (2 * variance) - Math.log(2 * Math.PI * variance), 3);
    });
  });
});

describe("the tour's two fields", () => {
  const scene = { name: "errors", error: 0.35, waves: 4 } as const;
  const { left, right } = sceneFields(scene);

  test.each([0.1, 0.5, 0.9])("have velocity errors of one size at t = %d", (t) => {
    const [out, truth] = [new Float64Array(3), newLocal()];
    for (const { formula, truth: own } of [left, right]) {
      let [sum, total] = [0, 0];
      for (let x = -4.975; x < 5; x += 0.05) {
        for (let y = -4.975; y < 5; y += 0.05) {
          own.at(x, y, t, truth);
          formula(x, y, t, out);
          const mass = Math.exp(truth[LOG]!);
          sum += mass * ((out[0]! - truth[UX]!) ** 2 + (out[1]! - truth[UY]!) ** 2);
          total += mass;
        }
      }
      expect(Math.sqrt(sum / total)).toBeCloseTo(scene.error, 2);
    }
  });

  test("say the divergence that they have", () => {
    const [out, h] = [new Float64Array(3), 1e-3];
    for (const { formula } of [left, right]) {
      const at = (x: number, y: number, axis: 0 | 1) => {
        formula(x, y, 0.6, out);
        return out[axis]!;
      };
      for (const [x, y] of [
        [1.01, 0.4],
        [-0.3, 1.7],
      ] as const) {
        const slopes = (at(x + h, y, 0) - at(x - h, y, 0) + at(x, y + h, 1) - at(x, y - h, 1)) / (2 * h);
        formula(x, y, 0.6, out);
        expect(out[2]! - slopes).toBeCloseTo(0, 1);
      }
    }
  });

  test("end with the rings on the left, and with others on the right", async () => {
    const radii = Array.from({ length: 60 }, (_, i) => 0.05 + 0.06 * i);
    const points = radii.flatMap((r) => [r, 0]);
    const out = newLocal();
    const distances = await Promise.all(
      [left, right].map(async ({ formula, truth }) => {
        const logs = await logDensityBy(formula, points, { t: 1, breathe });
        return radii.reduce((sum, r, i) => {
          truth.at(r, 0, 1, out);
          return sum + 0.5 * 0.06 * 2 * Math.PI * r * Math.abs(Math.exp(logs[i]!) - Math.exp(out[LOG]!));
        }, 0);
      }),
    );
    expect(distances[0]).toBeLessThan(0.01);
    expect(distances[1]).toBeGreaterThan(0.4);
  });
});

test("what is round is the same from a table along one radius", async () => {
  const exact = mixtureTruth(circles({ radii: [1.1, 2.3], noise: 0.22 }));
  const table = radialTruth(exact);
  const [a, b] = [newLocal(), newLocal()];
  for (const t of [0, 0.4, 0.9]) {
    for (const [x, y] of [
      [0.3, 0.2],
      [-1.1, 1.3],
      [0, 2.4],
      [2, -2],
    ] as const) {
      exact.at(x, y, t, a);
      table.at(x, y, t, b);
      for (let i = 0; i < 6; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(0.02 * (1 + Math.abs(a[i]!)));
    }
  }
  const points = Float32Array.from([0.3, 0.4, -1.5, 2]);
  const squares = await byRadius(points, async (radii) => radii.filter((_, i) => i % 2 === 0).map((r) => r * r));
  expect(squares[0]).toBeCloseTo(0.25, 3);
  expect(squares[1]).toBeCloseTo(6.25, 3);
});
