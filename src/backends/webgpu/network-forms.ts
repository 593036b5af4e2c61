/**
 * What only programs of networks beside the MLP need: windows, products of many pairs, reductions that run together. A page
 * downloads it for the first.
 */
import { windowShaders } from "../../generated/window-shaders.ts";
import type { KernelCall } from "../../schedule/program.ts";
import type { Dispatch } from "./dispatch.ts";
import { joinReductions } from "./join-reductions.ts";
import { windowFunctions, windowShader } from "./linear-window.ts";
import type { LowerOptions } from "./lower.ts";
import { matmulEachDispatch } from "./matmul-each-source.ts";
import { togetherDispatches } from "./reduce-together.ts";

const blocks = (across: number) => `const ACROSS = ${across}u;\n${windowShaders["linear-blocks"]}`;

/** Kernels of products, by the names that files of their own would have. */
const shaders: Readonly<Record<string, string>> = { "linear-narrow": blocks(4), "linear-square": blocks(8) };

/**
 * By position: the dispatches of calls that run together, at the position of one of them; none for the others. On a CPU all
 * run by themselves: there a barrier costs more than a dispatch.
 */
function reductionsTogether(calls: readonly KernelCall[], { traits, reduce }: LowerOptions) {
  const lowered: { dispatches: Dispatch[]; scratch: number }[] = [];
  if (reduce === "reduce-serial" || (traits.software && !reduce)) return lowered;
  for (const { shape, members, at, others } of joinReductions(calls)) {
    const made = togetherDispatches(members.map(({ label }) => label).join("; "), shape, members);
    if (!made) continue;
    lowered[at] = made;
    for (const other of others) lowered[other] = { dispatches: [], scratch: 0 };
  }
  return lowered;
}

export const networkForms = { shaders, windowFunctions, windowShader, matmulEachDispatch, reductionsTogether };
