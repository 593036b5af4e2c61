// The benchmark's tasks: moments of simulators, likelihoods that are densities, and exact posteriors, against closed forms and sums.
import { describe, expect, test } from "vitest";
import {
  gaussianLinear,
  gaussianMixtureTask,
  type PosteriorTask,
  slcp,
  twoMoons,
} from "../../../src/cli/experiment/posterior-tasks.ts";
import { RandomSequence } from "../../../src/transport/random-sequence.ts";

/** Mean and covariance of draws. */
function moments(count: number, draw: () => ArrayLike<number>) {
  const rows = Array.from({ length: count }, () => Array.from(draw()));
  const mean = (rows[0] ?? []).map((_, k) => rows.reduce((sum, row) => sum + row[k] / count, 0));
  const covariance = mean.map((_, i) =>
    mean.map((_one, j) => rows.reduce((sum, row) => sum + ((row[i] - mean[i]) * (row[j] - mean[j])) / count, 0)),
  );
  return { mean, covariance };
}

const count = 20_000;
const simulated = (task: PosteriorTask, parameters: readonly number[]) => {
  const random = new RandomSequence(11, 0x70);
  return moments(count, () => task.simulate(parameters, { random }));
};

/** Within so many standard errors of draws with this variance. */
const near = (value: number, expected: number, variance: number) =>
  expect(Math.abs(value - expected)).toBeLessThan(4.5 * Math.sqrt(variance / count));

test("gaussian_linear: moments, likelihood and posterior", () => {
  const task = gaussianLinear();
  expect(task.prior.dimension).toBe(10);
  const parameters = Array.from({ length: 10 }, (_, k) => 0.3 - 0.1 * k);
  const { mean, covariance } = simulated(task, parameters);
  for (let i = 0; i < 10; i++) {
    near(mean[i], parameters[i], 0.1);
    for (let j = 0; j < 10; j++) near(covariance[i][j], i === j ? 0.1 : 0, i === j ? 0.02 : 0.01);
  }
  const x = parameters.map((each) => each + 0.2);
  expect(task.logLikelihood(parameters, x)).toBeCloseTo(-0.5 * (10 * 0.4 + 10 * Math.log(2 * Math.PI * 0.1)), 12);
  const random = new RandomSequence(12, 0x70);
  const drawn = moments(count, () => task.drawPosterior?.(x, random) ?? []);
  near(drawn.mean[3], x[3] / 2, 0.05);
  near(drawn.covariance[3][3], 0.05, 0.005);
});

test("gaussian_mixture: moments, and the likelihood where one part is all", () => {
  const task = gaussianMixtureTask();
  const { mean, covariance } = simulated(task, [2, -7]);
  near(mean[0], 2, 0.505);
  near(mean[1], -7, 0.505);
  near(covariance[0][0], 0.505, 1.5 - 0.505 ** 2);
  near(covariance[0][1], 0, 0.5);
  expect(task.logLikelihood([0, 0], [3, 4])).toBeCloseTo(Math.log(0.5) - 12.5 - Math.log(2 * Math.PI), 10);
  expect(task.logLikelihood([0, 0], [0, 0])).toBeCloseTo(Math.log((0.5 + 50) / (2 * Math.PI)), 12);
});

test("two_moons: the crescent's moments", () => {
  const { mean, covariance } = simulated(twoMoons(), [0.3, -0.7]);
  // E cos over a half circle is 2 / pi; E r^2 = 0.0101.
  near(mean[0], 0.1 * (2 / Math.PI) + 0.25 - 0.4 / Math.SQRT2, 0.002);
  near(mean[1], -1 / Math.SQRT2, 0.00505);
  near(covariance[1][1], 0.00505, 2e-5);
});

test("slcp: moments of each of four draws, which are independent", () => {
  const { mean, covariance } = simulated(slcp(), [0.7, -2.9, -1, 1.5, 0.6]);
  const [s1, s2, r] = [1, 2.25, Math.tanh(0.6)];
  for (let k = 0; k < 8; k += 2) {
    near(mean[k], 0.7, s1 ** 2);
    near(mean[k + 1], -2.9, s2 ** 2);
    near(covariance[k][k], s1 ** 2, 2 * s1 ** 4);
    near(covariance[k + 1][k + 1], s2 ** 2, 2 * s2 ** 4);
    near(covariance[k][k + 1], r * s1 * s2, (1 + r * r) * (s1 * s2) ** 2);
    near(covariance[k][(k + 2) % 8], 0, s1 ** 4);
  }
});

test("slcp: the likelihood is that of the inverse covariance", () => {
  const [m1, m2, s1, s2, r] = [0.5, -1, 0.49, 2.56, Math.tanh(-0.8)];
  const x = [0.1, -2, 1.2, 0.3, 0.5, -1, -0.4, -5];
  const determinant = (s1 * s2) ** 2 * (1 - r * r);
  let expected = 0;
  for (let k = 0; k < 8; k += 2) {
    const [a, b] = [x[k] - m1, x[k + 1] - m2];
    const quadratic = (s2 ** 2 * a * a - 2 * r * s1 * s2 * a * b + s1 ** 2 * b * b) / determinant;
    expected -= 0.5 * quadratic + Math.log(2 * Math.PI) + 0.5 * Math.log(determinant);
  }
  expect(slcp().logLikelihood([0.5, -1, 0.7, -1.6, -0.8], x)).toBeCloseTo(expected, 10);
});

// Sums over a grid: midpoints of cells much smaller than the 0.01 of two_moons' radius and the 0.1 of the mixture.
describe.each([
  { task: twoMoons(), parameters: [0.2, 0.5], from: [-0.6, -0.2], to: [0.1, 0.6], x: [-0.1, 0.2], box: 1 },
  // Data behind the crescent: both moons are cut off where they meet.
  { task: twoMoons(), parameters: [0.2, 0.5], from: [-0.6, -0.2], to: [0.1, 0.6], x: [0.31, 0.04], box: 1 },
  { task: gaussianMixtureTask(), parameters: [1, 9.5], from: [-5, 3.5], to: [7, 15.5], x: [0.5, 9.6], box: 10 },
])("$task.name", ({ task, parameters, from, to, x, box }) => {
  const cells = 600;
  const sum = (low: readonly number[], high: readonly number[], at: (point: number[]) => readonly number[]) => {
    const step = [(high[0] - low[0]) / cells, (high[1] - low[1]) / cells];
    const totals = [0, 0, 0, 0];
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < cells; j++) {
        const values = at([low[0] + (i + 0.5) * step[0], low[1] + (j + 0.5) * step[1]]);
        for (const [k, value] of values.entries()) totals[k] += value * step[0] * step[1];
      }
    }
    return totals;
  };

  test("the likelihood integrates to 1 over data", () => {
    const [total] = sum(from, to, (point) => [Math.exp(task.logLikelihood(parameters, point))]);
    expect(total).toBeCloseTo(1, 2); // the crescent ends within cells
  });

  test("draws of the posterior have the moments of likelihood times prior", () => {
    const statistic = ([a, b]: ArrayLike<number> & Iterable<number>) => [1, a, b, a * b];
    const [mass, ...sums] = sum([-box, -box], [box, box], (point) => {
      const density = Math.exp(task.logLikelihood(point, x));
      return statistic(point).map((value) => value * density);
    });
    const random = new RandomSequence(3, 0x70);
    const { mean, covariance } = moments(count, () =>
      statistic(Array.from(task.drawPosterior?.(x, random) as Float64Array)).slice(1),
    );
    for (let k = 0; k < 3; k++) near(mean[k], sums[k] / mass, covariance[k][k] * 1.2);
  });
});
