/** How far pictures are from the nearest ones of a training set: whether a model knows some by heart. */
import { type Pictures, sizeOfPicture } from "./picture.ts";

export interface Nearest {
  /** Of each picture: the number of the nearest one. */
  readonly rows: Uint32Array;
  /** Root of the mean square over a picture's numbers, in levels. */
  readonly distances: Float64Array;
}

/** Pictures between two turns of the thread. */
const TURN = 32;

export async function nearestOf(
  pictures: Pictures,
  among: Pictures,
  progress: (done: number) => Promise<void>,
): Promise<Nearest> {
  const size = sizeOfPicture(pictures);
  const rows = new Uint32Array(pictures.count);
  const distances = new Float64Array(pictures.count);
  for (let i = 0; i < pictures.count; i++) {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < among.count; j++) {
      let sum = 0;
      // Given up as soon as it is farther than the nearest one so far.
      for (let k = 0; k < size && sum < least; k++) {
        const difference = (pictures.levels[i * size + k] as number) - (among.levels[j * size + k] as number);
        sum += difference * difference;
      }
      if (sum >= least) continue;
      least = sum;
      rows[i] = j;
    }
    distances[i] = Math.sqrt(least / size);
    if (i % TURN === 0) await progress(i / pictures.count);
  }
  return { rows, distances };
}
