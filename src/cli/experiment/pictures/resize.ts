/** Pictures as squares of another side: cut to the middle, then each place the mean of what it covers. */
import type { Pictures } from "./picture.ts";

export function resized(pictures: Pictures, side: number): Pictures {
  const { count, height, width, channels, levels } = pictures;
  if (height === side && width === side) return pictures;
  const cut = Math.min(height, width);
  const [top, left] = [Math.floor((height - cut) / 2), Math.floor((width - cut) / 2)];
  const result = new Uint8Array(count * side * side * channels);
  const rows = coversOf(side, cut, top);
  const columns = coversOf(side, cut, left);
  for (let picture = 0; picture < count; picture++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          for (const [row, share] of rows[y] as Cover) {
            for (const [column, other] of columns[x] as Cover) {
              const at = ((picture * height + row) * width + column) * channels + channel;
              sum += share * other * (levels[at] as number);
            }
          }
          result[((picture * side + y) * side + x) * channels + channel] = Math.round(sum);
        }
      }
    }
  }
  return { levels: result, count, height: side, width: side, channels };
}

/** Places of the original and their shares, which sum to 1. */
type Cover = readonly (readonly [place: number, share: number])[];

/** What each of `side` places covers of `cut` ones from `first` on. */
function coversOf(side: number, cut: number, first: number): readonly Cover[] {
  return Array.from({ length: side }, (_, i) => {
    const [low, high] = [first + (i * cut) / side, first + ((i + 1) * cut) / side];
    const cover: (readonly [number, number])[] = [];
    for (let place = Math.floor(low); place < high; place++) {
      const share = (Math.min(high, place + 1) - Math.max(low, place)) / (high - low);
      if (share > 1e-9) cover.push([place, share]);
    }
    return cover;
  });
}
