/** Steps that a chain does again rather than load what another chain did: what leads to them is short and at hand. */
import { rootView, sameElements } from "./cells.ts";
import type { StepOperand, StepUnit } from "./units.ts";

export type Load = Extract<StepOperand, { from: "load" }>;

/** A step with all steps behind it, and what they load. */
export interface Cone {
  readonly steps: ReadonlySet<StepUnit>;
  /** None twice. */
  readonly loads: readonly Load[];
  /** Whether a load lies in no arena, so that it takes a binding of its own. */
  readonly isElsewhere: boolean;
}

/** The most steps that are repeated. */
const MOST_STEPS = 6;

/** Undefined where the steps are many, or load state, whose old value may be gone when another chain runs. */
export function coneOf(unit: StepUnit): Cone | undefined {
  const steps = new Set<StepUnit>();
  const loads: Load[] = [];
  let isElsewhere = false;
  const open = [unit];
  for (let step = open.pop(); step; step = open.pop()) {
    if (steps.has(step)) continue;
    steps.add(step);
    if (steps.size > MOST_STEPS) return undefined;
    for (const operand of step.operands) {
      if (operand.from === "step") open.push(operand.unit);
      if (operand.from !== "load") continue;
      const { origin, boundTo } = operand.view.cell.root;
      if (origin && "name" in origin) return undefined;
      if (origin || boundTo) isElsewhere = true;
      if (!loads.some((load) => sameLoad(load, operand))) loads.push(operand);
    }
  }
  return { steps, loads, isElsewhere };
}

/** Whether any chain may repeat these steps: it loads no more than the result of the last would be. */
export const isCheap = ({ loads, isElsewhere }: Cone) => loads.length <= 1 && !isElsewhere;

export function sameLoad(a: Omit<Load, "from">, b: Omit<Load, "from">): boolean {
  if (a.divisor !== b.divisor || a.modulus !== b.modulus) return false;
  if ((a.terms || b.terms) && JSON.stringify(a.terms) !== JSON.stringify(b.terms)) return false;
  const [x, y] = [rootView(a.view), rootView(b.view)];
  return x.cell === y.cell && sameElements(x, y);
}
