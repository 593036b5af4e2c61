/**
 * Every kernel but `elementwise`, whose bindings differ from chain to chain (src/kernels/elementwise.ts lists its
 * functions; `ElementwiseChain` in src/schedule/program.ts is its call).
 */
import { copy } from "./copy.ts";
import type { KernelDeclaration } from "./kernel.ts";
import { linear } from "./linear.ts";
import { mlpFlow } from "./mlp-flow.ts";
import { random } from "./random.ts";
import { reduce } from "./reduce.ts";
import { gather, replaceRow, scatterAdd } from "./rows.ts";

export const kernels: Readonly<Record<string, KernelDeclaration>> = {
  copy,
  gather,
  linear,
  mlpFlow,
  random,
  reduce,
  replaceRow,
  scatterAdd,
};

/** Whether a backend of these limits has the kernel; names that are no kernel's count as had. */
export function hasKernel(
  name: string,
  { optionalKernels }: { readonly optionalKernels?: readonly string[] },
): boolean {
  return !kernels[name]?.optional || (optionalKernels?.includes(name) ?? false);
}
