/** Chains that follow a product in its call, on its elements while they are in registers. */
import { overlap, rootView, type View } from "./cells.ts";
import { isProductCall } from "./products.ts";
import type { PlanLimits } from "./program.ts";
import { type CallUnit, isDirect, type StepUnit } from "./units.ts";

/** How many row groups of a product a chain of `count` elements would read; undefined where it can be no epilogue. */
export function epilogueGroups(call: CallUnit, count: number, { maxEpilogueGroups }: PlanLimits): number | undefined {
  const { rows = 0, columns = 1, transposeLeft } = call.parameters;
  if (!isProductCall(call) || transposeLeft || count % columns !== 0) return undefined;
  const groups = (rows * columns) / count;
  return Number.isInteger(groups) && groups <= maxEpilogueGroups ? groups : undefined;
}

/** Whether the step takes element i of a row group of the product, if any of it, as its element i. */
export function readsGroups({ operands, count }: StepUnit, product: View): boolean {
  return operands.every((operand) => {
    if (operand.from !== "load" || !overlap(operand.view, product)) return true;
    const { length, stride } = rootView(operand.view);
    return (
      isDirect(operand, count) && length === count && stride === 1 && groupOffset(operand.view, product) % count === 0
    );
  });
}

/** The number of the row group of `count` elements that the view is of. */
export const groupOf = (view: View, product: View, count: number) => groupOffset(view, product) / count;

const groupOffset = (view: View, product: View) => rootView(view).offset - rootView(product).offset;
