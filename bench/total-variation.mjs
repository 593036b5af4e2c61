/**
 * The bound on the total variation beside what it is: of twenty small models; and of fields with the same velocity error and
 * growing divergence error, whose total variation grows. Writes bench/results/total-variation.md, and the picture
 * docs/total-variation.svg. `npm run build && node bench/total-variation.mjs`: some minutes.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { adam, cfm, condOT, createRuntime, eightGaussians, fdm, gaussianMixture, mlp, rk4 } from "divflow";
import { totalVariation, totalVariationBound } from "divflow/likelihoods";
import { defineNetwork, ops } from "divflow/networks";
import { root } from "../.build/files.mjs";

const runtime = await createRuntime({ backend: "wasm", threads: 2 });
const path = condOT();
const three = gaussianMixture({
  weights: [0.5, 0.2, 0.3],
  // biome-ignore format: a row each
  means: [[-1, 0.5], [1, 1], [0.2, -1.3]],
  // biome-ignore format: a row each
  variances: [[0.2, 0.5], [0.1, 0.1], [0.4, 0.1]],
});
const sets = [
  ["two Gaussians, 1-D", gaussianMixture()],
  ["three Gaussians, 2-D", three],
  [
    "two unlike Gaussians, 1-D",
    gaussianMixture({ weights: [0.3, 0.7], means: [[-1.5], [1]], variances: [0.25, 0.09] }),
  ],
  ["eight Gaussians, 2-D", eightGaussians()],
];

const models = [];
for (let i = 0; i < 20; i++) {
  const [name, data] = /** @type {[string, import("divflow").DataSource]} */ (sets[i % 4]);
  const loss = Math.floor(i / 4) % 2 === 0 ? cfm() : fdm({ divergence: 0.1 });
  const steps = [60, 150, 300, 600, 1200][Math.floor(i / 4)] ?? 60;
  const trainer = await runtime.createTrainer({
    ...{ data, path, loss, batchSize: 256, seed: i },
    network: mlp({ dimension: data.dimension, hidden: [32, 32], activation: "silu" }),
    optimizer: adam({ learningRate: 5e-3 }),
  });
  for await (const _ of trainer.run({ steps, progressEvery: steps })) break;
  const { model } = trainer;
  const { bound, standardError } = await totalVariationBound(model, data, { count: 20_000, seed: i });
  const { distance } = await totalVariation(model, data, {
    ...{ solver: rk4({ steps: 40 }), points: data.dimension === 1 ? 2000 : 100 },
  });
  models.push({
    name,
    loss: loss.name,
    steps,
    distance,
    bound,
    standardError,
    held: distance <= bound + 2 * standardError,
  });
  console.log(models.at(-1));
  trainer.dispose();
}

/** Root mean square of the velocity's error, at all times. */
const ERROR = 0.14;

/**
 * The true velocity of the two Gaussians, and 0.14 sin(k x) beside it, over the root mean square that sin(k x) has under p_t, which
 * is known: E sin^2(k x) = (1 - sum_j w_j cos(2 k alpha m_j) exp(-2 k^2 V_j)) / 2.
 *
 * @param {number} k
 */
function offBy(k) {
  const { add, constant, cos, divide, exp, multiply, sin, softmax, concat, square, sqrt, subtract, sum } = ops;
  return defineNetwork({
    name: `off by a wave of ${k}`,
    sample: [1],
    parameters: [{ name: "error", shape: [1], initial: { kind: "constant", value: ERROR }, torchLayout: "as-is" }],
    apply: ({ x, t }, values) => {
      const sigma = subtract(1, t);
      const variance = add(multiply(square(t), 0.25), square(sigma));
      const apart = [-2, 2].map((mean) => subtract(x, multiply(t, mean)));
      const shares = softmax(
        concat(
          apart.map((r) => divide(multiply(square(r), -0.5), variance)),
          1,
        ),
      );
      const each = apart.map((r, i) => {
        const data = add([-2, 2][i], divide(multiply(multiply(t, 0.25), r), variance));
        return subtract(data, divide(multiply(sigma, r), variance)); // E[x1 - x0 | x, component]
      });
      const velocity = sum(multiply(shares, concat(each, 1)), [1]);
      const mean = multiply(cos(multiply(t, 4 * k)), exp(multiply(variance, -2 * k * k)));
      const size = sqrt(multiply(subtract(1, mean), 0.5));
      const wave = divide(sin(multiply(x, k)), size);
      return add(velocity, multiply(wave, /** @type {never} */ (values.get("error") ?? constant(0, [1]))));
    },
  });
}

