/** A network's program as WebAssembly runs it: the same values from the same calls, in forms that only this backend has. */
import type { ElementwiseOperand, Program } from "../../schedule/program.ts";
import { BLOCK, type OwnChain } from "./chain.ts";
import { withPairs } from "./chain-pairs.ts";
import { withChainSums } from "./chain-sums.ts";
import { withDeepProducts } from "./deep-products.ts";

export { placeSums } from "./placed-sums.ts";

export function networkCalls(program: Program): Program {
  const { calls, ...rest } = withChainSums(withDeepProducts(program));
  return { ...rest, calls: calls.map((call) => ({ ...call, ...(call.chain && { chain: ownChain(call.chain) }) })) };
}

function ownChain(chain: OwnChain): OwnChain {
  return { ...withoutIdleSteps(withPairs(withoutIdleSteps(chain))), row: chain.row ?? rowOf(chain) };
}

/** The chain without steps whose results nothing takes, sums right behind what they add up. */
export function withoutIdleSteps(chain: OwnChain): OwnChain {
  const { steps, stores } = chain;
  const taken = new Set<number>();
  const take = (operand: ElementwiseOperand) => operand.from === "step" && taken.add(operand.index);
  for (const { source } of stores) take(source);
  for (let k = steps.length - 1; k >= 0; k--) {
    if (steps[k]?.call !== undefined) taken.add(k);
    if (taken.has(k)) steps[k]?.operands.forEach(take);
  }
  const placeOf = (k: number) => {
    const [source] = steps[k]?.operands ?? [];
    if (steps[k]?.call === undefined) return k;
    return source?.from === "step" ? source.index : -1;
  };
  const order = [...taken].sort((a, b) => placeOf(a) - placeOf(b) || a - b);
  const numbers = new Map(order.map((from, to) => [from, to]));
  const moved = (operand: ElementwiseOperand): ElementwiseOperand =>
    operand.from === "step" ? { from: "step", index: numbers.get(operand.index) as number } : operand;
  return {
    ...chain,
    steps: order.flatMap((k) => steps.slice(k, k + 1)).map((step) => ({ ...step, operands: step.operands.map(moved) })),
    stores: stores.map((store) => ({ ...store, source: moved(store.source) })),
  };
}

/** Elements after which all loads that repeat themselves within a block do so: 1 where there are none. */
function rowOf({ loads }: OwnChain): number {
  const periods = loads.map(({ divisor, modulus }) => divisor * modulus).filter((period) => period <= BLOCK);
  const most = Math.max(1, ...periods);
  return periods.every((period) => most % period === 0) ? most : 1;
}
