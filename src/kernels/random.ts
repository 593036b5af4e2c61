/**
 * random: counter-based numbers, threefry2x32-20: value = f(seed, stream, counter, element), the same bits on every
 * backend. With T(key, words) the 20-round threefry2x32 of two 32-bit words:
 *   streamKey = T(seed, [stream, 0]);  block b = T(streamKey, [b, counter]);  bits of element e = block[e >> 1][e & 1].
 *   bits      the u32 itself
 *   uniform   (bits >> 8) 2^-24, in [0, 1)
 *   normal    inverse normal CDF of u = (2 (bits >> 9) + 1) 2^-24, by own polynomials
 *   rademacher  -1 where the top bit is set, else 1
 *   index     floor(bits * bound / 2^32), u32 in [0, bound): the high word of the 64-bit product
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

export const randomKinds = ["bits", "uniform", "normal", "rademacher", "index"] as const;
export type RandomKind = (typeof randomKinds)[number];

export const random: KernelDeclaration = {
  name: "random",
  parameters: layouts.RandomParameters,
  bindings: {
    seed: { access: "read", element: "u32" }, // [2]
    counter: { access: "read", element: "u32" }, // [1]
    out: { access: "write", element: "u32" }, // f32 kinds store their bits
  },
  workgroups: ({ count = 1 }) => linearWorkgroups(Math.ceil(count / 2), 64), // an invocation writes a block's two
};
