/** Operands of the calls that the report is about. */
import type { ElementwiseOperand, ElementwiseStep, Placement } from "../src/schedule/program.ts";

export function place(name: string, length: number, offset = 0): Placement {
  return { region: { kind: "state", name }, offset, length };
}

export const fromProduct = (index: number): ElementwiseOperand => ({ from: "product", index });
export const fromStep = (index: number): ElementwiseOperand => ({ from: "step", index });
export const fromLoad = (index: number): ElementwiseOperand => ({ from: "load", index });
export const constant = (value: number): ElementwiseOperand => ({ from: "constant", value });

export function step(name: string, ...operands: ElementwiseOperand[]): ElementwiseStep {
  return { function: name, operands, dtype: "f32" };
}
