/** How far frames are from the true ones. */
export interface FrameErrors {
  /** Mean over films. */
  readonly byFrame: readonly number[];
  /** Mean over frames. */
  readonly byFilm: readonly number[];
}

/** Mean squared errors of frames of `size` numbers, [count, frames, size] both. */
export function frameErrors(
  made: ArrayLike<number>,
  truth: ArrayLike<number>,
  { frames, size }: { readonly frames: number; readonly size: number },
): FrameErrors {
  const count = truth.length / (frames * size);
  const errors = Array.from({ length: count * frames }, (_, i) => {
    let sum = 0;
    for (let k = i * size; k < (i + 1) * size; k++) sum += ((made[k] as number) - (truth[k] as number)) ** 2;
    return sum / size;
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    byFrame: Array.from({ length: frames }, (_, frame) => mean(errors.filter((_, i) => i % frames === frame))),
    byFilm: Array.from({ length: count }, (_, film) => mean(errors.slice(film * frames, (film + 1) * frames))),
  };
}
