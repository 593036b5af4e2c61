// Letters through the whole engine: trained, sampled, guided, saved, loaded, resumed, and the same in a worker, bit for bit.
import { expect, test } from "vitest";
import {
  adam,
  classes,
  evaluateLosses,
  LimitError,
  load,
  type Runtime,
  resume,
  type TrainerOptions,
} from "../../src/index.ts";
import { crossEntropy, dirichlet, lettersData, linearSimplex, sampleLetters } from "../../src/letters.ts";
import { cnn, defineNetwork, ops } from "../../src/networks.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const sample = [3, 4] as const;
const alphabet = "ACGT";

/** Of each class and place, probabilities of letters that differ. */
const letters = [0, 1].map((label) =>
  [0, 1, 2].map((place) => [0, 1, 2, 3].map((k) => [0.55, 0.25, 0.15, 0.05][(k + place + 2 * label) % 4])),
);
const uniform = new HostRandom(3).uniform(2 * 3 * 4000, 0x900);
const labels = Array.from({ length: 4000 }, (_, row) => row % 2);
const texts = labels.map((label, row) =>
  [0, 1, 2]
    .map((place) => {
      const below = letters[label][place].map((_, k) => letters[label][place].slice(0, k).reduce((a, b) => a + b, 0));
      return alphabet[below.findLastIndex((share) => share <= uniform[3 * row + place])];
    })
    .join(""),
);
const data = () => lettersData(texts, { alphabet, conditions: { kind: Uint32Array.from(labels) } });

const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  network: cnn({ sample, channels: 16, dilations: [1], conditions: { kind: classes(2, { drop: 0.3 }) } }),
  path: dirichlet({ sample }),
  loss: crossEntropy({ divergence: 0.1 }),
  optimizer: adam({ learningRate: 5e-3 }),
  data: data(),
  batchSize: 64,
  seed: 1,
  ...changes,
});

/** All that a few steps and their model give. */
async function everything(runtime: Runtime, changes: Partial<TrainerOptions>) {
  const given = options(changes);
  const { path } = given;
  const trainer = await runtime.createTrainer(given);
  const losses = (await trainSteps(trainer, 3)).map(({ loss, divergenceLoss }) => [loss, divergenceLoss]);
  const bytes = await trainer.checkpoint();
  const kinds = Array.from({ length: 10 }, (_, i) => i % 2);
  const seen = async (model: typeof trainer.model) => [
    ...(await sampleLetters(model, { count: 10, steps: 5, seed: 2, conditions: { kind: kinds }, guidance: 2 })).letters,
    ...(await model.velocity(new Float32Array(12).fill(0.25), [0.5], { conditions: { kind: 1 } })),
    (await evaluateLosses(runtime, model, { loss: given.loss, path, data: data(), batches: 2 })).loss,
  ];
  const values = await seen(trainer.model);
  const loaded = await load(runtime, bytes);
  const again = await resume(runtime, bytes, { data: data() });
  const further = async (one: typeof trainer) => (await trainSteps(one, 2)).map(({ loss }) => loss);
  return { losses, values, loaded: await seen(loaded), further: [await further(trainer), await further(again)] };
}

test.each<[string, () => Partial<TrainerOptions>]>([
  ["the Dirichlet path with its residual", () => ({})],
  ["the linear path", () => ({ path: linearSimplex({ sample }), loss: crossEntropy() })],
])(
  "%s: saved, loaded, resumed, and the same in a worker",
  async (_, changes) => {
    const here = await withRuntime("wasm", (runtime) => everything(runtime, changes()));
    expect(here.losses.flat().every(Number.isFinite)).toBe(true);
    expect(here.loaded).toEqual(here.values);
    expect(here.further[1]).toEqual(here.further[0]);
    using engine = await remoteEngine("wasm");
    expect(await everything(engine.runtime, changes())).toEqual(here);
    const { model } = await engine.runtime.createTrainer(smallOptions());
    await expect(sampleLetters(model, { count: 2 })).rejects.toThrow(/one on the path cond-ot/);
  },
  120_000,
);

/** sum p ln(p/q) of the letters at a place, p those of a class. */
function divergenceOf(drawn: Uint8Array, label: number, place: number): number {
  const counts = [0, 0, 0, 0];
  for (let i = place; i < drawn.length; i += 3) counts[drawn[i]]++;
  return letters[label][place].reduce((sum, p, k) => sum + p * Math.log((p * drawn.length) / 3 / counts[k]), 0);
}

test.each<[string, () => Partial<TrainerOptions>]>([
  ["the Dirichlet path", () => ({ loss: crossEntropy() })],
  ["the Dirichlet path with its residual", () => ({})],
  ["the linear path", () => ({ path: linearSimplex({ sample }), loss: crossEntropy() })],
])(
  "%s: sampled letters are as often as the data's, of each class",
  async (_, changes) => {
    await withRuntime("wasm", async (runtime) => {
      const given = options({ batchSize: 256, ...changes() });
      const trainer = await runtime.createTrainer(given);
      await trainSteps(trainer, 250);
      for (const kind of [0, 1]) {
        const of = { count: 4000, seed: 5, steps: 50, alphabet };
        const { letters: drawn, texts } = await sampleLetters(trainer.model, { ...of, conditions: { kind } });
        expect(texts?.[7]).toBe(Array.from(drawn.subarray(21, 24), (k) => alphabet[k]).join(""));
        for (const place of [0, 1, 2]) expect(divergenceOf(drawn, kind, place)).toBeLessThan(0.06); // of even letters 0.28
      }
      // Told more strongly, the likeliest letter comes more often than in the data.
      const guided = { count: 1000, seed: 5, steps: 50, conditions: { kind: 0 }, guidance: 3 };
      const { letters: strong } = await sampleLetters(trainer.model, guided);
      expect(strong.filter((k, i) => i % 3 === 0 && k === 0).length / 1000).toBeGreaterThan(0.65);
    });
  },
  120_000,
);

