/** Films that a user has as latents of an autoencoder of their own, in a .npy file. */
import { readFileSync } from "node:fs";
import { DataError, type NpyArray, readNpy, splitRows } from "../../../index.ts";
import { type LatentFilms, toUnits, unitsOf } from "./latents.ts";
import type { VideoSettings } from "./settings.ts";

/** Of a file a fifth of the films is held out, and no more than the settings say. */
const HELD_OUT = 0.2;

/** Films below which nothing can be held out that tells anything. */
const FEWEST = 10;

/** Films [films, frames, h, w, c], or [films, frames, d], which are one place of d channels. @throws {@link DataError} */
export function readLatents(
  path: string,
  { given, predicted }: Pick<VideoSettings, "given" | "predicted">,
): LatentFilms {
  const { shape, data } = arrayOf(path);
  const [count = 0, frames = 0, ...rest] = shape;
  const refuse = (given: string, expected: string, remedy: string): never => {
    throw new DataError({ subject: path, given, expected, remedy });
  };
  if (rest.length !== 1 && rest.length !== 3)
    refuse(
      `an array [${shape.join(", ")}]`,
      "[films, frames, h, w, c] or [films, frames, d]",
      "Give the axes that are missing a size of 1.",
    );
  if (count < FEWEST) refuse(`${count} films`, `${FEWEST} or more`, "A fifth of them is held out: give more.");
  if (frames <= given)
    refuse(
      `films of ${frames} frames`,
      `more than the ${given} that are given`,
      `Set given=${Math.max(2, Math.floor(frames / 2))}.`,
    );
  const [h = 1, w = 1, c = 1] = rest.length === 3 ? rest : [1, 1, rest[0]];
  const size = h * w * c;
  const kept = Math.min(frames, given + predicted);
  const values = new Float32Array(count * kept * size);
  for (let film = 0; film < count; film++) {
    for (let i = 0; i < kept * size; i++) {
      const value = data[film * frames * size + i] as number;
      if (!Number.isFinite(value))
        refuse(
          `${value} in film ${film}, frame ${Math.floor(i / size)}`,
          "finite numbers",
          "Leave that film out, or mend it.",
        );
      values[film * kept * size + i] = value;
    }
  }
  return { values, count, frames: kept, shape: [h, w, c] };
}

function arrayOf(path: string): NpyArray {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const facts = { subject: path, given: (cause as NodeJS.ErrnoException).code ?? String(cause) };
    const expected = "a .npy file of latents, [films, frames, h, w, c] or [films, frames, d]";
    throw new DataError({ ...facts, expected, remedy: "Check the path." }, { cause });
  }
  return readNpy(bytes, path);
}

/** Training and held-out films, in units of the training films' channels. */
export async function filmsOfFile(path: string, settings: VideoSettings, seed: number) {
  const all = readLatents(path, settings);
  const split = splitRows(all.count, Math.min(settings.heldOut, Math.ceil(all.count * HELD_OUT)), seed);
  const size = all.values.length / all.count;
  const part = (rows: ArrayLike<number>): LatentFilms => {
    const values = new Float32Array(rows.length * size);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      values.set(all.values.subarray(row * size, (row + 1) * size), i * size);
    }
    return { ...all, values, count: rows.length };
  };
  const [training, heldOut] = [part(split.training), part(split.heldOut)];
  const units = unitsOf(training.values, all.shape[2]);
  return {
    training: { ...training, values: toUnits(training.values, units) },
    heldOut: { ...heldOut, values: toUnits(heldOut.values, units) },
  };
}
