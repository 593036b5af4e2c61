/** Letters and emoji as data: dark pixels of the text, each a small blob. */

const WIDTH = 240;
const HEIGHT = 120;
/** Pixels between points. */
const STRIDE = 3;
/** Half the width that the text fills, in data units. */
const EXTENT = 3.2;
const MOST_POINTS = 600;

export interface Ink {
  /** [count, 2] flat, in data units. */
  readonly points: readonly number[];
  readonly deviation: number;
}

/** @returns no points where the text shows nothing. */
export function inkOf(text: string): Ink {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return { points: [], deviation: 0 };
  let size = 110;
  const font = () => `700 ${size}px system-ui, sans-serif`;
  context.font = font();
  size *= Math.min(1, (WIDTH - 8) / Math.max(1, context.measureText(text).width));
  context.font = font();
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, WIDTH / 2, HEIGHT / 2 + 4);
  return inkIn(context.getImageData(0, 0, WIDTH, HEIGHT));
}

/** Of a picture's opaque pixels, centred and scaled to fill the square. */
export function inkIn({ data, width, height }: Pick<ImageData, "data" | "width" | "height">): Ink {
  const found: [x: number, y: number][] = [];
  for (let row = 0; row < height; row += STRIDE) {
    for (let column = 0; column < width; column += STRIDE) {
      if ((data[4 * (row * width + column) + 3] as number) > 128) found.push([column, -row]);
    }
  }
  const every = Math.ceil(found.length / MOST_POINTS);
  return inkAt(
    found.filter((_, i) => i % every === 0),
    STRIDE * Math.sqrt(every),
  );
}

/** Blobs about places in pixels, y upwards, that are `apart` from one another: centred and scaled to fill the square. */
export function inkAt(places: readonly (readonly [x: number, y: number])[], apart: number): Ink {
  if (places.length === 0) return { points: [], deviation: 0 };
  const ends = ([axis, least]: [0 | 1, number]) =>
    places.reduce((most, one) => Math.max(most, least * one[axis]), -1e9) * least;
  const [left, right, low, high] = [ends([0, -1]), ends([0, 1]), ends([1, -1]), ends([1, 1])];
  const scale = (2 * EXTENT) / Math.max(right - left, high - low, 1);
  return {
    points: places
      .flatMap(([x, y]) => [scale * (x - (left + right) / 2), scale * (y - (low + high) / 2)])
      .map((value) => Number(value.toFixed(3))),
    deviation: Number((0.55 * apart * scale).toFixed(4)),
  };
}
