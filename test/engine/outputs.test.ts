// Networks that give noise, data or scores through the whole engine: what a path makes of them is trained, sampled, saved,
// loaded, resumed, exported and sent to a worker as velocities are, bit for bit; and VE, scaled and weighed, learns a density.
import { expect, test } from "vitest";
import { veSDE, weighted, withOutput } from "../../src/flows.ts";
import {
  adam,
  cfm,
  cosineDecay,
  exportOnnx,
  fdm,
  gaussianMixture,
  load,
  mlp,
  product,
  type Runtime,
  resume,
  rk4,
  sampleData,
  type TrainerOptions,
  ve,
  vp,
} from "../../src/index.ts";
import { defineLoss, defineNetwork, defineWeight, linearLayer, ops, residualMlp, swish } from "../../src/networks.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const layers = [linearLayer("first", 3, 8), linearLayer("last", 8, 2)] as const;
const mine = () =>
  defineNetwork({
    name: "mine",
    sample: [2],
    parameters: [...layers],
    apply: ({ x, t }, values) => layers[1].apply(values, swish(layers[0].apply(values, ops.concat([x, t], 1)))),
  });
const noisy = () => withOutput("noise", vp(), { dataDeviation: 0.9 });
const early = () => defineWeight({ name: "early", weight: (t) => ops.subtract(1.25, t) });

const runs: Record<string, () => Partial<TrainerOptions>> = {
  "noise, MLP": () => ({ path: noisy(), loss: weighted(fdm({ divergence: 0.2 }), { by: "noise", times: "even" }) }),
  "score, a network of another kind": () => ({
    network: residualMlp({ dimension: 2, width: 8, depth: 1 }),
    path: withOutput("score", veSDE({ sigmaMax: 20 }), { dataDeviation: 1 }),
    loss: weighted(cfm(), { by: "min-snr" }),
  }),
  "data, a network, a loss's weight of one's own": () => ({
    network: mine(),
    path: withOutput("data", ve()),
    loss: weighted(fdm({ fraction: 0.5 }), { by: early() }),
  }),
  "noise, a loss of one's own": () => ({
    path: noisy(),
    loss: defineLoss({ name: "mine", build: (context) => cfm().build(context) as never }),
  }),
};

/** All that a few steps and their model give. */
async function everything(runtime: Runtime, changes: Partial<TrainerOptions>) {
  const trainer = await runtime.createTrainer(smallOptions(changes));
  const losses = (await trainSteps(trainer, 3)).map(({ loss }) => loss);
  const bytes = await trainer.checkpoint();
  const seen = async (model: typeof trainer.model) => [
    ...(await model.sample({ count: 4, solver: rk4({ steps: 4 }), seed: 1 })).values,
    ...(await model.logDensity([0.3, -0.2], { solver: rk4({ steps: 4 }) })).values,
    ...(await model.velocity([0.3, -0.2, 1, 1], [0.2, 0.9])),
  ];
  const values = await seen(trainer.model);
  const loaded = await load(runtime, bytes);
  const again = await resume(runtime, bytes, {});
  const further = async (one: typeof trainer) => (await trainSteps(one, 2)).map(({ loss }) => loss);
  const result = {
    ...{ losses, values, loaded: await seen(loaded), step: again.step },
    further: [await further(trainer), await further(again)],
    restarted: await seen((await runtime.createTrainer(smallOptions({ ...changes, initial: trainer.model }))).model),
  };
  return { ...result, now: await seen(trainer.model) };
}

test.each(Object.entries(runs))(
  "%s: saved, loaded, resumed, begun anew, and the same in a worker",
  async (_, run) => {
    const here = await withRuntime("wasm", (runtime) => everything(runtime, run()));
    expect(here.losses.every(Number.isFinite)).toBe(true);
    expect(here.loaded).toEqual(here.values);
    expect(here.further[1]).toEqual(here.further[0]);
    expect(here.restarted).toEqual(here.now);
    using engine = await remoteEngine("wasm");
    expect(await everything(engine.runtime, run())).toEqual(here);
  },
  60_000,
);

