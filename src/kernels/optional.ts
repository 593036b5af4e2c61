/** Kernels that a backend may lack: those that have them name them in their limits. Imported where they are wanted. */
import type { KernelDeclaration } from "./kernel.ts";
import { mlpFlow } from "./mlp-flow.ts";

export const optionalKernels: Readonly<Record<string, KernelDeclaration>> = { mlpFlow };

/** Whether a backend of these limits has the kernel; names that are no optional kernel's count as had. */
export function hasKernel(name: string, limits: { readonly optionalKernels?: readonly string[] }): boolean {
  return !(name in optionalKernels) || (limits.optionalKernels?.includes(name) ?? false);
}
