/**
 * Cases of convolutions large enough for wasm/winograd.ts: both sides odd and even, zeros around or none, windows with their taps
 * in either order; units of some lines of an image and of several images; blocks of channels and of columns with a rest.
 */
import { transposed, type Window } from "../../src/ops/window.ts";
import type { KernelCase } from "./kernel-case.ts";
import { axis, epilogueCase, plainCase, sumsCase } from "./kernel-window-cases.ts";

/** 3 x 3 taps over images that give [height, width] places, so many zeros around. */
export function threeByThree(height: number, width: number, zeros: number): Window {
  const along = (output: number) => axis(output + 2 - 2 * zeros, output, 3, { start: 0 - zeros });
  return { down: along(height), across: along(width) };
}

const wide = threeByThree(3, 134, 1);
const windows = {
  "9 x 8 places, 1 zero around": threeByThree(9, 8, 1),
  "9 x 7 places, none": threeByThree(9, 7, 0),
  "8 x 9 places, 2": threeByThree(8, 9, 2),
  "4 x 4 places, 1": threeByThree(4, 4, 1),
  "16 x 16 places, 1": threeByThree(16, 16, 1),
  "3 x 134 places, 1": wide,
  "3 x 134 places, 1, upside down": { down: transposed(wide).down, across: wide.across },
} satisfies Record<string, Window>;

/** Window, whether its taps have the last one first, groups, images of a group, channels, columns. */
const shapes = [
  ["9 x 8 places, 1 zero around", false, 1, 4, 16, 16],
  ["9 x 8 places, 1 zero around", true, 1, 4, 20, 24],
  ["9 x 8 places, 1 zero around", true, 3, 3, 16, 24],
  ["9 x 7 places, none", false, 2, 5, 16, 24],
  ["9 x 7 places, none", true, 1, 4, 36, 16],
  ["8 x 9 places, 2", false, 1, 4, 16, 32],
  ["8 x 9 places, 2", true, 2, 2, 16, 16],
  ["4 x 4 places, 1", false, 1, 23, 16, 16],
  ["4 x 4 places, 1", true, 2, 11, 24, 16],
  ["16 x 16 places, 1", false, 1, 1, 72, 24],
  ["16 x 16 places, 1", false, 2, 1, 16, 72],
  ["16 x 16 places, 1", true, 1, 1, 128, 72],
  ["3 x 134 places, 1", true, 1, 1, 20, 24],
  ["3 x 134 places, 1", false, 2, 1, 16, 16],
  ["3 x 134 places, 1, upside down", false, 1, 1, 16, 24],
] as const;

/** Made anew at each call. */
export const winogradCases = (): KernelCase[] =>
  shapes.flatMap(([name, isTransposed, groups, images, channels, columns], number) => {
    const window = isTransposed ? transposed(windows[name]) : windows[name];
    const shape = {
      window,
      name: isTransposed ? `${name}, transposed` : name,
      groups,
      images,
      channels,
      columns,
      number,
    };
    return [groups === 1 ? plainCase(shape) : epilogueCase(shape), sumsCase(shape)];
  });
