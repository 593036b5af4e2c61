/** Every kernel but `elementwise`: those of each backend, and those that some lack. */
import type { KernelDeclaration } from "../src/kernels/kernel.ts";
import { optionalKernels } from "../src/kernels/optional.ts";
import { kernels } from "../src/kernels/registry.ts";

export const allKernels: Readonly<Record<string, KernelDeclaration>> = { ...kernels, ...optionalKernels };
