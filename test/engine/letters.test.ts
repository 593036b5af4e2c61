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
import { cnn, defineGuidance, defineNetwork, ops } from "../../src/networks.ts";
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

/** A network whose logits are the exact posterior of independent letters: ln share + (a - 1) ln x. Shares [L][K]. */
function posteriorOf(shares: readonly (readonly number[])[]) {
  const sample = [shares.length, shares[0].length] as const;
  return defineNetwork({
    name: "posterior",
    sample,
    parameters: [{ name: "none", shape: [1], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    apply({ x, t }, values) {
      const above = ops.reshape(ops.multiply(t, 7), [x.shape[0], 1, 1]);
      const prior = ops.table(shares.flat().map(Math.log), [1, ...sample]);
      const logits = ops.add(prior, ops.multiply(above, ops.log(ops.maximum(x, 1e-30))));
      return ops.add(logits, ops.multiply(ops.reshape(values.get("none") as never, [1, 1, 1]), 0));
    },
  });
}

async function exactModel(runtime: Runtime, shares: readonly (readonly number[])[]) {
  const [places, count] = [shares.length, shares[0].length];
  const data = lettersData([shares.map(() => 0)], { letters: count });
  const path = dirichlet({ sample: [places, count] });
  const given = { network: posteriorOf(shares), path, loss: crossEntropy(), data, batchSize: 2 };
  return (await runtime.createTrainer(given)).model;
}

// What sampled letters are off by beside chance is the sampler's.
test.each([
  [6, 100],
  [40, 50],
])("the flow of the exact posterior over %i letters gives their shares, in %i steps", async (count, steps) => {
  const powers = Array.from({ length: count }, (_, k) => Math.exp(3 * Math.sin(k + 1)));
  const shares = powers.map((power) => power / powers.reduce((a, b) => a + b));
  await withRuntime("wasm", async (runtime) => {
    const model = await exactModel(runtime, [shares]);
    const drawn = (await sampleLetters(model, { count: 8000, steps, seed: 3 })).letters;
    const counts = shares.map((_, k) => drawn.filter((letter) => letter === k).length);
    const off = shares.reduce((sum, share, k) => sum + share * Math.log((share * 8000) / Math.max(counts[k], 0.5)), 0);
    expect(off).toBeLessThan((3 * (count - 1)) / 16_000); // by chance a third of it, of even letters more than 0.8
  });
});

// Two places of four letters; weights by place, whose product the density is multiplied by.
const shares = [
  [0.4, 0.3, 0.2, 0.1],
  [0.1, 0.1, 0.2, 0.6],
];
const weights = [
  [1, 4, 2, 0.5],
  [3, 1, 1, 0.2],
];
const weighted = (strength = 1) =>
  shares.map((own, place) => {
    const all = own.map((share, k) => share * weights[place][k] ** strength);
    return all.map((one) => one / all.reduce((a, b) => a + b));
  });
const byWeights = defineGuidance({
  name: "weights",
  kind: "log-weight",
  build: ({ samples }) => {
    const expected = ops.sum(ops.multiply(samples, ops.table(weights.flat(), [1, 2, 4])), [2]);
    return ops.sum(ops.log(expected), [1]);
  },
});

test("sampled letters are weighted, here and in a worker; strengths, events and linear paths", async () => {
  await withRuntime("wasm", async (runtime) => {
    const model = await exactModel(runtime, shares);
    const of = { count: 8000, steps: 60, seed: 4 };
    const drawn = async (guide: object) => (await sampleLetters(model, { ...of, guide: guide as never })).letters;
    const shareOf = (letters: Uint8Array, place: number, k: number) =>
      letters.filter((one, i) => i % 2 === place && one === k).length / 8000;
    const letters = await drawn(byWeights);
    for (const place of [0, 1]) {
      for (const k of [0, 1, 2, 3]) {
        const p = weighted()[place][k];
        expect(Math.abs(shareOf(letters, place, k) - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 8000) + 0.002);
      }
    }
    // A strength is a power of the weight as far as the weight of the mean is the mean of the weights: more of what it likes.
    const strong = await drawn({ by: byWeights, strength: 2 });
    expect(shareOf(strong, 0, 1)).toBeGreaterThan(shareOf(letters, 0, 1) + 0.1);
    using engine = await remoteEngine("wasm");
    const away = await exactModel(engine.runtime, shares);
    const small = { count: 50, steps: 10, guide: byWeights };
    expect(await sampleLetters(away, small)).toEqual(await sampleLetters(model, small));

    const event = defineGuidance({ name: "event", build: ({ samples }) => ops.sum(samples, [1, 2]) });
    await expect(drawn(event)).rejects.toThrow(/guide "event" of letters: got "an event".*log-weight/);
    const bad = defineGuidance({
      name: "bad",
      kind: "log-weight",
      build: ({ samples }) => ops.log(ops.multiply(ops.sum(samples, [1, 2]), -1)),
    });
    await expect(drawn(bad)).rejects.toThrow(/guided by "bad"/);
    const known = { values: new Float32Array(8), mask: new Uint8Array(8) };
    await expect(model.sample({ count: 2, known, noise: new Float32Array(16).fill(0.25) })).rejects.toThrow(
      /sampleLetters/,
    );
    const { network, data } = { network: posteriorOf(shares), data: lettersData([[0, 0]], { letters: 4 }) };
    const straight = { network, path: linearSimplex({ sample: [2, 4] }), loss: crossEntropy(), data, batchSize: 2 };
    const { model: linear } = await runtime.createTrainer(straight);
    await expect(sampleLetters(linear, { count: 2, guide: byWeights })).rejects.toThrow(/the linear path/);
  });
}, 60_000);

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
