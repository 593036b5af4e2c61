/** The posterior tab's work: exact posteriors on a grid, their lines, and that a flow trained on simulations comes near. */
import { describe, expect, test } from "vitest";
import { contourOf } from "../../demo/tabs/posterior/contours.ts";
import {
  cellArea,
  type DensityGrid,
  drawsOf,
  ExactPosterior,
  levelOf,
  middlesOf,
} from "../../demo/tabs/posterior/exact.ts";
import { descriptionOf, figuresOf, summaryOf } from "../../demo/tabs/posterior/figures.ts";
import type { News, PosteriorSettings } from "../../demo/tabs/posterior/messages.ts";
import { randomOf } from "../../demo/tabs/posterior/random.ts";
import { type ReadySimulator, readyNamed, readySimulators } from "../../demo/tabs/posterior/ready.ts";
import { simulatorOf } from "../../demo/tabs/posterior/script/simulator.ts";
import { Session } from "../../demo/tabs/posterior/session.ts";

const linear = readyNamed("linear") as ReadySimulator;
/** Of x = M theta + 0.5 noise: mean M^-1 x and covariance 0.25 (M' M)^-1, far from the prior's ends. */
const [a, b, c, d] = [1, 0.6, -0.3, 1] as const;
const determinant = a * d - b * c;
const closed = ([x, y]: readonly [number, number]) => {
  const [p, q, r] = [a * a + c * c, a * b + c * d, b * b + d * d]; // M' M
  const own = determinant ** 2;
  return {
    means: [(d * x - b * y) / determinant, (a * y - c * x) / determinant],
    deviations: [0.5 * Math.sqrt(r / own), 0.5 * Math.sqrt(p / own)],
    correlation: -q / Math.sqrt(p * r),
  };
};

/** Of a normalised grid. */
function momentsOf(grid: DensityGrid) {
  const middles = middlesOf(grid.box, grid.side);
  const area = cellArea(grid);
  const mean = (of: (x: number, y: number) => number) =>
    grid.values.reduce(
      (sum, value, i) => sum + area * value * of(middles[2 * i] as number, middles[2 * i + 1] as number),
      0,
    );
  const means = [mean((x) => x), mean((_, y) => y)];
  const [mx, my] = means as [number, number];
  const deviations = [Math.sqrt(mean((x) => (x - mx) ** 2)), Math.sqrt(mean((_, y) => (y - my) ** 2))];
  const correlation = mean((x, y) => (x - mx) * (y - my)) / (deviations[0]! * deviations[1]!);
  return { mass: mean(() => 1), means, deviations, correlation };
}

