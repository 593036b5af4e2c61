// Training on the Brownian bridge: between two Gaussians, where the Schroedinger bridge is known; with a score, files, a worker.
import { describe, expect, test } from "vitest";
import {
  brownianBridge,
  entropicTransport,
  eulerMaruyama,
  independent,
  scoreMatching,
  stochasticHeun,
  withScore,
} from "../../src/flows.ts";
import {
  adam,
  ConfigError,
  cfm,
  createTrainer,
  eightGaussians,
  fdm,
  gaussianMixture,
  load,
  mlp,
  moons,
  type Runtime,
  resume,
  type TrainerOptions,
} from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const [M0, M1, S0, S1, SIGMA] = [-1, 1.5, 0.8, 0.5, 0.7];
const gaussian = (mean: number, deviation: number) =>
  gaussianMixture({ weights: [1], means: [[mean, 0]], variances: [deviation ** 2] });

/**
 * The Schroedinger bridge between N(M0, S0^2) and N(M1, S1^2), SIGMA the deviation of its reference: ends are jointly Gaussian with
 * covariance (sqrt(4 S0^2 S1^2 + SIGMA^4) - SIGMA^2) / 2 (Bunne et al., The Schroedinger bridge between Gaussian measures has a
 * closed form, 2023), and so are all marginals.
 */
function closedForm(t: number) {
  const covariance = (Math.sqrt(4 * S0 ** 2 * S1 ** 2 + SIGMA ** 4) - SIGMA ** 2) / 2;
  const mean = (1 - t) * M0 + t * M1;
  const variance = (1 - t) ** 2 * S0 ** 2 + t ** 2 * S1 ** 2 + 2 * t * (1 - t) * covariance + SIGMA ** 2 * t * (1 - t);
  const rate = -2 * (1 - t) * S0 ** 2 + 2 * t * S1 ** 2 + 2 * (1 - 2 * t) * covariance + SIGMA ** 2 * (1 - 2 * t);
  return { mean, variance, covariance, slope: rate / (2 * variance) };
}

const field = () => mlp({ dimension: 2, hidden: [48, 48], activation: "silu" });
const bridging = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  network: withScore(field(), field()),
  path: brownianBridge({ sigma: SIGMA }),
  loss: scoreMatching(fdm({ divergence: 0.05 })),
  coupling: entropicTransport({ regularisation: 2 * SIGMA ** 2 }),
  start: gaussian(M0, S0),
  data: gaussian(M1, S1),
  optimizer: adam({ learningRate: 3e-3 }),
  ema: { decay: 0.99 },
  batchSize: 256,
  seed: 1,
  ...changes,
});

function momentsOf(values: ArrayLike<number>) {
  const first = Array.from({ length: values.length / 2 }, (_, i) => values[2 * i] as number);
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  return { mean, deviation: Math.sqrt(first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length) };
}

test(
  "the Schroedinger bridge between two Gaussians is learned: velocity, marginals of the flow, and of the diffusion",
  {
    timeout: 120_000,
  },
  () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, bridging());
      await trainSteps(trainer, 700);
      const { model } = trainer;
      // The velocity about the mean, within two deviations, at inner times.
      const [points, times, exact] = [[] as number[], [] as number[], [] as number[]];
      for (const t of [0.1, 0.3, 0.5, 0.7, 0.9]) {
        const { mean, variance, slope } = closedForm(t);
        for (const z of [-1.5, -0.5, 0.5, 1.5]) {
          points.push(mean + z * Math.sqrt(variance), 0);
          times.push(t);
          exact.push(M1 - M0 + slope * z * Math.sqrt(variance), 0);
        }
      }
      const velocities = await model.velocity(points, times);
      const rms = Math.sqrt(exact.reduce((sum, v, i) => sum + (v - (velocities[i] as number)) ** 2, 0) / exact.length);
      expect(rms).toBeLessThan(0.15); // of velocities of size 2.5; without the noise's part it would be 0.25
      const flow = await model.sample({ count: 4000, seed: 3, times: [0.5] });
      for (const diffusion of [() => SIGMA, { kind: "sigma" as const, strength: 1 }]) {
        const noisy = await model.sample({
          ...{ count: 4000, seed: 4, times: [0.5] },
          solver: eulerMaruyama({ steps: 100, diffusion }),
        });
        for (const { values, trajectory } of [flow, noisy]) {
          const end = momentsOf(values);
          expect(Math.abs(end.mean - M1)).toBeLessThan(0.08);
          expect(Math.abs(end.deviation - S1)).toBeLessThan(0.08);
          const middle = momentsOf(trajectory?.values ?? []);
          expect(Math.abs(middle.mean - closedForm(0.5).mean)).toBeLessThan(0.08);
          expect(Math.abs(middle.deviation - Math.sqrt(closedForm(0.5).variance))).toBeLessThan(0.08);
        }
      }
      // The diffusion's own pairs: a start and where it came to vary together less than along the flow, as much as the plan has them.
      const start = Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? M0 + S0 * Math.sin(i) * Math.SQRT2 : 0));
      const ends = await model.sample({
        start,
        seed: 5,
        solver: stochasticHeun({ steps: 60, diffusion: () => SIGMA }),
      });
      const [from, to] = [momentsOf(start), momentsOf(ends.values)];
      let together = 0;
      for (let i = 0; i < start.length; i += 2)
        together += ((start[i] as number) - from.mean) * ((ends.values[i] as number) - to.mean);
      const correlation = together / (start.length / 2) / from.deviation / to.deviation;
      expect(Math.abs(correlation - closedForm(0).covariance / (S0 * S1))).toBeLessThan(0.08);
      expect(closedForm(0).covariance / (S0 * S1)).toBeLessThan(0.6);
    }),
);

