// Posteriors from simulations: against closed forms, within bounds, the same from their files; and what is said of what goes wrong.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gaussianLinear } from "../../src/cli/experiment/posterior-tasks.ts";
import { CheckpointError, ConfigError, DataError } from "../../src/errors.ts";
import { cfm, fdm } from "../../src/index.ts";
import {
  definePrior,
  type InferredPosterior,
  inference,
  loadPosterior,
  logNormal,
  type PosteriorOptions,
  type Prior,
  posterior,
  uniform,
} from "../../src/posterior.ts";
import { useEngines } from "../likelihoods/engines.ts";

const engines = useEngines();

/** Quick to train. */
const small = { hidden: [32, 32], batchSize: 128, simulations: 3000, steps: 1200, seed: 1 } as const;

const columnOf = (values: ArrayLike<number>, k: number, width: number) =>
  Float64Array.from({ length: values.length / width }, (_, i) => values[i * width + k] as number);
const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value / values.length, 0);
const varianceOf = (values: Float64Array) => meanOf(values.map((value) => (value - meanOf(values)) ** 2));

describe.each([
  ["cfm", () => cfm()],
  ["fdm", () => fdm({ divergence: 0.1 })],
])("gaussian_linear in 2-D, %s", (_, loss) => {
  const task = gaussianLinear(2);
  const x = [0.3, -0.5];
  let result: InferredPosterior<Prior<Float64Array>>;
  beforeAll(async () => {
    const options = { prior: task.prior, simulate: task.simulate, observation: x, ...small, loss: loss() };
    result = await posterior(engines.runtime, options);
  }, 120_000);
  afterAll(() => result?.dispose());

  test.each([[x], [[-0.4, 0.1]]])("has the closed form's mean and covariance at %o", async (observation) => {
    const { values } = await result.sample({ count: 4000, observation, seed: 3 });
    const columns = [columnOf(values, 0, 2), columnOf(values, 1, 2)] as const;
    for (const [k, column] of columns.entries()) {
      // Of a deviation of 0.22: a fifth for what 3,000 simulations leave open.
      expect(Math.abs(meanOf(column) - observation[k] / 2)).toBeLessThan(0.045);
      expect(Math.sqrt(varianceOf(column) / 0.05)).toBeGreaterThan(0.85);
      expect(Math.sqrt(varianceOf(column) / 0.05)).toBeLessThan(1.15);
    }
    const [means, product] = [columns.map(meanOf), columns[0].map((value, i) => value * (columns[1][i] as number))];
    expect(Math.abs(meanOf(product) - means[0] * means[1])).toBeLessThan(0.01);
  });

  test("has the closed form's log-density and mode", async () => {
    const points = [
      [0.15, -0.25],
      [0.4, -0.3],
      [0, 0],
    ];
    const { values, standardError } = await result.logDensity(points);
    for (const [i, point] of points.entries()) {
      const squares = point.reduce((sum, value, k) => sum + (value - x[k] / 2) ** 2, 0);
      expect(Math.abs(values[i] - (-squares / 0.1 - Math.log(2 * Math.PI * 0.05)))).toBeLessThan(0.25);
      expect(standardError[i]).toBe(0);
    }
    const mode = await result.mode();
    expect(mode.converged).toBe(true);
    expect(mode.atBound).toEqual([]);
    expect(Math.hypot(mode.values[0] - 0.15, mode.values[1] + 0.25)).toBeLessThan(0.12);
    expect(mode.logDensity).toBeGreaterThanOrEqual(values[0] - 1e-3);
  });
});

