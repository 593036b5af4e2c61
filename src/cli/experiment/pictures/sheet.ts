/** Sheets of pictures for the report: rows of them, as one PNG. */
import { escapeHtml } from "../../report/html.ts";
import { png } from "../../report/png.ts";
import { type Pictures, sizeOfPicture } from "./picture.ts";

/** Pixels between pictures, and their grey. */
const [GAP, GREY] = [1, 128];

/** Row-major [height, width, 3]. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** @param rows - numbers of the pictures of each row; a row with fewer than the others ends in grey. */
export function sheetOf(pictures: Pictures, rows: readonly (readonly number[])[]): Pixels {
  const { height: h, width: w, channels, levels } = pictures;
  const columns = Math.max(...rows.map((row) => row.length));
  const width = columns * (w + GAP) - GAP;
  const height = rows.length * (h + GAP) - GAP;
  const pixels = new Uint8Array(width * height * 3).fill(GREY);
  const size = sizeOfPicture(pictures);
  rows.forEach((row, i) => {
    row.forEach((picture, j) => {
      for (let at = 0; at < h * w; at++) {
        const [y, x] = [i * (h + GAP) + Math.floor(at / w), j * (w + GAP) + (at % w)];
        for (let c = 0; c < 3; c++) {
          const level = levels[picture * size + at * channels + (channels === 3 ? c : 0)] as number;
          pixels[(y * width + x) * 3 + c] = level;
        }
      }
    });
  });
  return { width, height, pixels };
}

/** The sheet as an element of the report. */
export function sheetImage({ width, height, pixels }: Pixels, words: string): string {
  const uri = `data:image/png;base64,${png(width, height, pixels).toString("base64")}`;
  return `<img src="${uri}" alt="${escapeHtml(words)}">`;
}