// The exact posterior of one letter: ln share + (a - 1) ln x. What sampled letters are off by beside chance is the sampler's.
test.each([
  [6, 100],
  [40, 50],
])("the flow of the exact posterior over %i letters gives their shares, in %i steps", async (count, steps) => {
  const powers = Array.from({ length: count }, (_, k) => Math.exp(3 * Math.sin(k + 1)));
  const shares = powers.map((power) => power / powers.reduce((a, b) => a + b));
  const path = dirichlet({ sample: [1, count] });
  const posterior = defineNetwork({
    name: "posterior",
    sample: [1, count],
    parameters: [{ name: "none", shape: [1], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    apply({ x, t }, values) {
      const above = ops.reshape(ops.multiply(t, 7), [x.shape[0], 1, 1]);
      const prior = ops.table(shares.map(Math.log), [1, 1, count]);
      const logits = ops.add(prior, ops.multiply(above, ops.log(ops.maximum(x, 1e-30))));
      return ops.add(logits, ops.multiply(ops.reshape(values.get("none") as never, [1, 1, 1]), 0));
    },
  });
  await withRuntime("wasm", async (runtime) => {
    const data = lettersData([[0]], { letters: count });
    const { model } = await runtime.createTrainer({
      network: posterior,
      path,
      loss: crossEntropy(),
      data,
      batchSize: 2,
    });
    const drawn = (await sampleLetters(model, { count: 8000, steps, seed: 3 })).letters;
    const counts = shares.map((_, k) => drawn.filter((letter) => letter === k).length);
    const off = shares.reduce((sum, share, k) => sum + share * Math.log((share * 8000) / Math.max(counts[k], 0.5)), 0);
    expect(off).toBeLessThan((3 * (count - 1)) / 16_000); // by chance a third of it, of even letters more than 0.8
  });
});

test("what is Gaussian of a model is refused, and what does not fit", async () => {
  await withRuntime("wasm", async (runtime) => {
    const { path, ...given } = options();
    const trainer = await runtime.createTrainer({ ...given, path });
    const { model } = trainer;
    const conditions = { kind: 0 };
    await expect(model.sample({ count: 2, conditions })).rejects.toThrow(/Gaussian noise.*sampleLetters/);
    await expect(model.logDensity(new Float32Array(12).fill(0.25), { conditions })).rejects.toThrow(/log-densities/);
    await expect(runtime.createTrainer({ ...given, path, network: cnn({ sample: [4, 4] }) })).rejects.toThrow(
      /network/,
    );
    await expect(sampleLetters(model, { count: 1e10, conditions })).rejects.toThrow(LimitError);
    for (const option of [{ validation: 0.1 }, { jitter: 0.1 }]) {
      await expect(runtime.createTrainer({ ...given, path, ...option })).rejects.toThrow(/the data "letters ACGT"/);
    }
    const renamed = lettersData(
      texts.map((text) => text.replace(/./g, (one) => "TGCA"[alphabet.indexOf(one)])),
      { alphabet: "TGCA", conditions: { kind: Uint32Array.from(labels) } },
    );
    await expect(resume(runtime, await trainer.checkpoint(), { data: renamed })).rejects.toThrow(/letters ACGT/);
    const { model: other } = await runtime.createTrainer(smallOptions());
    await expect(sampleLetters(other, { count: 2 })).rejects.toThrow(
      /model of sampleLetters: got "one on the path cond-ot"/,
    );
    await expect(sampleLetters(model, { count: 2, conditions, alphabet: "AC" })).rejects.toThrow(/expected 4/);
    await expect(sampleLetters(model, { count: 2 })).rejects.toThrow(/condition "kind"/);
  });
});

test("many sequences come in parts, each told its own", async () => {
  const calls: { count: number; kinds: unknown }[] = [];
  const path = linearSimplex({ sample: [64, 256] });
  const model = {
    ...{
      path,
      dimension: 64 * 256,
      shape: [64, 256],
      conditions: { kind: { classes: 2, shape: [], optional: false } },
    },
    async sample({ count, noise, conditions }: { count: number; noise: Float32Array; conditions: { kind: number[] } }) {
      calls.push({ count, kinds: conditions.kind });
      const values = new Float32Array(noise.length);
      for (let i = 0; i < values.length; i += 256) values[i + conditions.kind[Math.floor(i / 64 / 256)]] = 1;
      return { values };
    },
  };
  const kind = Array.from({ length: 300 }, (_, i) => i % 2);
  const { letters: drawn } = await sampleLetters(model as never, { count: 300, conditions: { kind } });
  expect(calls.map(({ count }) => count)).toEqual([256, 44]);
  expect(drawn.every((letter, i) => letter === kind[Math.floor(i / 64)])).toBe(true);
});
