/**
 * Cases of convolutions large enough for wasm/winograd.ts, of images and of sequences: sides odd and even, zeros around or none,
 * windows with their taps in either order, dilations; units of some lines of an image and of several images; blocks of channels
 * and of columns with a rest.
 */
import { onePlace, transposed, type Window } from "../../src/ops/window.ts";
import type { KernelCase } from "./kernel-case.ts";
import { axis, epilogueCase, plainCase, sumsCase } from "./kernel-window-cases.ts";

/** 3 x 3 taps over images that give [height, width] places, so many zeros around. */
export function threeByThree(height: number, width: number, zeros: number): Window {
  const along = (output: number) => axis(output + 2 - 2 * zeros, output, 3, { start: 0 - zeros });
  return { down: along(height), across: along(width) };
}

/** So many taps over a sequence that gives `output` places, which sees `origin` dilations before its first one. */
export function alongSequence(input: number, output: number, taps: number, origin: number, dilation = 1): Window {
  return { down: onePlace, across: axis(input, output, taps, { dilation, start: 0 - origin * dilation }) };
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

type Shapes<Name extends string> = readonly (readonly [Name, boolean, number, number, number, number])[];

/** Window, whether its taps have the last one first, groups, images of a group, channels, columns. */
const shapes: Shapes<keyof typeof windows> = [
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
];

/** Tiles of three places, of six, of four; classes of places of which some have one less, lines that end within a tile. */
const sequences = {
  "3 taps, 15 places": alongSequence(15, 15, 3, 1),
  "3 taps, 14 of 16 places": alongSequence(16, 14, 3, 0),
  "3 taps, 17 places, every 2nd": alongSequence(17, 17, 3, 1, 2),
  "9 taps, 20 places": alongSequence(20, 20, 9, 4),
  "9 taps, 13 of 21 places": alongSequence(21, 13, 9, 0),
  "9 taps, 25 places, every 3rd": alongSequence(25, 25, 9, 4, 3),
  "9 taps, 400 places": alongSequence(400, 400, 9, 4),
  "8 taps, 16 of 15 places": alongSequence(15, 16, 8, 4),
  "7 taps, 14 places": alongSequence(14, 14, 7, 2),
  "7 taps, 4 places": alongSequence(4, 4, 7, 3),
  "7 taps, 4 places, further on": alongSequence(4, 4, 7, 2),
  "7 taps, 17 places of 18, every 5th": alongSequence(18, 17, 7, 3, 5),
} satisfies Record<string, Window>;

const sequenceShapes: Shapes<keyof typeof sequences> = [
  ["3 taps, 15 places", false, 1, 14, 16, 24],
  ["3 taps, 15 places", true, 3, 5, 20, 16],
  ["3 taps, 14 of 16 places", false, 2, 8, 24, 16],
  ["3 taps, 14 of 16 places", true, 1, 23, 72, 136],
  ["3 taps, 17 places, every 2nd", false, 1, 12, 16, 16],
  ["3 taps, 17 places, every 2nd", true, 2, 7, 16, 24],
  ["9 taps, 20 places", false, 1, 17, 20, 24],
  ["9 taps, 20 places", true, 2, 9, 24, 16],
  ["9 taps, 13 of 21 places", false, 2, 11, 16, 24],
  ["9 taps, 13 of 21 places", true, 1, 17, 36, 16],
  ["9 taps, 25 places, every 3rd", false, 3, 4, 16, 16],
  ["9 taps, 25 places, every 3rd", true, 1, 11, 72, 24],
  ["9 taps, 400 places", false, 2, 1, 16, 72],
  ["9 taps, 400 places", true, 1, 1, 20, 16],
  ["8 taps, 16 of 15 places", false, 1, 22, 16, 16],
  ["8 taps, 16 of 15 places", true, 2, 11, 16, 16],
  ["7 taps, 14 places", true, 1, 22, 16, 24],
  ["7 taps, 4 places", false, 1, 65, 20, 16],
  ["7 taps, 4 places", true, 2, 33, 16, 24],
  ["7 taps, 4 places, further on", true, 1, 64, 16, 16],
  ["7 taps, 17 places of 18, every 5th", false, 2, 8, 72, 16],
  ["7 taps, 17 places of 18, every 5th", true, 1, 13, 16, 136],
];

/** Made anew at each call, as those below. */
export const imageCases = () => casesOf(windows, shapes);
export const sequenceCases = () => casesOf(sequences, sequenceShapes);

function casesOf<Name extends string>(named: Readonly<Record<Name, Window>>, all: Shapes<Name>): KernelCase[] {
  return all.flatMap(([name, isTransposed, groups, images, channels, columns], number) => {
    const window = isTransposed ? transposed(named[name]) : named[name];
    const shown = isTransposed ? `${name}, transposed` : name;
    const shape = { window, name: shown, groups, images, channels, columns, number };
    return [groups === 1 ? plainCase(shape) : epilogueCase(shape), sumsCase(shape)];
  });
}
