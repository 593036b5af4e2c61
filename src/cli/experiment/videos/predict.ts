/** Films gone on with, frame after frame, by a model of a frame given the one before it and an earlier one; and their likelihoods. */
import { dopri5, type Model } from "../../../index.ts";
import { randomNumbers, uniformSequence } from "../random-numbers.ts";
import { cut, DISTANCE, EARLIER, earlierOf, framesOf, LAST, type LatentFilms, sizeOfFrame } from "./latents.ts";

export interface Continuing {
  /** Frames that are known of each film, at least 2. */
  readonly given: number;
  readonly predicted: number;
  /** RK4 steps of a frame. */
  readonly steps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  progress(done: number): Promise<void>;
}

/** The noise of frames, and the frames that are told, are drawn by seeds this far apart. */
const EARLIER_SEED_OFFSET = 500_009;

/**
 * Continuations of films' first frames: each frame from noise by RK4, told the last one and an earlier one that is drawn anew at
 * each evaluation of the network, as the published program has it. What was made is told of later frames as what was given is.
 *
 * @returns [count, predicted, ...shape].
 */
export async function continueFilms(
  model: Pick<Model, "velocity">,
  films: LatentFilms,
  { given, predicted, steps, seed, signal, progress }: Continuing,
): Promise<LatentFilms> {
  const { count, shape } = films;
  const size = sizeOfFrame(films);
  const frames = given + predicted;
  const known: LatentFilms = { shape, count, frames, values: new Float32Array(count * frames * size) };
  for (let film = 0; film < count; film++) known.values.set(framesOf(films, film, 0, given), film * frames * size);
  const uniform = uniformSequence(seed + EARLIER_SEED_OFFSET);
  for (let frame = given; frame < frames; frame++) {
    const last = new Float32Array(count * size);
    for (let film = 0; film < count; film++) last.set(framesOf(known, film, frame - 1), film * size);
    const velocity = (x: Float32Array, t: number) => {
      const earlier = new Float32Array(count * size);
      const distance = new Float32Array(count);
      for (let film = 0; film < count; film++) {
        const chosen = earlierOf(frame, uniform());
        earlier.set(framesOf(known, film, chosen), film * size);
        distance[film] = frame - chosen;
      }
      const conditions = { [LAST]: last, [EARLIER]: earlier, [DISTANCE]: distance };
      return model.velocity(x, new Float32Array(count).fill(t), { conditions, signal });
    };
    // Noise of a frame's own: films of other lengths begin alike.
    const noise = Float32Array.from(randomNumbers("normal", count * size, seed + frame));
    const made = await rk4(velocity, noise, steps);
    for (let film = 0; film < count; film++)
      known.values.set(made.subarray(film * size, (film + 1) * size), (film * frames + frame) * size);
    await progress((frame - given + 1) / predicted);
  }
  return cut(known, given, frames);
}

/** From t = 0 to 1 in equal steps. */
export async function rk4(
  velocity: (x: Float32Array, t: number) => Promise<ArrayLike<number>>,
  start: Float32Array,
  steps: number,
): Promise<Float32Array> {
  const h = 1 / steps;
  let x = start;
  const moved = (by: ArrayLike<number>, length: number) => x.map((value, i) => value + length * (by[i] as number));
  for (let step = 0; step < steps; step++) {
    const t = step / steps;
    const a = await velocity(x, t);
    const b = await velocity(moved(a, h / 2), t + h / 2);
    const c = await velocity(moved(b, h / 2), t + h / 2);
    const d = await velocity(moved(c, h), Math.min(1, t + h));
    x = x.map((value, i) => {
      return value + (h / 6) * ((a[i] as number) + 2 * (b[i] as number) + 2 * (c[i] as number) + (d[i] as number));
    });
  }
  return x;
}

/**
 * Negative log-likelihoods of true frames, nats per dimension, in the units of the latents: of each of the first films one frame
 * that is not given, told the true ones before it.
 */
export async function natsOfFrames(
  model: Pick<Model, "logDensity">,
  films: LatentFilms,
  options: {
    readonly count: number;
    readonly given: number;
    readonly probes: number;
    readonly tolerance: number;
    readonly seed: number;
    readonly signal: AbortSignal;
  },
): Promise<Float64Array> {
  const { count, given, probes, tolerance, seed, signal } = options;
  const size = sizeOfFrame(films);
  const uniform = uniformSequence(seed + EARLIER_SEED_OFFSET);
  const [rows, last, earlier] = [0, 1, 2].map(() => new Float32Array(count * size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const distance = new Float32Array(count);
  for (let film = 0; film < count; film++) {
    const frame = given + (film % (films.frames - given));
    const chosen = earlierOf(frame, uniform());
    rows.set(framesOf(films, film, frame), film * size);
    last.set(framesOf(films, film, frame - 1), film * size);
    earlier.set(framesOf(films, film, chosen), film * size);
    distance[film] = frame - chosen;
  }
  const { values } = await model.logDensity(rows, {
    ...{ conditions: { [LAST]: last, [EARLIER]: earlier, [DISTANCE]: distance }, divergence: "hutchinson", probes },
    ...{ solver: dopri5({ relativeTolerance: tolerance, absoluteTolerance: tolerance }), seed, signal },
  });
  return values.map((value) => -value / size);
}
