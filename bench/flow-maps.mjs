// How far few-step log-densities of a flow map are off, on a mixture whose field is known: node bench/flow-maps.mjs, from a built
// checkout. The flow map is taught by the mixture's own velocity and divergence, so what is off is the map's doing and not
// a field's. Writes what docs/flow-maps.md shows.
import { parseArgs } from "node:util";
import { adam, condOT, cosineDecay, createRuntime, createTrainer, gaussianMixture, mlp, product } from "divflow";
import { flowMap, flowMapConsistency, meanFlow } from "divflow/flows";
import { ops } from "divflow/networks";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "10000" },
    width: { type: "string", default: "64" },
    layers: { type: "string", default: "3" },
    batch: { type: "string", default: "512" },
    rate: { type: "string", default: "0.003" },
    report: { type: "string", default: "1000" },
    count: { type: "string", default: "4000" },
  },
});
const steps = Number(values.steps);

const means = [
  [-1, -0.6],
  [1, -0.6],
  [0, 1.1],
];
const deviation = 0.6;
const variance = deviation ** 2;

const data = gaussianMixture({ means, variances: means.map(() => variance) });
const closed = (/** @type {ArrayLike<number>} */ points) =>
  Array.from({ length: points.length / 2 }, (_, i) =>
    Number(data.logDensity?.([Number(points[2 * i]), Number(points[2 * i + 1])])),
  );

const path = condOT();

/**
 * The velocity of the marginals, written with ops: a network that has nothing to learn.
 * @type {import("divflow").Network}
 */
const known = {
  ...{ kind: "mixture", config: {}, dimension: 2, parameters: [] },
  apply(_, x, t) {
    const { add, divide, exp, multiply, square, subtract, sum, max, concat, slice, table } = ops;
    // x_t of component k is N(t m, V), V = t^2 variance + (1 - t)^2; E[x1 - x0 | x, k] = m + (t variance - (1 - t)) / V (x - t m).
    const spread = add(multiply(square(t), variance), square(subtract(1, t)));
    const slope = divide(subtract(multiply(t, variance), subtract(1, t)), spread);
    const each = means.map((mean) => {
      const m = table(mean, [1, 2]);
      const centred = subtract(x, multiply(t, m));
      return {
        exponent: divide(sum(square(centred), [1]), multiply(spread, -2)),
        velocity: add(m, multiply(slope, centred)),
      };
    });
    const exponents = concat(
      each.map(({ exponent }) => exponent),
      1,
    );
    const weights = exp(subtract(exponents, max(exponents, [1])));
    const total = sum(weights, [1]);
    return each
      .map(({ velocity }, k) => multiply(velocity, divide(slice(weights, 1, k, k + 1), total)))
      .reduce((a, b) => add(a, b));
  },
};

const runtime = await createRuntime({ backend: "wasm", worker: false });
const hidden = Array(Number(values.layers)).fill(Number(values.width));
const trainer = await createTrainer(runtime, {
  network: flowMap({ network: mlp({ dimension: 2 + 1, hidden }) }),
  path,
  loss: meanFlow({ teacher: { network: known, path, parameters: new Map() }, estimator: "exact", equal: 0.25 }),
  data,
  optimizer: adam({ learningRate: product(Number(values.rate), cosineDecay({ steps, final: 0.01 })) }),
  ema: { decay: 0.999 },
  batchSize: Number(values.batch),
  seed: 1,
});
const started = performance.now();
for (let done = 0; done < steps; done += Number(values.report)) {
  /** @type {import("divflow").Progress | undefined} */
  let last;
  for await (const progress of trainer.run({ steps: Math.min(Number(values.report), steps - done) })) last = progress;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `step ${trainer.step}, ${seconds} s: loss ${last?.velocityLoss.toPrecision(3)}, ${last?.divergenceLoss?.toPrecision(3)}`,
  );
  const all = await flowMapConsistency(trainer.model, { count: Number(values.count), seed: 7, closed });
  for (const { steps: number, errors, folded } of all) {
    /**
     * @param {import("divflow/flows").DensityWay} of
     * @param {import("divflow/flows").DensityWay} from
     */
    const show = (of, from) => {
      const { mean, standardError } = errors[of]?.[from] ?? {};
      return `${of} from ${from} ${mean?.toFixed(4)} +- ${standardError?.toFixed(4)}`;
    };
    const pairs = [show("head", "closed"), show("exact", "closed"), show("flow", "closed"), show("head", "exact")];
    console.log(`  ${number} steps: ${pairs.join(", ")}, folded ${folded}`);
  }
}
trainer.dispose();
runtime.dispose();
