/**
 * Steps that share most of their work, such as silu and its derivatives at one operand, next to each other, so that
 * the kernel makes them in one pass.
 */
import type { ElementwiseChain, ElementwiseOperand, ElementwiseStep } from "../../schedule/program.ts";

/**
 * Contract: the same stores from the same loads; steps of one operand whose functions, in order, are one of `groups`
 * ("silu0 silu1") follow each other in that order.
 */
export function bringTogether(chain: ElementwiseChain, groups: readonly string[]): ElementwiseChain {
  const { steps } = chain;
  const wanted = groups.map((group) => group.split(" ")).sort((a, b) => b.length - a.length);
  const order: number[] = [];
  const placed = new Set<number>();
  steps.forEach((step, k) => {
    if (placed.has(k)) return;
    const kin = kinOf(steps, step);
    const group = wanted.find((names) => names.includes(step.function) && names.every((name) => kin.has(name)));
    const together = group?.map((name) => kin.get(name) as number).filter((index) => !placed.has(index));
    for (const index of together?.includes(k) ? together : [k]) {
      placed.add(index);
      order.push(index);
    }
  });
  const places = new Map(order.map((from, to) => [from, to]));
  const moved = (operand: ElementwiseOperand): ElementwiseOperand =>
    operand.from === "step" ? { from: "step", index: places.get(operand.index) as number } : operand;
  return {
    ...chain,
    steps: order.map((index) => {
      const step = steps[index] as ElementwiseStep;
      return { ...step, operands: step.operands.map(moved) };
    }),
    stores: chain.stores.map((store) => ({ ...store, source: moved(store.source) })),
  };
}

/** The first step of each function that has this step's operands. */
function kinOf(steps: readonly ElementwiseStep[], { operands }: ElementwiseStep): Map<string, number> {
  const key = JSON.stringify(operands);
  const kin = new Map<string, number>();
  steps.forEach((step, index) => {
    if (JSON.stringify(step.operands) === key && !kin.has(step.function)) kin.set(step.function, index);
  });
  return kin;
}
