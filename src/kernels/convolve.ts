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
