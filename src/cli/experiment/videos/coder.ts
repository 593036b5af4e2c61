/**
 * An autoencoder of frames as one network of divflow's, from samples to samples: it maps a frame and a move of its latents to what
 * the moved latents decode to, and to the latents. So one model, trained once and frozen, is asked for either: what decodes
 * latents moves those of a blank frame to them.
 */
import type { Loss, Model, Network } from "../../../index.ts";
import {
  conv2dLayer,
  defineLoss,
  defineNetwork,
  downsample2dLayer,
  ops,
  parametersOf,
  swish,
  upsample2dLayer,
} from "../../../networks.ts";

/** Latents of a frame: places across and down, and channels. */
export const LATENT_SIDE = 8;
export const LATENT_CHANNELS = 4;
export const LATENT_SHAPE = [LATENT_SIDE, LATENT_SIDE, LATENT_CHANNELS] as const;
export const LATENTS = LATENT_SIDE ** 2 * LATENT_CHANNELS;

export interface CoderSettings {
  /** Pixels of a frame's side: 16, or twice that, and so on. */
  readonly side: number;
  /** Channels at half of the frame's size, twice as many at a quarter of it, and so on. */
  readonly coderChannels: number;
}

/** Pixels of a square that its first layer takes at once, and its last one gives. */
const PATCH = 2;

/** Numbers of a sample: a frame, and behind it what is added to its latents. */
export const pairSize = (side: number): number => side * side + LATENTS;

export function coderNetwork({ side, coderChannels: channels }: CoderSettings): Network {
  const halvings = Math.log2(side / PATCH / LATENT_SIDE);
  const width = (level: number) => channels * 2 ** level;
  const conv = (name: string, inputs: number, outputs: number) => conv2dLayer(name, { taps: 3, inputs, outputs });
  const levels = Array.from({ length: halvings }, (_, i) => i);
  const patches = { taps: PATCH, stride: PATCH, padding: 0, inputs: 1, outputs: channels };
  const encoder = {
    first: conv2dLayer("encoder.input", patches),
    down: levels.map((i) => ({
      halve: downsample2dLayer(`encoder.${i}.downsample`, width(i)),
      wide: conv(`encoder.${i}.conv`, width(i), width(i + 1)),
    })),
    last: conv("encoder.output", width(halvings), LATENT_CHANNELS),
  };
  const decoder = {
    first: conv("decoder.input", LATENT_CHANNELS, width(halvings)),
    up: levels.toReversed().map((i) => ({
      narrow: conv(`decoder.${i}.conv`, width(i + 1), width(i)),
      double: upsample2dLayer(`decoder.${i}.upsample`, width(i)),
    })),
    last: conv("decoder.output", channels, PATCH ** 2),
  };
  const pixels = side * side;
  const places = side / PATCH;
  return defineNetwork({
    name: "frame-autoencoder",
    sample: [pairSize(side)],
    parameters: [
      ...parametersOf(encoder.first, ...encoder.down.flatMap(({ halve, wide }) => [halve, wide]), encoder.last),
      ...parametersOf(decoder.first, ...decoder.up.flatMap(({ narrow, double }) => [narrow, double]), decoder.last),
    ],
    apply({ x }, values) {
      const rows = x.shape[0] as number;
      let h = encoder.first.apply(values, ops.reshape(ops.slice(x, 1, 0, pixels), [rows, side, side, 1]));
      for (const { halve, wide } of encoder.down) h = wide.apply(values, swish(halve.apply(values, swish(h))));
      const latents = ops.reshape(encoder.last.apply(values, swish(h)), [rows, LATENTS]);
      const moved = ops.add(latents, ops.slice(x, 1, pixels, pixels + LATENTS));
      let y = decoder.first.apply(values, ops.reshape(moved, [rows, ...LATENT_SHAPE]));
      for (const { narrow, double } of decoder.up) y = double.apply(values, swish(narrow.apply(values, swish(y))));
      const squares = decoder.last.apply(values, swish(y));
      const lines = ops.transpose(ops.reshape(squares, [rows, places, places, PATCH, PATCH]), [0, 1, 3, 2, 4]);
      return ops.concat([ops.reshape(lines, [rows, pixels]), latents], 1);
    },
  });
}

