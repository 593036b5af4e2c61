/** Samples of shape [H, W, C], as pictures side by side. */
import { type DrawnSamples, type Range, rangeOf, sized, type View } from "./samples.ts";

const MOST = 100;
const GAP = 8;
const CAPTION = 18;
/** Small pictures are made this large, in CSS pixels, at least. */
const LEAST_SIDE = 84;

export const pictures: View = (canvas, samples, colours, width) => {
  const [high, wide, channels] = samples.shape as [number, number, number];
  const shown = Math.min(samples.count, MOST);
  const caption = samples.labels ? CAPTION : 0;
  const columns = Math.max(
    1,
    Math.min(shown, Math.floor((width + GAP) / (Math.max(LEAST_SIDE, Math.min(wide, width)) + GAP)), 10),
  );
  const cell = (width - GAP * (columns - 1)) / columns;
  const cellHeight = (cell * high) / wide;
  const rows = Math.ceil(shown / columns);
  const context = sized(canvas, width, rows * (cellHeight + caption + GAP) - GAP);
  const scale = scaleOf(samples.values);
  const buffer = new OffscreenCanvas(wide, high);
  const pixels = buffer.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingEnabled = cell < wide; // pixels stay pixels where they are made larger
  for (let i = 0; i < shown; i++) {
    pixels.putImageData(new ImageData(pixelsOf(samples, i, scale), wide, high), 0, 0);
    const [x, y] = [(i % columns) * (cell + GAP), Math.floor(i / columns) * (cellHeight + caption + GAP)];
    context.drawImage(buffer, x, y, cell, cellHeight);
    context.strokeStyle = colours.line;
    context.strokeRect(x + 0.5, y + 0.5, cell - 1, cellHeight - 1);
    if (!samples.labels) continue;
    context.fillStyle = colours.soft;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(
      samples.labels.names[samples.labels.of[i] as number] as string,
      x + cell / 2,
      y + cellHeight + 3,
      cell,
    );
  }
  const kind = channels === 3 ? " in colour" : channels === 4 ? " in colour, in part transparent" : "";
  const first = channels > 4 || channels === 2 ? `, of which the first of ${channels} channels is shown` : "";
  const those = shown < samples.count ? `, of which ${shown} are shown` : "";
  return `${samples.count.toLocaleString("en")} pictures of ${wide} × ${high}${kind}${first}${those}; black is ${scale.low}, white ${scale.high}.`;
};

/**
 * What black and white are: one of the usual scales where all values but a few keep to it, as samples go over a little; else
 * what there is.
 */
export function scaleOf(values: Float32Array | Float64Array): Range {
  const sorted = values.slice().sort();
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
  const [low, high] = [at(0.02), at(0.98)];
  const usual: readonly Range[] = [
    { low: 0, high: 1 },
    { low: -1, high: 1 },
    { low: 0, high: 255 },
  ];
  const fits = usual.find((one) => {
    const more = (one.high - one.low) / 5;
    return low >= one.low - more && high <= one.high + more && high - low > (one.high - one.low) / 8;
  });
  const all = rangeOf(values);
  return fits ?? { low: Number(all.low.toPrecision(3)), high: Number(all.high.toPrecision(3)) };
}

/** RGBA of one sample, row by row. */
export function pixelsOf(
  { values, dimension, shape }: Pick<DrawnSamples, "values" | "dimension" | "shape">,
  sample: number,
  { low, high }: Range,
): Uint8ClampedArray<ArrayBuffer> {
  const channels = shape[2] as number;
  const pixels = new Uint8ClampedArray((4 * dimension) / channels);
  const isColour = channels === 3 || channels === 4;
  for (let i = 0; i < pixels.length / 4; i++) {
    const at = sample * dimension + i * channels;
    const level = (channel: number) => (255 * ((values[at + channel] as number) - low)) / (high - low);
    for (let channel = 0; channel < 3; channel++) pixels[4 * i + channel] = level(isColour ? channel : 0);
    pixels[4 * i + 3] = channels === 4 ? level(3) : 255;
  }
  return pixels;
}
