// Learns sequences of letters by class on the Dirichlet path, with and without the residual of FDM; how far letters' shares are off.
import { adam, classes, createRuntime, createTrainer } from "divflow";
import { crossEntropy, dirichlet, lettersData, sampleLetters } from "divflow/letters";
import { cnn } from "divflow/networks";

// The toy task of Dirichlet flow matching: each class has shares of its own of 40 letters at each of 4 places. With a
// sharpness of 1, as in the paper, shares are nearly even, and training has to be far longer to be nearer than that.
const [places, letters, kinds, sharpness] = [4, 40, 3, 4];
const steps = 2000;
const shares = Array.from({ length: kinds }, () =>
  Array.from({ length: places }, () => {
    const powers = Array.from({ length: letters }, () => Math.exp(sharpness * Math.random()));
    return powers.map((power) => power / powers.reduce((a, b) => a + b));
  }),
);
const letter = (/** @type {number[]} */ of) => {
  let rest = Math.random();
  const found = of.findIndex((share) => {
    rest -= share;
    return rest < 0;
  });
  return found < 0 ? letters - 1 : found;
};
const labels = Uint32Array.from({ length: 60_000 }, (_, row) => row % kinds);
const sequences = Array.from(labels, (kind) => shares[kind].map(letter));

/** @type {[number, number]} */
const sample = [places, letters];
const path = dirichlet({ sample }); // or linearSimplex({ sample })
const runtime = await createRuntime(); // WebGPU on a real GPU, else WebAssembly
for (const divergence of [0, 0.1]) {
  const trainer = await createTrainer(runtime, {
    network: cnn({ sample, channels: 32, dilations: [1, 1], conditions: { kind: classes(kinds, { drop: 0.3 }) } }),
    path,
    loss: crossEntropy({ divergence }), // above 0: flow and divergence matching
    data: lettersData(sequences, { letters, conditions: { kind: labels } }),
    optimizer: adam({ learningRate: 4e-3 }),
    maximumGradientNorm: 1,
    batchSize: 256,
    seed: 1,
  });
  let loss = 0;
  for await (const progress of trainer.run({ steps })) loss = progress.loss;

  const count = 20_000;
  for (let kind = 0; kind < kinds; kind++) {
    const drawn = await sampleLetters(trainer.model, { count, conditions: { kind }, seed: 7 });
    const off = shares[kind].map((of, place) => {
      const counts = new Array(letters).fill(0);
      for (let i = place; i < drawn.letters.length; i += places) counts[drawn.letters[i]]++;
      return of.reduce((sum, share, k) => sum + share * Math.log((share * count) / Math.max(counts[k], 0.5)), 0);
    });
    const list = off.map((value) => value.toFixed(4)).join(", ");
    console.log(`divergence ${divergence}, cross-entropy ${loss.toFixed(3)}, class ${kind}: KL by place ${list}`);
  }
  trainer.dispose();
}
// Chance alone gives (letters - 1) / (2 count); even letters would be off by so much:
const even = shares[0][0].reduce((sum, share) => sum + share * Math.log(share * letters), 0);
console.log(`by chance ${((letters - 1) / 40_000).toFixed(4)}, of even letters ${even.toFixed(4)}`);
runtime.dispose();
