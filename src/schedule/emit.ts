/** Tasks with places: the kernel calls of a program. */
import { extentOf, rootView, type View } from "./cells.ts";
import type { Chain } from "./chains.ts";
import type { Memory } from "./memory.ts";
import type { ElementwiseChain, KernelCall, Placement, Region } from "./program.ts";
import type { Task } from "./tasks.ts";
import type { CallUnit } from "./units.ts";

const BYTES = 4;

export function emitCalls(tasks: readonly Task[], memory: Memory): KernelCall[] {
  const names = new Map<unknown, string>();
  const nameOf = (view: View): string => {
    const { cell, offset, length, stride } = rootView(view);
    const end = offset + extentOf({ offset, length, stride });
    const range = length === cell.size ? "" : `[${offset}..${end}${stride === 1 ? "" : ` by ${stride}`}]`;
    const origin = cell.boundTo ?? cell.origin;
    if (origin) return "name" in origin ? `${origin.name}${cell.boundTo ? "'" : ""}${range}` : "constants";
    const name = names.get(cell) ?? `t${names.size + 1}`;
    names.set(cell, name);
    return `${name}${range}`;
  };
  const placementOf = (view: View): Placement => {
    const { cell, offset, ...elements } = rootView(view);
    const length = extentOf({ offset, ...elements });
    const origin = cell.boundTo ?? cell.origin;
    if (!origin) {
      const place = memory.places.get(cell) as { arena: number; offset: number };
      return { region: { kind: "arena", index: place.arena }, offset: place.offset + offset, length };
    }
    const region: Region = "name" in origin ? { kind: "state", name: origin.name } : { kind: "constants" };
    return { region, offset: offset + ("name" in origin ? 0 : origin.constantsOffset), length };
  };
  return tasks.map(({ call, chain }) => {
    if (!chain) return emitCall(call as CallUnit, (call as CallUnit).writes, placementOf, nameOf);
    const placed = emitChain(chain, placementOf);
    const flops = chain.count * chain.steps.length;
    const bytes = BYTES * [...chain.loads, ...chain.stores].reduce((total, { view }) => total + view.length, 0);
    const label = chainLabel(chain, nameOf, call !== undefined);
    if (!call) return { kernel: "elementwise", label, parameters: {}, bindings: {}, chain: placed, flops, bytes };
    const product = emitCall(call, {}, placementOf, nameOf);
    const groups = (call.writes["out"] as View).length / chain.count;
    return {
      ...product,
      label: `${label}; ${product.label}`,
      parameters: { ...product.parameters, groups },
      chain: placed,
      flops: product.flops + flops,
      bytes: product.bytes + bytes,
    };
  });
}

/** What a product is called whose elements do not leave their call. */
const PRODUCT = "p";

/** @param writes - those of the call's results that it writes itself. */
function emitCall(
  unit: CallUnit,
  writes: CallUnit["writes"],
  placementOf: (view: View) => Placement,
  nameOf: (view: View) => string,
): KernelCall {
  const views = Object.entries({ ...unit.reads, ...writes });
  const names = Object.fromEntries(views.map(([name, view]) => [name, nameOf(view)]));
  return {
    kernel: unit.kernel,
    label: unit.label({ out: PRODUCT, ...names }),
    parameters: unit.parameters,
    bindings: Object.fromEntries(views.map(([name, view]) => [name, placementOf(view)])),
    flops: unit.flops,
    bytes: BYTES * views.reduce((total, [, { length }]) => total + length, 0),
  };
}

function emitChain(chain: Chain, placementOf: (view: View) => Placement): ElementwiseChain {
  return {
    count: chain.count,
    loads: chain.loads.map(({ view, ...load }) => ({ placement: placementOf(view), ...strideOf(view), ...load })),
    steps: chain.steps,
    stores: chain.stores.map(({ view, ...store }) => ({ placement: placementOf(view), ...strideOf(view), ...store })),
  };
}

function strideOf(view: View): { stride?: number } {
  const { stride } = rootView(view);
  return stride === 1 ? {} : { stride };
}

/** "t3, t4 from t1, t2: silu0 silu1 multiply". */
function chainLabel({ loads, steps, stores }: Chain, nameOf: (view: View) => string, followsProduct: boolean): string {
  const list = (views: readonly View[]) => [...new Set(views.map(nameOf))].join(", ");
  const functions = steps.map((step) => step.function).join(" ") || "copy";
  const operands = [
    ...(followsProduct ? [PRODUCT] : []),
    ...(loads.length > 0 ? [list(loads.map(({ view }) => view))] : []),
  ];
  const from = operands.length > 0 ? ` from ${operands.join(", ")}` : "";
  return `${list(stores.map(({ view }) => view))}${from}: ${functions}`;
}