describe("bounded parameters", () => {
  // Data near a corner of the prior, so that posteriors press against bounds.
  const prior = { rate: uniform({ low: 0, high: 2 }), scale: logNormal({ mean: 0, deviation: 0.5 }) };
  let result: InferredPosterior<typeof prior>;
  beforeAll(async () => {
    result = await posterior(engines.runtime, {
      ...{ prior, observation: [0.01, 0.9] },
      simulate: ({ rate, scale }, { random }) => [rate + 0.3 * random.normal(), scale + 0.2 * random.normal()],
      ...small,
    });
  }, 120_000);
  afterAll(() => result?.dispose());

  test("are never left, and come by name", async () => {
    const samples = await result.sample({ count: 5000, seed: 2 });
    const { rate, scale } = samples.parameters as { rate: Float64Array; scale: Float64Array };
    expect(rate).toHaveLength(5000);
    expect(Math.min(...rate)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...rate)).toBeLessThanOrEqual(2);
    expect(Math.min(...scale)).toBeGreaterThan(0);
    expect(samples.columns).toEqual(["rate", "scale"]);
    expect(samples.warnings).toEqual([]);
    expect([...columnOf(samples.values, 1, 2)]).toEqual([...scale]);
  });

  test("the density in their own units integrates to 1, and is 0 outside", async () => {
    const [cells, top] = [40, 3];
    const points = Array.from({ length: cells * cells }, (_, at) => [
      ((at % cells) + 0.5) * (2 / cells),
      (Math.floor(at / cells) + 0.5) * (top / cells),
    ]);
    const { values } = await result.logDensity(points);
    const total = values.reduce((sum, value) => sum + Math.exp(value) * (2 / cells) * (top / cells), 0);
    expect(Math.abs(total - 1)).toBeLessThan(0.02);
    const outside = await result.logDensity({ rate: [1, -0.1, 2.1, 1], scale: [-1, 1, 1, 1] });
    expect([...outside.values].slice(0, 3)).toEqual(new Array(3).fill(Number.NEGATIVE_INFINITY));
    expect(outside.values[3]).toBeGreaterThan(-50);
    const alone = await result.logDensity({ rate: -1, scale: 1 });
    expect([...alone.values]).toEqual([Number.NEGATIVE_INFINITY]);
  });

  test("the mode is that of the density in their own units, which is what it says", async () => {
    const mode = await result.mode({ starts: 3, seed: 4 });
    expect(mode.converged).toBe(true);
    const { values } = await result.logDensity(mode.values);
    expect(mode.logDensity).toBeCloseTo(values[0], 2);
    const { rate, scale } = mode.parameters as { rate: Float64Array; scale: Float64Array };
    // Flat there: the density of the model's own coordinates has a slope of some 2 nats there, by the Jacobian's.
    const h = 0.05;
    const around = await result.logDensity({ rate: [rate[0], rate[0]], scale: [scale[0] - h, scale[0] + h] });
    expect(Math.abs(around.values[1] - around.values[0]) / (2 * h)).toBeLessThan(0.3);
    expect(rate[0]).toBeLessThan(0.3);
  });

  test("intervals of log-densities hold the exact ones", async () => {
    const points = (await result.sample({ count: 40, seed: 6 })).values;
    const exact = await result.logDensity(points);
    const { lower, upper } = await result.logDensityInterval(points, { probes: 32 });
    const held = exact.values.filter((value, i) => value >= lower[i] - 1e-3 && value <= upper[i] + 1e-3);
    expect(held.length).toBeGreaterThan(32);
  });

  test("a summary is of the samples", async () => {
    const [rate] = await result.summary({ count: 500, level: 0.8, seed: 3 });
    const own = columnOf((await result.sample({ count: 500, seed: 3 })).values, 0, 2);
    expect(rate?.mean).toBeCloseTo(meanOf(own), 12);
    expect(rate?.deviation).toBeCloseTo(Math.sqrt(varianceOf(own)), 12);
    expect(own.filter((value) => value < (rate?.lower ?? 0))).toHaveLength(50);
    expect(own.filter((value) => value > (rate?.upper ?? 0))).toHaveLength(50);
  });

  test("calibration is by fresh simulations, and finds nothing", async () => {
    const judged = await result.calibrate({ simulations: 100, draws: 50, seed: 5 });
    expect(judged.truths).toHaveLength(200);
    expect(judged.draws).toHaveLength(100 * 50 * 2);
    expect(judged.sbc).toHaveLength(2);
    expect(judged.pValue).toBeGreaterThan(0.01);
    expect(judged.coverage.find(({ level }) => level === 0.8)?.coverage[0]).toBeGreaterThan(0.65);
    const trained = new Set(result.simulations.parameters);
    expect(judged.truths.some((value) => trained.has(value))).toBe(false);
  });

  test("draws of calibration are of each simulation's own data", async () => {
    const { truths, draws } = await result.calibrate({ simulations: 60, draws: 40, seed: 8 });
    const own = Float64Array.from({ length: 60 }, (_, i) =>
      meanOf(columnOf(draws.subarray(i * 80, i * 80 + 80), 0, 2)),
    );
    const truth = columnOf(truths, 0, 2);
    const covariance = meanOf(own.map((value, i) => (value - meanOf(own)) * (truth[i] - meanOf(truth))));
    expect(covariance / Math.sqrt(varianceOf(own) * varianceOf(truth))).toBeGreaterThan(0.8);
  });

  test("what would be observed looks like what was", async () => {
    const { observations, count } = await result.predictive({ count: 200, seed: 2 });
    expect(count).toBe(200);
    expect(Math.abs(meanOf(columnOf(observations, 1, 2)) - 0.9)).toBeLessThan(0.15);
  });

  test("a file gives the same samples and densities, without the prior", async () => {
    const bytes = await result.checkpoint();
    const again = await loadPosterior(engines.remote.runtime, bytes);
    const options = { count: 20, seed: 9 };
    expect((await again.sample(options)).values).toEqual((await result.sample(options)).values);
    const at = { rate: [0.1, 3], scale: [1, 1] };
    expect((await again.logDensity(at)).values).toEqual((await result.logDensity(at)).values);
    await expect(again.calibrate()).rejects.toThrow(/neither prior nor simulator.*loadPosterior/);
    again.dispose();

    const simulate = ({ rate, scale }: { rate: number; scale: number }) => [rate, scale];
    const whole = await loadPosterior(engines.runtime, bytes, { prior, simulate });
    expect((await whole.predictive({ count: 5, seed: 9 })).count).toBe(5);
    whole.dispose();
    const other = { ...prior, rate: uniform({ low: 0, high: 3 }) };
    await expect(loadPosterior(engines.runtime, bytes, { prior: other })).rejects.toThrow(CheckpointError);
    const damaged = bytes.slice();
    damaged[damaged.findIndex((_byte, i) => String.fromCharCode(...damaged.subarray(i, i + 4)) === "rate")]++;
    await expect(loadPosterior(engines.runtime, damaged)).rejects.toThrow(CheckpointError);
    await expect(loadPosterior(engines.runtime, await result.model.checkpoint())).rejects.toThrow(
      /without a posterior/,
    );
  });

  test("an observation unlike all simulations is told so", async () => {
    const { warnings } = await result.sample({ count: 1, observation: [0.5, -9] });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/observation\[1\] is -9, while all 3000 simulations lie between/);
    await expect(result.sample({ observation: [1] })).rejects.toThrow(/1 numbers.*2, as each simulation gave/);
    await expect(result.sample({ observation: [1, Number.NaN] })).rejects.toThrow(DataError);
  });
});