/**
 * mean (frame - decoded(z + noise e))^2 + penalty * mean z^2, z the frame's latents, e ~ N(0, 1): a variational autoencoder whose
 * deviation is one number. The noise makes near latents mean near frames, and gives latents a density; the penalty keeps them
 * from growing away from it.
 *
 * @param noise - standard deviation, in the encoder's units.
 */
export function coderLoss(side: number, { noise, penalty }: { noise: number; penalty: number }): Loss {
  const pixels = side * side;
  return defineLoss({
    name: "reconstruction",
    build({ network, x1, t, random }) {
      const rows = x1.shape[0] as number;
      const frame = ops.slice(x1, 1, 0, pixels);
      const moved = ops.multiply(random("normal", [rows, LATENTS]), noise);
      const coded = network(ops.concat([frame, moved], 1), t);
      const missed = ops.meanAll(ops.square(ops.subtract(ops.slice(coded, 1, 0, pixels), frame)));
      const size = ops.meanAll(ops.square(ops.slice(coded, 1, pixels, pixels + LATENTS)));
      return { loss: ops.add(missed, ops.multiply(size, penalty)), velocityLoss: missed };
    },
  });
}

/** Frames that are coded at once, so that signals are seen. */
const CHUNK = 256;

/** Told how much is done, from 0 to 1. */
type Told = (done: number) => Promise<void>;

/** A frozen autoencoder. */
export class Coder implements Disposable {
  readonly #model: Model;
  readonly #pixels: number;

  constructor(model: Model, side: number) {
    this.#model = model;
    this.#pixels = side * side;
  }

  /** @param frames - [count, side, side], from 0 to 1. @returns latents [count, 8, 8, 4]. */
  async encode(frames: ArrayLike<number>, told?: Told): Promise<Float32Array> {
    const count = frames.length / this.#pixels;
    const latents = new Float32Array(count * LATENTS);
    await this.#map(
      count,
      (row) => [sliceOf(frames, row, this.#pixels), []],
      (row, pair) => latents.set(pair.subarray(this.#pixels), row * LATENTS),
      told,
    );
    return latents;
  }

  /** @param latents - [count, 8, 8, 4]. @returns frames [count, side, side], from 0 to 1. */
  async decode(latents: ArrayLike<number>, told?: Told): Promise<Float32Array> {
    const blank = await this.encode(new Float32Array(this.#pixels)); // from whose latents others are reached
    const count = latents.length / LATENTS;
    const frames = new Float32Array(count * this.#pixels);
    await this.#map(
      count,
      (row) => [[], sliceOf(latents, row, LATENTS).map((value, i) => value - (blank[i] as number))],
      (row, pair) => frames.set(pair.subarray(0, this.#pixels), row * this.#pixels),
      told,
    );
    return frames.map((level) => Math.min(1, Math.max(0, level)));
  }

  async #map(
    count: number,
    given: (row: number) => readonly [frame: ArrayLike<number>, moved: ArrayLike<number>],
    take: (row: number, pair: Float32Array) => void,
    told: Told = async () => {},
  ): Promise<void> {
    const size = this.#pixels + LATENTS;
    for (let first = 0; first < count; first += CHUNK) {
      const rows = Math.min(CHUNK, count - first);
      const pairs = new Float32Array(rows * size);
      for (let row = 0; row < rows; row++) {
        const [frame, moved] = given(first + row);
        pairs.set(frame, row * size);
        pairs.set(moved, row * size + this.#pixels);
      }
      const coded = Float32Array.from(await this.#model.velocity(pairs, new Float32Array(rows)));
      for (let row = 0; row < rows; row++) take(first + row, coded.subarray(row * size, (row + 1) * size));
      await told((first + rows) / count);
    }
  }

  [Symbol.dispose](): void {
    this.#model.dispose();
  }
}

function sliceOf(values: ArrayLike<number>, row: number, size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => values[row * size + i] as number);
}