describe("runs and files", () => {
  const small = (changes: Partial<TrainerOptions> = {}) => bridging({ batchSize: 16, ...changes });
  const lossesOf = (rows: Awaited<ReturnType<typeof trainSteps>>) => rows.map(({ loss }) => loss);

  test("train with the same bits on resume and in a worker, and sample so", () =>
    withRuntime("wasm", async (runtime) => {
      const whole = await createTrainer(runtime, small());
      const wanted = lossesOf(await trainSteps(whole, 12));
      const first = await createTrainer(runtime, small());
      const found = lossesOf(await trainSteps(first, 5));
      const again = await resume(runtime, await first.checkpoint());
      found.push(...lossesOf(await trainSteps(again, 7)));
      expect(found).toEqual(wanted);
      const solver = eulerMaruyama({ steps: 5, diffusion: () => SIGMA });
      const { values } = await whole.model.sample({ count: 3, seed: 2, solver });
      const loaded = await load(runtime, await whole.model.checkpoint());
      expect((await loaded.sample({ count: 3, seed: 2, solver })).values).toEqual(values);
      using remote = await remoteEngine("wasm");
      const far = await remote.runtime.createTrainer(small());
      expect(lossesOf(await trainSteps(far, 12))).toEqual(wanted);
      expect((await far.model.sample({ count: 3, seed: 2, solver })).values).toEqual(values);
    }));

  test("velocity and score learn apart: neither changes what the other is", () =>
    withRuntime("wasm", async (runtime) => {
      const both = await createTrainer(runtime, small({ loss: scoreMatching(cfm(), { weight: 5 }) }));
      const one = await createTrainer(runtime, small({ loss: scoreMatching(cfm(), { weight: 1 }) }));
      await trainSteps(both, 8);
      await trainSteps(one, 8);
      const at = [[0.3, 0.1]];
      const [a, b] = [await both.model.velocity(at, [0.4]), await one.model.velocity(at, [0.4])];
      a.forEach((value, i) => {
        expect(value).toBeCloseTo(b[i] as number, 4);
      });
    }));

  test("its losses can be evaluated, the score's among them, for it has a score of its own", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await createTrainer(runtime, small({ coupling: independent() }));
      const asked = { data: gaussian(M1, S1), batchSize: 64, batches: 4, seed: 2 };
      const velocity = await runtime.evaluateLosses(trainer.model, { ...asked, loss: cfm() });
      const both = await runtime.evaluateLosses(trainer.model, { ...asked, loss: scoreMatching(cfm()) });
      expect(both.velocityLoss).toBeCloseTo(velocity.velocityLoss, 5);
      expect(both.loss - velocity.loss).toBeGreaterThan(0.5); // of a fresh network: about the noise's own square, 1
      expect(both.loss - velocity.loss).toBeLessThan(2);
    }));

  test("from noise the bridge has densities, with FDM, without a start", () =>
    withRuntime("wasm", async (runtime: Runtime) => {
      const trainer = await createTrainer(
        runtime,
        smallOptions({ network: field(), path: brownianBridge({ sigma: 0.3 }), loss: fdm(), data: moons() }),
      );
      await trainSteps(trainer, 5);
      const { values } = await trainer.model.logDensity([[0, 0]]);
      expect(Number.isFinite(values[0])).toBe(true);
      const noisy = trainer.model.sample({ count: 2, solver: eulerMaruyama({ steps: 3 }) });
      await expect(noisy).rejects.toThrow(/withScore/);
      const known = trainer.model.sample({ count: 2, known: { values: [0, 0], mask: [1, 0] } });
      await expect(known).rejects.toThrow(/brownian-bridge/);
    }));

  test("what does not fit is refused", () =>
    withRuntime("wasm", async (runtime) => {
      const plain = createTrainer(runtime, smallOptions({ network: field(), loss: scoreMatching(cfm()) }));
      await expect(plain).rejects.toThrow(/withScore/);
      const flat = createTrainer(runtime, small({ path: undefined as never }));
      await expect(flat).rejects.toThrow(ConfigError);
      expect(() => withScore(field(), mlp({ dimension: 3 }))).toThrow(/same samples/);
      expect(() => withScore(withScore(field(), field()), field())).toThrow(/two plain networks/);
      const trainer = await createTrainer(runtime, small({ start: eightGaussians() }));
      await expect(trainer.model.sample({ count: 2, logDensity: true })).rejects.toThrow(/eight-gaussians/);
    }));
});
