/**
 * Every kernel but those of optional.ts and `elementwise`, whose bindings differ from chain to chain (src/kernels/elementwise.ts lists its
 * functions; `ElementwiseChain` in src/schedule/program.ts is its call).
 */

import { attention, attentionReverse } from "./attention.ts";
import { convolve } from "./convolve.ts";
import { copy } from "./copy.ts";
import type { KernelDeclaration } from "./kernel.ts";
import { linear } from "./linear.ts";
import { matmulEach } from "./matmul-each.ts";
import { random } from "./random.ts";
import { reduce } from "./reduce.ts";
import { gather, replaceRow, scatterAdd } from "./rows.ts";

export const kernels: Readonly<Record<string, KernelDeclaration>> = {
  convolve,
  attention,
  attentionReverse,
  copy,
  gather,
  linear,
  matmulEach,
  random,
  reduce,
  replaceRow,
  scatterAdd,
};