const data = gaussianMixture();
/** @type {{ k: number, distance: number, bound: number, standardError: number }[]} */
const waves = [];
for (const k of [1, 2, 4, 8, 16, 32]) {
  const trainer = await runtime.createTrainer({ network: offBy(k), path, loss: cfm(), data, batchSize: 4 });
  const { bound, standardError } = await totalVariationBound(trainer.model, data, { count: 40_000, bins: 100 });
  const { distance } = await totalVariation(trainer.model, data, { solver: rk4({ steps: 200 }), points: 4000 });
  waves.push({ k, distance, bound, standardError });
  console.log(waves.at(-1));
  trainer.dispose();
}
runtime.dispose();

const digits = (/** @type {number} */ value) => value.toFixed(3);
const held = models.filter((model) => model.held).length;
const lines = [
  "# The bound on the total variation, measured",
  "",
  "Written by `node bench/total-variation.mjs`. Bound: `totalVariationBound`, 20,000 points, against the true marginal, ± its standard",
  "error. Total variation: `totalVariation`, on a grid. Networks 2 x 32, batches of 256, cond-ot.",
  "",
  `Of ${models.length} trained models the total variation is not above the bound by more than 2 standard errors in ${held}.`,
  "",
  "| data | loss | steps | total variation | bound |",
  "|---|---|---|---|---|",
  ...models.map(
    ({ name, loss, steps, distance, bound, standardError }) =>
      `| ${name} | ${loss} | ${steps} | ${digits(distance)} | ${digits(bound)} ± ${digits(standardError)} |`,
  ),
  "",
  `Fields of the same velocity error: the true one of two Gaussians and a wave of root mean square ${ERROR} at all times, sin(k x). Its`,
  "divergence grows as k, the mean square that CFM trains by is the same for all. Where the wave is wider than the Gaussians (their",
  "deviation is 0.5) it moves each as a whole; from k = 4 on the total variation grows with the divergence.",
  "",
  "| k | total variation | bound |",
  "|---|---|---|",
  ...waves.map(
    ({ k, distance, bound, standardError }) =>
      `| ${k} | ${digits(distance)} | ${digits(bound)} ± ${digits(standardError)} |`,
  ),
  "",
];
await writeFile(join(root, "bench", "results", "total-variation.md"), lines.join("\n"));
await writeFile(join(root, "docs", "total-variation.svg"), picture());

/** Both against k, on logarithmic axes. */
function picture() {
  const [width, height, left, bottom, top, right] = [560, 300, 56, 44, 14, 150];
  const [low, high] = [0.03, 4];
  const x = (/** @type {number} */ k) => left + (Math.log2(k) / 5) * (width - left - right);
  const y = (/** @type {number} */ value) =>
    height - bottom - (Math.log(value / low) / Math.log(high / low)) * (height - bottom - top);
  const line = (/** @type {"distance" | "bound"} */ of, /** @type {string} */ colour, /** @type {string} */ name) => {
    const points = waves.map((wave) => `${x(wave.k).toFixed(1)},${y(wave[of]).toFixed(1)}`);
    const end = waves[waves.length - 1] ?? { k: 1, distance: 1, bound: 1 };
    return [
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map(
        (point) => `<circle cx="${point.split(",")[0]}" cy="${point.split(",")[1]}" r="3" fill="${colour}"/>`,
      ),
      `<text x="${x(end.k) + 10}" y="${y(end[of]) + 4}" fill="${colour}">${name}</text>`,
    ].join("");
  };
  const marks = [0.03, 0.1, 0.3, 1, 3].map(
    (value) =>
      `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${y(value) + 4}" text-anchor="end" fill="#555">${value}</text>`,
  );
  const ticks = waves.map(
    ({ k }) => `<text x="${x(k)}" y="${height - bottom + 18}" text-anchor="middle" fill="#555">${k}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    "<title>The bound and the total variation against k</title>",
    `<rect width="${width}" height="${height}" fill="white"/>`,
    ...marks,
    ...ticks,
    `<line x1="${left}" x2="${width - right}" y1="${y(ERROR)}" y2="${y(ERROR)}" stroke="#888" stroke-dasharray="5 4"/>`,
    `<text x="${width - right + 10}" y="${y(ERROR) + 4}" fill="#888">velocity error</text>`,
    `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">k of the error sin(k x)</text>`,
    line("bound", "#b5541c", "the bound"),
    line("distance", "#1f5fa8", "total variation"),
    "</svg>",
    "",
  ].join("\n");
}
