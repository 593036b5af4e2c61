/**
 * Two steps of a chain as one, where nothing else takes what lies between: that is stored in no slot and loaded from none. Each is
 * rounded as it was, so bits stay.
 */
import type { ElementwiseOperand } from "../../schedule/program.ts";
import { type OwnChain, type OwnStep, PAIR } from "./chain.ts";

/** What two steps are together, of the first one's operands a and b and the second's other one c; in the order of wasm/apply.ts. */
export const pairs = ["ab + c", "ab - c", "c - ab", "ab c", "a + b + c", "-ab"] as const;

/** By function of the second step, then of the first. */
const together: Readonly<Record<string, Readonly<Record<string, (typeof pairs)[number]>>>> = {
  add: { multiply: "ab + c", add: "a + b + c" },
  multiply: { multiply: "ab c" },
  negate: { multiply: "-ab" },
};

/** The chain with such pairs as one step each. The first ones stay, and nothing takes them. */
export function withPairs(chain: OwnChain): OwnChain {
  const uses = new Map<number, number>();
  const use = (operand: ElementwiseOperand) => {
    if (operand.from === "step") uses.set(operand.index, (uses.get(operand.index) ?? 0) + 1);
  };
  for (const { operands } of chain.steps) operands.forEach(use);
  for (const { source } of chain.stores) use(source);
  const steps: OwnStep[] = [];
  for (const step of chain.steps) {
    const pair = step.operands.flatMap((operand, place): OwnStep | [] => {
      const first = operand.from === "step" && uses.get(operand.index) === 1 ? steps[operand.index] : undefined;
      const name = first && nameOf(step.function, first.function, place);
      const others = step.operands.filter((_, other) => other !== place);
      if (!name) return [];
      return {
        function: name,
        opcode: PAIR + pairs.indexOf(name),
        operands: [...first.operands, ...others],
        dtype: step.dtype,
      };
    });
    steps.push(pair[0] ?? step);
  }
  return { ...chain, steps };
}

/** `place`: of the first step's result among the second's operands. */
function nameOf(second: string, first: string, place: number): (typeof pairs)[number] | undefined {
  if (second !== "subtract") return together[second]?.[first];
  return first === "multiply" ? (["ab - c", "c - ab"] as const)[place] : undefined;
}
