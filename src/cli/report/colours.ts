/** The colours that densities are shown in. */

/**
 * Eleven colours from dark to light, equally spaced: perceptually even and readable in grey (values of the "magma"
 * family, picked by eye for this report).
 */
const COLOURS = [
  [8, 6, 22],
  [28, 16, 68],
  [62, 18, 110],
  [95, 26, 126],
  [128, 37, 130],
  [163, 48, 126],
  [200, 62, 115],
  [231, 85, 101],
  [248, 125, 98],
  [254, 170, 120],
  [252, 229, 176],
] as const;

/** The colour at `value` in [0, 1]; beyond, the last one. */
export function colour(value: number): readonly [number, number, number] {
  const position = Math.min(Math.max(value, 0), 1) * (COLOURS.length - 1);
  const low = Math.min(Math.floor(position), COLOURS.length - 2);
  const part = position - low;
  const [a, b] = [COLOURS[low], COLOURS[low + 1]] as [readonly number[], readonly number[]];
  const mix = (channel: number) => Math.round((a[channel] as number) * (1 - part) + (b[channel] as number) * part);
  return [mix(0), mix(1), mix(2)];
}

/** The same as a style sheet's gradient, from left to right. */
export const gradient = `linear-gradient(to right, ${COLOURS.map((one) => `rgb(${one.join(" ")})`).join(", ")})`;