test("a model's velocity is what the path makes of the network's output", async () => {
  await withRuntime("reference", async (runtime) => {
    const at = async (path: TrainerOptions["path"]) =>
      (await runtime.createTrainer(smallOptions({ path }))).model.velocity([0.3, -0.2], [0.25]);
    const [given, noise, data] = [
      await at(ve()),
      await at(withOutput("noise", ve())),
      await at(withOutput("data", ve())),
    ];
    const sigma = 0.01 * 1000 ** 0.75;
    const rate = -Math.log(1000) * sigma;
    [0.3, -0.2].forEach((x, i) => {
      expect(noise[i] / (rate * given[i])).toBeCloseTo(1, 6);
      expect(data[i] / ((rate / sigma) * (x - given[i]))).toBeCloseTo(1, 6);
    });
  });
});

test("a model trained for another output is begun at with its parameters, and read as the new path has it", async () => {
  await withRuntime("wasm", async (runtime) => {
    const first = await runtime.createTrainer(smallOptions({ path: noisy(), loss: cfm() }));
    const options = smallOptions({
      path: vp(),
      network: (first.model as unknown as Pick<TrainerOptions, "network">).network,
      initial: first.model,
    });
    const second = await runtime.createTrainer(options);
    const plain = await runtime.createTrainer(smallOptions({ path: vp(), initial: first.model }));
    const at = (one: typeof first) => one.model.velocity([0.3, -0.2], [0.25]);
    expect(await at(second)).toEqual(await at(plain));
    expect(await at(second)).not.toEqual(await at(first));
  });
});

test("an exported model holds the conversion", async () => {
  await withRuntime("wasm", async (runtime) => {
    const size = async (path: TrainerOptions["path"]) =>
      (await exportOnnx((await runtime.createTrainer(smallOptions({ path }))).model)).length;
    expect(await size(noisy())).toBeGreaterThan((await size(vp())) + 200);
  });
});

test("VE by scaled noise, weighed and at even times, learns a mixture's density", async () => {
  const mixture = {
    weights: [0.3, 0.7],
    means: [
      [-1, 0.5],
      [0.8, -0.4],
    ],
    variances: [0.09, 0.2],
  };
  const [sigmaMin, data, count] = [0.05, gaussianMixture(mixture), 400];
  const exact = (x: number, y: number) =>
    Math.log(
      mixture.weights.reduce((sum, weight, i) => {
        const variance = mixture.variances[i] + sigmaMin ** 2; // what is left of the noise at t = 1
        const distance = (x - mixture.means[i][0]) ** 2 + (y - mixture.means[i][1]) ** 2;
        return sum + (weight / (2 * Math.PI * variance)) * Math.exp(-distance / (2 * variance));
      }, 0),
    );
  const steps = 1200;
  const error = (path: TrainerOptions["path"], loss: TrainerOptions["loss"]) =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer({
        ...{ network: mlp({ dimension: 2, hidden: [64, 64] }), path, loss, data, batchSize: 256, seed: 1 },
        optimizer: adam({ learningRate: product(0.01, cosineDecay({ steps, final: 0.01 })) }),
      });
      await trainSteps(trainer, steps);
      const points = sampleData(data, count, 5);
      const { values } = await trainer.model.logDensity(points, { solver: rk4({ steps: 40 }) });
      return (
        values.reduce((sum, value, i) => sum + Math.abs(value - exact(points[2 * i], points[2 * i + 1])), 0) / count
      );
    });
  const path = ve({ sigmaMin, sigmaMax: 8 });
  const plain = await error(path, cfm());
  const scaled = await error(
    withOutput("noise", path, { dataDeviation: 1 }),
    weighted(cfm(), { by: "noise", times: "even" }),
  );
  expect(scaled).toBeLessThan(0.25);
  expect(scaled).toBeLessThan(plain / 1.3);
}, 60_000);
