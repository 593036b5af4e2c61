/**
 * convolve: `linear`, whose left operand is a matrix only as a window sees it.
 *   left  [B, downInput acrossInput, channels]. The matrix has a row for each b and each of downOutput acrossOutput places,
 *   and `channels` columns for each of downTaps acrossTaps taps; row and column (b, y, x), (i, j, c) hold channel c of
 *   image b at ((y downStride + i downDilation + downStart) / downFraction, likewise across), 0 where that is no place.
 *   right [depth, columns]; when transposeRight [taps, columns, channels], a transposed matrix for each tap.
 *   All else is as of `linear`: rows, columns and depth are those of the product, so taps channels are its depth, or, when
 *   transposeLeft, its rows.
 */
import { layouts } from "../generated/layouts.ts";
import type { KernelDeclaration } from "./kernel.ts";
import { linear } from "./linear.ts";

export const convolve: KernelDeclaration = { ...linear, name: "convolve", parameters: layouts.ConvolveParameters };

/** One axis of a window: fields of the parameters, with `down` or `across` before them. */
export const windowFields = ["input", "output", "taps", "stride", "fraction", "dilation", "start"] as const;

type WindowAxis = Readonly<Record<(typeof windowFields)[number], number>>;

/** The parameters that `convolve` has beside those of `linear`. */
export function windowParameters(
  { down, across }: { readonly down: WindowAxis; readonly across: WindowAxis },
  channels: number,
): Record<string, number> {
  const named = (name: string, axis: WindowAxis) =>
    windowFields.map((field) => [`${name}${field[0]?.toUpperCase()}${field.slice(1)}`, axis[field]] as const);
  return Object.fromEntries([["channels", channels], ...named("down", down), ...named("across", across)]);
}
