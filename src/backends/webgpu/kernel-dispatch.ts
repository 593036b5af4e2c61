/** A call of a kernel whose shader binds what its declaration says. */
import { shaders } from "../../generated/shaders.ts";
import type { KernelDeclaration } from "../../kernels/kernel.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall } from "../../schedule/program.ts";
import type { BoundRegion, Dispatch, Operand } from "./dispatch.ts";

export interface KernelForm {
  readonly declaration: KernelDeclaration | undefined;
  /** WGSL. */
  readonly code: string | undefined;
}

/**
 * @param constants - values of the shader's `override` constants: what picks code rather than sizes.
 * @param form - when it is not the kernel's of the registry, by the file in shaders/ that has its name.
 */
export function kernelDispatch(
  { kernel, label, parameters }: Pick<KernelCall, "kernel" | "label" | "parameters">,
  operands: Readonly<Record<string, Operand>>,
  constants: Readonly<Record<string, number>> = {},
  { declaration, code }: KernelForm = formOf(kernel),
): Dispatch {
  if (!declaration || !code) throw new Error(`"${label}" calls kernel "${kernel}", which WebGPU does not have.`);
  const names = Object.keys(declaration.bindings);
  const offsets = Object.fromEntries(names.map((name) => [`${name}Offset`, operands[name]?.offset ?? 0]));
  const bindings = names.map((name): BoundRegion => {
    const operand = operands[name];
    if (!operand) throw new Error(`"${label}": kernel "${kernel}" has no operand for "${name}".`);
    return { region: operand.region, access: declaration.bindings[name]!.access };
  });
  return {
    label,
    kernel,
    code,
    constants,
    parameters: packParameters(declaration, { ...parameters, ...offsets }),
    bindings,
    workgroups: declaration.workgroups(parameters),
  };
}

/** @param shader - the file, when it is not the kernel's own. */
export function formOf(kernel: string, shader = kernel): KernelForm {
  return { declaration: kernels[kernel], code: shaders[shader] };
}
