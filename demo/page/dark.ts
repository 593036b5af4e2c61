/** A picture's dark pixels as data: more points where it is darker, each a small blob. */
/** Pixels along the side of the square that a picture is made to fit: a power of 2. */
export const SIDE = 128;
const MOST_POINTS = 600;
/** Share of the darkest below which a pixel is taken for paper. */
const PAPER = 0.25;
/** A picture with nothing darker than this is blank. */
const FAINTEST = 0.08;

export type Pixels = Pick<ImageData, "data" | "width" | "height">;

/** Of each pixel of a picture, in [0, 1]; what is transparent is not there, dark or light. */
export function darknessOf({ data, width, height }: Pixels, takesLight = false): Float64Array {
  const darkness = Float64Array.from({ length: width * height }, (_, i) => {
    const [red, green, blue, alpha] = data.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    const luma = (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
    return (alpha / 255) * (takesLight ? luma : 1 - luma);
  });
  const most = darkness.reduce((a, b) => Math.max(a, b), 0);
  if (most < FAINTEST) return new Float64Array(darkness.length);
  return darkness.map((one) => Math.max(0, (one / most - PAPER) / (1 - PAPER)));
}

/**
 * Places of dark pixels, in the density of their darkness: one each time that a walk along Hilbert's curve, which stays near
 * where it was, has gathered its share. No two lie much closer than others, and equal pictures give equal places.
 *
 * @returns at most `most`, y upwards, none where all is light; and how far apart they are, where it is darkest, in pixels.
 */
export function darkPlaces(
  picture: Pixels,
  takesLight = false,
  most = MOST_POINTS,
): { readonly places: [x: number, y: number][]; readonly apart: number } {
  const darkness = darknessOf(picture, takesLight);
  const { width, height } = picture;
  const total = darkness.reduce((sum, one) => sum + one, 0);
  const count = Math.min(most, Math.ceil(total));
  const places: [number, number][] = [];
  let gathered = 0;
  for (let step = 0; step < SIDE * SIDE; step++) {
    const [x, y] = hilbert(step);
    if (x >= width || y >= height) continue;
    gathered += ((darkness[y * width + x] as number) * count) / total;
    if (gathered >= places.length + 0.5) places.push([x, -y]);
  }
  return { places, apart: Math.sqrt(total / Math.max(1, count)) };
}

/** Place `step` of Hilbert's curve through a square of side SIDE. */
function hilbert(step: number): [x: number, y: number] {
  let [x, y, rest] = [0, 0, step];
  for (let size = 1; size < SIDE; size *= 2) {
    const right = 1 & (rest >> 1);
    const up = 1 & (rest ^ right);
    if (up === 0) {
      if (right === 1) [x, y] = [size - 1 - x, size - 1 - y];
      [x, y] = [y, x];
    }
    x += size * right;
    y += size * up;
    rest >>= 2;
  }
  return [x, y];
}
