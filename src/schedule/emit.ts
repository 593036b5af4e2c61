/** Tasks with places: the kernel calls of a program. */
import { extentOf, rootView, type View } from "./cells.ts";
import type { Chain } from "./chains.ts";
import type { Memory } from "./memory.ts";
import type { ElementwiseChain, KernelCall, Placement, Region } from "./program.ts";
import { isChain, type Task } from "./tasks.ts";
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
  return tasks.map(({ work }) =>
    isChain(work) ? emitChain(work, placementOf, nameOf) : emitCall(work, placementOf, nameOf),
  );
}

function emitCall(unit: CallUnit, placementOf: (view: View) => Placement, nameOf: (view: View) => string): KernelCall {
  const views = Object.entries({ ...unit.reads, ...unit.writes });
  return {
    kernel: unit.kernel,
    label: unit.label(Object.fromEntries(views.map(([name, view]) => [name, nameOf(view)]))),
    parameters: unit.parameters,
    bindings: Object.fromEntries(views.map(([name, view]) => [name, placementOf(view)])),
    flops: unit.flops,
    bytes: BYTES * views.reduce((total, [, { length }]) => total + length, 0),
  };
}

function emitChain(chain: Chain, placementOf: (view: View) => Placement, nameOf: (view: View) => string): KernelCall {
  const placed: ElementwiseChain = {
    count: chain.count,
    loads: chain.loads.map(({ view, ...load }) => ({ placement: placementOf(view), ...strideOf(view), ...load })),
    steps: chain.steps,
    stores: chain.stores.map(({ view, ...store }) => ({ placement: placementOf(view), ...strideOf(view), ...store })),
  };
  const operands = [...chain.loads, ...chain.stores];
  return {
    kernel: "elementwise",
    label: chainLabel(chain, nameOf),
    parameters: {},
    bindings: {},
    chain: placed,
    flops: chain.count * chain.steps.length,
    bytes: BYTES * operands.reduce((total, { view }) => total + view.length, 0),
  };
}

function strideOf(view: View): { stride?: number } {
  const { stride } = rootView(view);
  return stride === 1 ? {} : { stride };
}

/** "t3, t4 from t1, t2: silu0 silu1 multiply". */
function chainLabel({ loads, steps, stores }: Chain, nameOf: (view: View) => string): string {
  const list = (views: readonly View[]) => [...new Set(views.map(nameOf))].join(", ");
  const functions = steps.map((step) => step.function).join(" ") || "copy";
  const from = loads.length > 0 ? ` from ${list(loads.map(({ view }) => view))}` : "";
  return `${list(stores.map(({ view }) => view))}${from}: ${functions}`;
}
