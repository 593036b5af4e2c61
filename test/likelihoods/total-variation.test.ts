// The bound on the total variation: against golden values' quadrature by other means, on fields that are off by what is known,
// and beside what it is on a grid, of trained models.
import { describe, expect, test } from "vitest";
import { ConfigError, UnsupportedError } from "../../src/errors.ts";
import { componentsOf, mixtureMarginal } from "../../src/flow/mixture.ts";
import { adam, cfm, condOT, cosine, eightGaussians, gaussianMixture, mlp, moons, rk4, vp } from "../../src/index.ts";
import { totalVariation, totalVariationBound } from "../../src/likelihoods.ts";
import { defineNetwork } from "../../src/nn/define-network.ts";
import { constant } from "../../src/nn/initial.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { trainSteps } from "../engine/small.ts";
import { useEngines } from "./engines.ts";
import { exactModel, mixtureData, plane } from "./exact.ts";

const engines = useEngines();

const source = mixtureData(plane);

describe("the bound", () => {
  test.each([
    ["cond-ot", condOT()],
    ["cosine", cosine()],
    ["vp", vp()],
  ])("of the exact field on %s is 0, against the marginal", async (_, path) => {
    const model = await exactModel(engines.runtime, plane, path);
    const { bound, bins, against } = await totalVariationBound(model, source, { count: 2000, bins: 20, until: 0.99 });
    expect(against).toBe("marginal");
    expect(bins).toHaveLength(20);
    expect(bound).toBeLessThan(2e-4);
  });

  test.each(["here", "in a worker"])("of a field that is off by a x is |a| E|2 + x . score| / 2, %s", async (where) => {
    // On N(0, I) the marginal of cond-ot is N(0, V I), V = t^2 + (1 - t)^2: x . score = -|x|^2 / V, minus a chi-square of two
    // degrees, so E |2 - chi^2| = 4 / e whatever t is, and the bound is 2 a / e.
    const a = 0.3;
    const normal = { weights: [1], means: [[0, 0]], variances: [[1, 1]] };
    const path = condOT();
    const network = defineNetwork({
      name: "off",
      sample: [2],
      parameters: [{ name: "a", shape: [1], initial: constant(a), torchLayout: "as-is" }],
      apply: ({ x, t }, values) =>
        add(mixtureMarginal(componentsOf(normal), path.at(t), x).velocity, multiply(x, values.get("a") as never)),
    });
    const data = mixtureData(normal);
    const on = where === "here" ? engines.runtime : engines.remote.runtime;
    const { model } = await on.createTrainer({ network, path, loss: cfm(), data, batchSize: 4 });
    const { bound, standardError, bins } = await totalVariationBound(model, data, { count: 20_000, seed: 3 });
    const exact = (2 * a) / Math.E;
    expect(Math.abs(bound - exact)).toBeLessThan(4 * standardError);
    expect(standardError).toBeLessThan(0.01 * exact);
    expect(bins.at(-1)?.bound).toBe(bound);
    expect(bins[24].bound).toBeGreaterThan(0.45 * exact);
    expect(bins[24].bound).toBeLessThan(0.55 * exact);
    for (const { meanAbsoluteResidual, standardError: own } of bins) {
      expect(Math.abs(meanAbsoluteResidual - (4 * a) / Math.E)).toBeLessThan(5 * own);
    }
    // What the grid says is less, and what it is: N(0, s^2 I) at the end, s = e^a, for x' = (u's slope + a) x.
    const { distance, modelMass, dataMass } = await totalVariation(model, data, {
      ...{ solver: rk4({ steps: 20 }), lower: [-7, -7], upper: [7, 7], points: 64 },
    });
    expect(modelMass).toBeCloseTo(1, 3);
    expect(dataMass).toBeCloseTo(1, 3);
    expect(distance).toBeLessThan(bound);
    // Both are radial: they differ on |x|^2 < r2 with r2 = 4 a / (1 - e^(-2a)), by exp(-r2 / 2 e^(-2a)) - exp(-r2 / 2).
    const r2 = (4 * a) / (1 - Math.exp(-2 * a));
    expect(distance).toBeCloseTo(Math.exp((-r2 / 2) * Math.exp(-2 * a)) - Math.exp(-r2 / 2), 2);
  });

  test("against the conditional is larger, also of the exact field, and serves any data", async () => {
    const model = await exactModel(engines.runtime, plane);
    const options = { count: 4000, bins: 20, until: 0.9 } as const;
    const marginal = await totalVariationBound(model, source, options);
    const conditional = await totalVariationBound(model, source, { ...options, against: "conditional" });
    expect(conditional.bound).toBeGreaterThan(marginal.bound + 0.1);
    const of = await totalVariationBound(model, moons(), options);
    expect(of.against).toBe("conditional");
    await expect(totalVariationBound(model, moons(), { against: "marginal" })).rejects.toThrow(UnsupportedError);
    const points = await totalVariationBound(
      model,
      [
        [0, 0],
        [1, 1],
        [0, 1],
        [1, 0],
      ],
      { bins: 2 },
    );
    expect(points.bound).toBeGreaterThan(0);
    await expect(
      totalVariationBound(
        model,
        [
          [0, 0],
          [1, 1],
        ],
        { bins: 2 },
      ),
    ).rejects.toThrow(/two for each of 2 bins/);
  });

  test("by probes is no smaller, of fields with a Jacobian that is not diagonal", async () => {
    const model = await exactModel(engines.runtime, plane);
    const options = { count: 4000, bins: 20, until: 0.95, seed: 2 } as const;
    const { bound } = await totalVariationBound(model, source, { ...options, divergence: "hutchinson", probes: 1 });
    expect(bound).toBeGreaterThan(0.1);
  });

  test("wrong options are refused", async () => {
    const model = await exactModel(engines.runtime, plane);
    for (const wrong of [{ bins: 0 }, { until: 0 }, { until: 1.1 }, { against: "all" }, { count: 0 }, { bin: 3 }]) {
      await expect(totalVariationBound(model, source, wrong as never)).rejects.toThrow(ConfigError);
    }
    await expect(totalVariation(model, moons())).rejects.toThrow(UnsupportedError);
    await expect(totalVariation(model, source, { lower: [0, 0], upper: [0, 1] })).rejects.toThrow(ConfigError);
  });
});

describe("of trained models the measured total variation is not above it", () => {
  test.each([
    ["in one dimension", gaussianMixture(), { hidden: [24, 24], steps: 150 }],
    ["eight Gaussians", eightGaussians(), { hidden: [32, 32], steps: 150 }],
  ])("%s", async (_, data, { hidden, steps }) => {
    const trainer = await engines.runtime.createTrainer({
      ...{ data, path: condOT(), loss: cfm(), batchSize: 256, seed: 7 },
      network: mlp({ dimension: data.dimension, hidden, activation: "silu" }),
      optimizer: adam({ learningRate: 5e-3 }),
    });
    await trainSteps(trainer, steps);
    const { bound, standardError } = await totalVariationBound(trainer.model, data, { count: 8000, bins: 40, seed: 1 });
    const { distance } = await totalVariation(trainer.model, data, {
      ...{ solver: rk4({ steps: 25 }), points: data.dimension === 1 ? 500 : 64 },
    });
    expect(distance).toBeGreaterThan(0.01);
    expect(distance).toBeLessThan(bound + 3 * standardError);
  });
});
