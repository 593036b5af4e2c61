/**
 * Sums of columns in the chains that make what they add up, on their way: what is only added up is never in memory, and nothing is
 * read again. For what a norm's statistics and gradients ask of chains that is most of what these would store.
 *
 * The program that the backend runs then has another form than the plan: a chain that has `sums`, and, where the `reduce` was, a
 * call "sums" that ends one (wasm/sums.ts). Calls keep their positions.
 */

import { reductions } from "../../kernels/reduce.ts";
import { kernels } from "../../kernels/registry.ts";
import type { ElementwiseOperand, ElementwiseStore, KernelCall, Placement, Program } from "../../schedule/program.ts";
import { type ChainSum, MOST_SUM_COLUMNS, SUMS, type SummedChain } from "./chain.ts";

/** Sums take two vectors of columns at a time. */
const COLUMNS = 8;

/** The program with such sums in its chains. */
export function withChainSums(program: Program): Program {
  const calls = [...program.calls];
  const ended = new Map<number, { readonly store: ElementwiseStore; readonly of: number }>(); // by the reduction's call
  program.calls.forEach((call, at) => {
    const made = isSum(call) ? makerOf(program, at) : undefined;
    if (!made) return;
    const maker = calls[made.of] as KernelCall & { readonly chain: SummedChain };
    const { reduced = 0, inner: columns = 0, scale = 1 } = call.parameters;
    const { sums = [], steps } = maker.chain;
    const { source, sign } = withoutSign(made.store.source, steps);
    const sum: ChainSum = { source, columns, period: reduced * columns, call: at };
    if (!fits([...sums, sum])) return;
    calls[made.of] = { ...maker, chain: { ...maker.chain, sums: [...sums, sum] } as SummedChain };
    const { out } = call.bindings;
    const parameters = { columns, period: reduced * columns, scale: sign * scale, of: made.of };
    calls[at] = { ...call, kernel: SUMS, parameters, bindings: { out: out as Placement } };
    ended.set(at, made);
  });
  for (const of of new Set([...ended.values()].map((made) => made.of))) {
    const call = calls[of] as KernelCall & { readonly chain: SummedChain };
    const own = new Set([...ended].flatMap(([at, made]) => (made.of === of ? [at] : [])));
    const summed = new Set([...own].map((at) => ended.get(at)?.store));
    const stores = call.chain.stores.filter((store) => !summed.has(store) || isRead(program, of, store.placement, own));
    calls[of] = { ...call, chain: withoutIdleSteps({ ...call.chain, stores }) };
  }
  return { ...program, calls };
}

function isSum({ kernel, parameters }: KernelCall): boolean {
  const { kind, inner = 0 } = parameters;
  const isOfColumns = inner % COLUMNS === 0 && inner > 0 && inner <= MOST_SUM_COLUMNS;
  return kernel === "reduce" && kind === reductions.indexOf("sum") && isOfColumns;
}

/** The call whose chain makes all that the reduction `at` adds up, as one store of a step or a product, and that store. */
function makerOf({ calls, temporaries = [] }: Program, at: number) {
  const { in: input } = (calls[at] as KernelCall).bindings;
  if (!input || !temporaries.some(({ placement }) => contains(placement, input))) return undefined;
  const of = calls.slice(0, at).findLastIndex((call) => writesOf(call).some((placement) => overlap(placement, input)));
  const { chain, kernel = "", parameters = {} } = calls[of] ?? {};
  if (kernel !== "elementwise" && !kernels[kernel]?.isProduct) return undefined;
  const store = chain?.stores.find(({ placement }) => overlap(placement, input));
  if (!store || chain?.count !== input.length || !isDense(store) || !contains(store.placement, input)) return undefined;
  const { columns = (calls[at] as KernelCall).parameters["inner"] } = parameters;
  const isOfRows = columns === (calls[at] as KernelCall).parameters["inner"]; // a product's units are rows of it
  return isOfRows && ["step", "product"].includes(store.source.from) ? { store, of } : undefined;
}