describe("an exact posterior", () => {
  const observation = [0.5, 0.3] as const;

  test("of the linear simulator is the Gaussian in closed form", () => {
    const found = momentsOf(new ExactPosterior(linear.likelihood, linear.priors).densityOf(observation) as DensityGrid);
    const { means, deviations, correlation } = closed(observation);
    expect(found.mass).toBeCloseTo(1, 10);
    for (const k of [0, 1] as const) {
      expect(found.means[k]).toBeCloseTo(means[k] as number, 4);
      expect(found.deviations[k]).toBeCloseTo(deviations[k] as number, 4);
    }
    expect(found.correlation).toBeCloseTo(correlation, 4);
  });

  test("tells as many nats as prior and posterior differ by", () => {
    // Of a Gaussian far from the ends: log of the prior's area over the posterior's, in the mean.
    const exact = new ExactPosterior(linear.likelihood, linear.priors);
    const theta = [0.4, -0.2];
    const x = simulatorOf(linear.code).run(theta, { normal: () => 0, uniform: () => 0 });
    const [gain] = exact.gains(theta, x);
    expect(gain).toBeCloseTo(Math.log(36) - Math.log((2 * Math.PI * 0.25) / determinant), 3);
  });

  test.each(readySimulators)(
    "of $name: its likelihood is that of what the text gives",
    ({ code, likelihood, priors }) => {
      // The mean of exp(-s) of simulated data is what the density says it is, for s a squared distance to their middle.
      const simulator = simulatorOf(code);
      const theta = priors.map(([low, high]) => low + 0.37 * (high - low));
      const random = randomOf(5);
      const rows = Array.from({ length: 4000 }, () => simulator.run(theta, random));
      const middle = [0, 1].map((k) => rows.reduce((sum, row) => sum + (row[k] as number) / rows.length, 0));
      const spread = [0, 1].map((k) =>
        Math.sqrt(rows.reduce((sum, row) => sum + ((row[k] as number) - middle[k]!) ** 2 / rows.length, 0)),
      );
      const weight = (x: readonly number[]) =>
        Math.exp(-[0, 1].reduce((sum, k) => sum + ((x[k]! - middle[k]! - 0.4 * spread[k]!) / spread[k]!) ** 2, 0));
      const sampled = rows.reduce((sum, row) => sum + weight(row) / rows.length, 0);
      const box = [0, 1].map(
        (k) => [middle[k]! - 6 * spread[k]!, middle[k]! + 6 * spread[k]!] as const,
      ) as unknown as DensityGrid["box"];
      const [side, middles] = [240, middlesOf(box, 240)];
      const at = likelihood.given(theta);
      let [integral, mass] = [0, 0];
      for (let i = 0; i < middles.length; i += 2) {
        const x = [middles[i] as number, middles[i + 1] as number];
        const density = Math.exp(at(0, x)) * cellArea({ box, side });
        mass += density;
        integral += density * weight(x);
      }
      expect(mass).toBeCloseTo(1, 2);
      expect(Math.abs(integral - sampled)).toBeLessThan(4 * (0.35 / Math.sqrt(rows.length)));
    },
  );

  test("is none where no parameters could give the observation", () => {
    const { likelihood, priors } = readyNamed("moons") as ReadySimulator;
    expect(new ExactPosterior(likelihood, priors).densityOf([-5, 0])).toBeUndefined();
  });

  test("is drawn from cell by cell", () => {
    const grid = new ExactPosterior(linear.likelihood, linear.priors).densityOf(observation) as DensityGrid;
    const count = 20_000;
    const found = summaryOf(Float32Array.from(drawsOf(grid, count, randomOf(1).uniform)));
    const { means, deviations, correlation } = closed(observation);
    for (const k of [0, 1] as const) {
      const error = (deviations[k] as number) / Math.sqrt(count);
      expect(Math.abs((found.means[k] as number) - (means[k] as number))).toBeLessThan(4 * error);
      expect(Math.abs((found.deviations[k] as number) - (deviations[k] as number))).toBeLessThan(4 * error);
    }
    expect(found.correlation).toBeCloseTo(correlation, 1);
  });
});

test("lines of equal density are where the density is, and close", () => {
  const box = [
    [-3, 3],
    [-2, 4],
  ] as const;
  const side = 60;
  const middles = middlesOf(box, side);
  const values = Float64Array.from(
    { length: side * side },
    (_, i) => Math.exp(-0.5 * (middles[2 * i]! ** 2 + (middles[2 * i + 1]! - 1) ** 2)) / (2 * Math.PI),
  );
  const grid = { side, box, values };
  // Half of a round Gaussian lies within sqrt(2 log 2).
  const radius = Math.sqrt(2 * Math.LN2);
  const level = levelOf(grid, 0.5);
  expect(level).toBeCloseTo(Math.exp(-0.5 * radius ** 2) / (2 * Math.PI), 3);
  const pieces = contourOf(grid, level);
  expect(pieces.length / 4).toBeGreaterThan(60);
  let [length, area] = [0, 0];
  for (let i = 0; i < pieces.length; i += 4) {
    const [x, y, p, q] = pieces.subarray(i, i + 4) as unknown as [number, number, number, number];
    expect(Math.abs(Math.hypot(x, y - 1) - radius)).toBeLessThan(0.03);
    length += Math.hypot(p - x, q - y);
    area += 0.5 * Math.abs(x * (q - 1) - p * (y - 1));
  }
  expect(length).toBeCloseTo(2 * Math.PI * radius, 1);
  expect(area).toBeCloseTo(Math.PI * radius ** 2, 1);
  // Two hills through one square, and one that the edge cuts.
  const two = { side: 2, box, values: Float64Array.of(1, 0, 0, 1) };
  expect(contourOf(two, 0.6).length / 4).toBe(8);
});