describe("simulations", () => {
  const prior = { a: uniform({ low: 0, high: 1 }), b: uniform({ low: [0, 0], high: [1, 1] }) };
  type Options = PosteriorOptions<typeof prior>;
  const quick = { prior, hidden: [4], steps: 2, batchSize: 16, simulations: 60 } satisfies Partial<Options>;
  const infer = (options: Partial<Options>) => posterior(engines.runtime, { ...quick, ...options });

  test("are the same whatever runs at once, and whether they are awaited", async () => {
    const simulate: Options["simulate"] = ({ a, b }, { random }) => [a + random.normal(), b[0] * b[1]];
    const first = await infer({ simulate });
    const order: number[] = [];
    const second = await infer({
      concurrency: 7,
      simulate: async (parameters, context) => {
        await new Promise((resolve) => setTimeout(resolve, (context.index * 7) % 5));
        order.push(context.index);
        return (simulate as (...given: unknown[]) => number[])(parameters, context);
      },
    });
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect(second.simulations).toEqual(first.simulations);
    const other = await infer({ simulate, seed: 1 });
    expect(other.simulations.observations[0]).not.toBe(first.simulations.observations[0]);
    // Given again they are those that ran: for another loss, say.
    const third = await infer({ simulations: first.simulations });
    expect(third.simulations).toEqual(first.simulations);
    const remote = await posterior(engines.remote.runtime, { ...quick, simulate });
    const options = { count: 5, observation: [0, 0.1] };
    expect((await remote.sample(options)).values).toEqual((await first.sample(options)).values);
    for (const each of [first, second, other, third, remote]) each.dispose();
  });

  test("that fail are left out, counted and told, by their reasons", async () => {
    const result = await infer({
      simulate: ({ a }, { index }) => {
        if (index % 6 === 1) throw new Error("diverged");
        return index % 10 === 0 ? Number.NaN : [a, a];
      },
    });
    const { count, failed, failures, parameters, observations } = result.simulations;
    expect([count, failed]).toEqual([44, 16]);
    expect(failures).toEqual([
      { reason: "diverged", count: 10 },
      { reason: "a value that is NaN", count: 6 },
    ]);
    for (let i = 0; i < count; i++) expect(observations[2 * i]).toBe(parameters[3 * i]);
    expect(result.warnings[0]).toMatch(/16 of 60 simulations failed .*diverged \(10 times\)/);
    result.dispose();
  });

  test("progress tells of both stages", async () => {
    const told: string[] = [];
    const result = await infer({
      simulate: ({ a }) => a,
      onProgress: (progress) => told.push(`${progress.stage} ${progress.done} of ${progress.total}`),
    });
    expect(told[0]).toBe("simulating 60 of 60");
    expect(told.at(-1)).toBe("training 2 of 2");
    result.dispose();
  });

  test("can be given up, and so can training", async () => {
    const controller = new AbortController();
    let tries = 0;
    const simulate = () => {
      if (++tries === 5) controller.abort(new Error("enough"));
      return 1;
    };
    await expect(infer({ simulate, signal: controller.signal })).rejects.toThrow("enough");
    expect(tries).toBeLessThan(60);
    const second = new AbortController();
    const onProgress: Options["onProgress"] = ({ stage }) => stage === "training" && second.abort(new Error("stop"));
    const long = {
      simulate: ({ a }: { a: number }) => a,
      steps: 100_000,
      patience: 100_000,
      signal: second.signal,
      onProgress,
    };
    await expect(infer(long)).rejects.toThrow("stop");
    const third = new AbortController();
    const atTheEnd: Options["onProgress"] = ({ stage, done, total }) =>
      stage === "training" && done === total && third.abort(new Error("late"));
    await expect(infer({ simulate: () => 1, steps: 3, signal: third.signal, onProgress: atTheEnd })).rejects.toThrow(
      "late",
    );
  });

  test("in steps, with a training loop of one's own, it is the same posterior", async () => {
    const simulate: Options["simulate"] = ({ a, b }, { random }) => [a + b[0] + random.normal()];
    const whole = await infer({ simulate, observation: [0.4], seed: 3 });
    const steps = await inference({ prior, simulate, observation: [0.4], simulations: 60, seed: 3 });
    expect(steps.simulations).toEqual(whole.simulations);
    const trainer = await engines.runtime.createTrainer(steps.training({ hidden: [4], steps: 2, batchSize: 16 }));
    for await (const _ of trainer.run({ steps: 2 }));
    const own = steps.posterior(trainer.model);
    const asked = { count: 5, seed: 1 };
    expect((await own.sample(asked)).values).toEqual((await whole.sample(asked)).values);
    const points = { a: [0.2, 0.9], b: [0.1, 0.5, 0.7, 0.3] };
    expect((await own.logDensity(points)).values).toEqual((await whole.logDensity(points)).values);
    expect(() => steps.training({ step: 3 } as never)).toThrow(/step/);
    // Noise on the parameters is the trainer's.
    const noisy = await infer({ simulate, observation: [0.4], seed: 3, jitter: 0.3 });
    const jittered = await engines.runtime.createTrainer({
      ...steps.training({ hidden: [4], steps: 2, batchSize: 16 }),
      jitter: 0.3,
    });
    for await (const _ of jittered.run({ steps: 2 }));
    const found = (await noisy.sample(asked)).values;
    expect(found).toEqual((await steps.posterior(jittered.model).sample(asked)).values);
    expect(found).not.toEqual((await whole.sample(asked)).values);
    expect("jitter" in steps.training()).toBe(false);
    noisy.dispose();
    jittered.dispose();
    whole.dispose();
    trainer.dispose();
  });

  test("images stay images for a network of one's own", async () => {
    const image = ({ a }: { a: number }) => [
      [a, 1],
      [0, a],
      [2, a],
    ];
    const result = await infer({ simulate: image, observation: image({ a: 0.5 }) });
    expect(result.model.conditions["observation"]?.shape).toEqual([3, 2]);
    result.dispose();
  });

  test.each<[string, Partial<Options>, RegExp]>([
    ["all fail", { simulate: () => Number.NaN }, /60 of 60 failed: a value that is NaN/],
    ["lengths differ", { simulate: ({ a }) => (a < 0.5 ? [a] : [a, a]) }, /simulation \d+: got "\d numbers"/],
    ["none is given", {}, /a function from parameters to data/],
    [
      "the observation does not fit",
      { simulate: () => [1, 2], observation: [1] },
      /simulation 0: got "2 numbers", expected 1/,
    ],
    ["it is no number", { simulate: () => ["x"] as never }, /simulation 0/],
    [
      "parameters leave the prior",
      { simulations: { parameters: [[2, 0, 0]], observations: [[1]] } },
      /within the prior/,
    ],
    ["rows are missing", { simulations: { parameters: [[0, 0, 0]], observations: [[1], [2]] } }, /for each of the 1/],
    ["an option is misspelt", { simulate: () => 1, batchsize: 3 } as never, /Did you mean batchSize/],
  ])("%s: a sentence", async (_, options, message) => {
    await expect(infer(options)).rejects.toThrow(message);
  });

  test("none goes on behind an error", async () => {
    let tries = 0;
    const simulate: Options["simulate"] = async (_, { index }) => {
      tries++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      return index === 4 ? [1, 2] : 1;
    };
    await expect(infer({ simulate, concurrency: 3 })).rejects.toThrow(/simulation 4/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(tries).toBeLessThan(12);
  });

  test("hopeless ones end after a hundred", async () => {
    let tries = 0;
    const simulate = () => {
      tries++;
      throw new TypeError("x is not a function");
    };
    await expect(infer({ simulate, simulations: 10_000 })).rejects.toThrow(/100 of 100 failed: x is not a function/);
    expect(tries).toBe(100);
  });

  test("a prior of one's own is held to its bounds", async () => {
    const ordered = definePrior({
      name: "ordered",
      bounds: [
        [0, 1],
        [0, 1],
      ],
      draw: (random) => [random.uniform(), random.uniform()].sort((a, b) => a - b),
    });
    const result = await posterior(engines.runtime, {
      ...quick,
      prior: ordered,
      simulate: ([low, high]) => high - low,
    });
    const { parameters } = result.simulations;
    expect(columnOf(parameters, 0, 2).every((low, i) => low <= (parameters[2 * i + 1] as number))).toBe(true);
    expect(result.columns).toEqual(["parameters[0]", "parameters[1]"]);
    await expect(result.sample()).rejects.toThrow(ConfigError); // no observation
    expect((await result.sample({ count: 3, observation: 0.4 })).shape).toEqual([3, 2]);
    result.dispose();
  });
});
