/**
 * Sums of columns in the chains that make what they add up, on their way: what is only added up is never in memory, and nothing is
 * read again. For what a norm's statistics and gradients ask of chains that is most of what these would store.
 *
 * The program that the backend runs then has another form than the plan: a chain with steps that add up, and, where the `reduce` was, a
 * call "sums" that ends one (wasm/sums.ts). Calls keep their positions.
 */

import { reductions } from "../../kernels/reduce.ts";
import { kernels } from "../../kernels/registry.ts";
import type { ElementwiseOperand, ElementwiseStore, KernelCall, Placement, Program } from "../../schedule/program.ts";
import { BLOCK, type OwnChain, type OwnStep, SUM } from "./chain.ts";

/** The kernel of calls that end a sum, as translate.ts has it. */
export const SUMS = "sums";

/** Columns of a sum: two vectors at a time, a row in a block. */
const COLUMNS = 8;
const MOST_COLUMNS = BLOCK;

/** A sum that a chain makes of what it stores. */
interface ChainSum {
  readonly store: ElementwiseStore;
  readonly columns: number;
  /** Elements that a sum of each column is of. */
  readonly period: number;
  /** Positions of the chain's call, and of the reduction's. */
  readonly of: number;
  readonly call: number;
}

/**
 * The program with such sums in its chains. A call "sums" has parameters `columns`, `period`, `scale` and `of`, which call's chain
 * begins it, and the binding `out`.
 */
export function withChainSums(program: Program): Program {
  const calls = [...program.calls];
  const sums = new Map<number, ChainSum[]>(); // by the chain's call
  for (const call of program.calls.keys()) {
    const sum = sumOf(program, call);
    const others = sums.get(sum?.of ?? -1) ?? [];
    if (sum && fits([...others, sum])) sums.set(sum.of, [...others, sum]);
  }
  for (const [of, made] of sums) {
    const maker = calls[of] as KernelCall & { readonly chain: OwnChain };
    const own = new Set(made.map(({ call }) => call));
    const summed = new Set(made.map(({ store }) => store));
    const stores = maker.chain.stores.filter(
      (store) => !summed.has(store) || isRead(program, of, store.placement, own),
    );
    const added = made.map(({ store, call }) => ({ ...withoutSign(store.source, maker.chain.steps), call }));
    const steps = [
      ...maker.chain.steps,
      ...added.map(
        ({ source, call }): OwnStep => ({ function: SUMS, opcode: SUM, operands: [source], dtype: "f32", call }),
      ),
    ];
    const row = made[0]?.columns as number;
    const period = Math.min(...made.map((sum) => sum.period));
    const chain: OwnChain = { ...maker.chain, steps, stores, row, period };
    calls[of] = { ...maker, chain };
    for (const [i, { columns, period: each, call }] of made.entries()) {
      const { bindings, parameters, ...reduction } = calls[call] as KernelCall;
      const scale = (added[i]?.sign ?? 1) * (parameters["scale"] ?? 1);
      const out = bindings["out"] as Placement;
      calls[call] = { ...reduction, kernel: SUMS, parameters: { columns, period: each, scale, of }, bindings: { out } };
    }
  }
  return { ...program, calls };
}

function isSum({ kernel, parameters }: KernelCall): boolean {
  const { kind, inner = 0 } = parameters;
  const isOfColumns = inner % COLUMNS === 0 && inner > 0 && inner <= MOST_COLUMNS;
  return kernel === "reduce" && kind === reductions.indexOf("sum") && isOfColumns;
}

/** The call's sum, where all that it adds up is one store of a step or a product of an earlier call's chain. */
function sumOf({ calls, temporaries = [] }: Program, call: number): ChainSum | undefined {
  const { bindings, parameters } = calls[call] as KernelCall;
  const { in: input } = bindings;
  const { reduced = 0, inner: columns = 0 } = parameters;
  if (!input || !isSum(calls[call] as KernelCall)) return undefined;
  if (!temporaries.some(({ placement }) => contains(placement, input))) return undefined;
  const of = calls
    .slice(0, call)
    .findLastIndex((other) => writesOf(other).some((placement) => overlap(placement, input)));
  const { chain, kernel = "", parameters: { columns: width = columns } = {} } = calls[of] ?? {};
  if (kernel !== "elementwise" && !kernels[kernel]?.isProduct) return undefined;
  const store = chain?.stores.find(({ placement }) => overlap(placement, input));
  if (!store || chain?.count !== input.length || !isDense(store) || !contains(store.placement, input)) return undefined;
  if (width !== columns || !["step", "product"].includes(store.source.from)) return undefined; // units are rows of the product
  return { store, columns, period: reduced * columns, of, call };
}

/** Blocks are whole rows, and go beyond the end of no sum. */
function fits(sums: readonly ChainSum[]): boolean {
  const least = Math.min(...sums.map(({ period }) => period));
  return sums.every(({ columns, period }) => columns === sums[0]?.columns && period % least === 0);
}

/** What is negated to be added up, and the sign that its sum takes instead. */
function withoutSign(
  source: ElementwiseOperand,
  steps: readonly OwnStep[],
): { readonly source: ElementwiseOperand; readonly sign: number } {
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