describe("a session", () => {
  const settings: PosteriorSettings = {
    ...{
      code: linear.code,
      priors: linear.priors,
      simulations: 3000,
      weight: 0.3,
      noise: 0,
      steps: 1200,
      seed: 3,
      backend: "wasm" as const,
    },
  };

  test("learns the linear simulator's posterior", { timeout: 180_000 }, async () => {
    const news: News[] = [];
    const session = await Session.open(settings, (one) => news.push(one));
    const last = <Kind extends News["kind"]>(kind: Kind) =>
      news.findLast((one) => one.kind === kind) as Extract<News, { kind: Kind }>;
    const simulated = last("simulated");
    expect(simulated).toMatchObject({
      parameters: ["a", "b"],
      count: 3000,
      observation: linear.observation,
      warnings: [],
    });
    const before = await session.answer([0.5, 0.3], false);
    expect(before.step).toBe(0);
    while (!session.isDone) await session.turn();
    expect(last("trained").step).toBe(1200);
    await session.judge();
    // 2.6 nats are to be had; a flow of so few steps learns nearly all.
    const { gain, error } = last("judged");
    expect(gain).toBeGreaterThan((simulated.possible as number) - 0.25 - 2 * error);
    expect(gain).toBeLessThan((simulated.possible as number) + 0.25);

    for (const observation of [
      [0.5, 0.3],
      [-0.8, 0.6],
    ] as const) {
      const answer = await session.answer(observation, true);
      const found = summaryOf(answer.samples);
      const { means, deviations, correlation } = closed(observation);
      for (const k of [0, 1] as const) {
        expect(Math.abs((found.means[k] as number) - (means[k] as number))).toBeLessThan(0.15); // a third of a deviation
        expect(Math.abs((found.deviations[k] as number) / (deviations[k] as number) - 1)).toBeLessThan(0.22); // 3,000 simulations teach no more in 1,200 steps
      }
      expect(Math.abs(found.correlation - correlation)).toBeLessThan(0.15);
      expect(answer.warnings).toEqual([]);
      // The flow's density integrates to 1 over the prior's box, and the exact lines are there.
      const { side, values } = answer.density as NonNullable<typeof answer.density>;
      const mass = values.reduce((sum, value) => sum + value, 0) * cellArea({ side, box: linear.priors });
      expect(mass).toBeCloseTo(1, 1);
      expect(answer.exact?.every(({ length }) => length > 40)).toBe(true);
      // What is simulated with the samples lies about the observation: two noises apart.
      const predicted = summaryOf(answer.predicted);
      expect(Math.abs((predicted.means[0] as number) - observation[0])).toBeLessThan(0.25);
      expect(predicted.deviations[0]).toBeCloseTo(0.5 * Math.SQRT2, 0);

      await session.compare(answer, new AbortController().signal);
      const { compared } = last("compared");
      expect(compared.accuracy).toBeLessThan(0.6);
      expect(compared.effective).toBeGreaterThan(600);
      const known = { simulated, answer, judged: last("judged"), compared };
      expect(figuresOf(known).map(([name]) => name)).toEqual([
        "a",
        "b",
        "Learned",
        "Told from the exact posterior",
        "Effective count",
        "Answered in",
      ]);
      expect(descriptionOf(known)).toMatch(
        /after 1,200 steps: a .*; b .*; correlation −?-?0\.\d\d\. A classifier tells/,
      );
    }
    const far = await session.answer([40, -40], false);
    expect(far.warnings.join()).toMatch(/simulation/);
    session.close();
  });

  test("of a text of one's own knows no exact posterior, and leaves out what fails", { timeout: 30_000 }, async () => {
    const news: News[] = [];
    const code = "({ p, q }, random) => [Math.log(p), q + random.normal()]"; // of negative p there is none
    const session = await Session.open({ ...settings, code, simulations: 200, weight: 0, steps: 20 }, (one) =>
      news.push(one),
    );
    const [simulated] = news as [Extract<News, { kind: "simulated" }>];
    expect(simulated.possible).toBeUndefined();
    expect(simulated.warnings.join()).toMatch(/^\d+ simulations failed and are left out: a value that is NaN\.$/);
    const answer = await session.answer(simulated.observation, true);
    expect(answer.exact).toBeUndefined();
    await session.compare(answer, new AbortController().signal);
    expect(news.map(({ kind }) => kind)).toEqual(["simulated"]);
    session.close();
  });

  test("of a text that is wrong is not opened", async () => {
    await expect(Session.open({ ...settings, code: "(t) => [t, 1" }, () => {})).rejects.toThrow(/^Line 1, column 13: /);
    await expect(Session.open({ ...settings, code: "(t) => [1, t[3]]" }, () => {})).rejects.toThrow(/no place 3/);
  });
});