/** Blocks are whole rows, and go beyond the end of no sum. */
function fits(sums: readonly ChainSum[]): boolean {
  const least = Math.min(...sums.map(({ period }) => period));
  return sums.every(({ columns, period }) => columns === sums[0]?.columns && period % least === 0);
}

/** What is negated to be added up, and the sign that its sum takes instead. */
function withoutSign(
  source: ElementwiseOperand,
  steps: SummedChain["steps"],
): { source: ElementwiseOperand; sign: number } {
  const step = source.from === "step" ? steps[source.index] : undefined;
  const [operand] = step?.operands ?? [];
  const isNegated = step?.function === "negate" && (operand?.from === "step" || operand?.from === "product");
  return isNegated ? { source: operand, sign: -1 } : { source, sign: 1 };
}

/** Whether a call after `of`, but for those that now have sums, reads what that stores there. */
function isRead(
  { calls, temporaries = [] }: Program,
  of: number,
  placement: Placement,
  own: ReadonlySet<number>,
): boolean {
  const last = Math.max(
    ...temporaries.flatMap(({ placement: whole, firstCall, lastCall }) =>
      firstCall <= of && of <= lastCall && contains(whole, placement) ? lastCall : [],
    ),
  );
  return calls
    .slice(of + 1, last + 1)
    .some((call, i) => !own.has(of + 1 + i) && readsOf(call).some((read) => overlap(read, placement)));
}

/** The chain without steps whose results nothing takes. */
function withoutIdleSteps(chain: SummedChain): SummedChain {
  const { steps, stores, sums = [] } = chain;
  const taken = new Set<number>();
  const take = (operand: ElementwiseOperand) => operand.from === "step" && taken.add(operand.index);
  for (const { source } of [...stores, ...sums]) take(source);
  for (let k = steps.length - 1; k >= 0; k--) if (taken.has(k)) steps[k]?.operands.forEach(take);
  const kept = steps.flatMap((_, k) => (taken.has(k) ? k : []));
  const numbers = new Map(kept.map((from, to) => [from, to]));
  const moved = (operand: ElementwiseOperand): ElementwiseOperand =>
    operand.from === "step" ? { from: "step", index: numbers.get(operand.index) as number } : operand;
  return {
    ...chain,
    steps: kept.flatMap((k) => steps.slice(k, k + 1)).map((step) => ({ ...step, operands: step.operands.map(moved) })),
    stores: stores.map((store) => ({ ...store, source: moved(store.source) })),
    sums: sums.map((sum) => ({ ...sum, source: moved(sum.source) })),
  };
}

function bound({ kernel, bindings }: KernelCall, access: "read" | "write"): Placement[] {
  const declared = kernels[kernel]?.bindings ?? {};
  return Object.entries(bindings).flatMap(([name, placement]) => (declared[name]?.access === access ? placement : []));
}

function readsOf(call: KernelCall): Placement[] {
  return [...bound(call, "read"), ...(call.chain?.loads ?? []).map(({ placement }) => placement)];
}

function writesOf(call: KernelCall): Placement[] {
  return [...bound(call, "write"), ...(call.chain?.stores ?? []).map(({ placement }) => placement)];
}

function isDense({ stride = 1 }: ElementwiseStore): boolean {
  return stride === 1;
}

function overlap(a: Placement, b: Placement): boolean {
  return isSameRegion(a, b) && a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

/** Whether b lies within a. */
function contains(a: Placement, b: Placement): boolean {
  return isSameRegion(a, b) && a.offset <= b.offset && b.offset + b.length <= a.offset + a.length;
}

function isSameRegion({ region: a }: Placement, { region: b }: Placement): boolean {
  return a.kind === "arena" && b.kind === "arena" && a.index === b.index;
}
