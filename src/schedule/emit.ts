/** Tasks with places: the kernel calls of a program. */
import { extentOf, rootView, type View, viewOf, wordsOf } from "./cells.ts";
import type { Chain } from "./chains.ts";
import type { Memory } from "./memory.ts";
import { Names } from "./names.ts";
import { type Lifetime, lifetimes } from "./order.ts";
import type { ElementwiseChain, KernelCall, Placement, Region, Temporary } from "./program.ts";
import type { Task } from "./tasks.ts";
import type { CallUnit } from "./units.ts";

export function emitCalls(
  tasks: readonly Task[],
  memory: Memory,
): { readonly calls: KernelCall[]; readonly temporaries: Temporary[] } {
  const emitter = new Emitter(memory);
  const calls = tasks.map(({ call, chain }) => {
    if (!chain) return emitter.call(call as CallUnit, (call as CallUnit).writes);
    return call ? emitter.product(call, chain) : emitter.chain(chain);
  });
  return { calls, temporaries: lifetimes(tasks).map((lifetime) => emitter.temporary(lifetime)) };
}

/** What a product is called in labels, where a chain takes its elements. */
const PRODUCT = "p";

class Emitter {
  private readonly memory: Memory;
  private readonly names = new Names();

  constructor(memory: Memory) {
    this.memory = memory;
  }

  /** @param writes - those of the unit's results that the kernel writes itself. */
  call(unit: CallUnit, writes: CallUnit["writes"]): KernelCall {
    const views = Object.entries({ ...unit.reads, ...writes });
    const names = Object.fromEntries(views.map(([name, view]) => [name, this.names.of(view)]));
    return {
      kernel: unit.kernel,
      label: unit.label({ out: PRODUCT, ...names }),
      parameters: unit.parameters,
      bindings: Object.fromEntries(views.map(([name, view]) => [name, this.place(view)])),
      flops: unit.flops,
      bytes: bytesOf(views.map(([, view]) => view)),
    };
  }

  chain(chain: Chain): KernelCall {
    const { loads, steps, stores } = chain;
    const placed = (operand: { readonly view: View }) => ({
      placement: this.place(operand.view),
      ...strideOf(operand),
    });
    return {
      kernel: "elementwise",
      label: this.chainLabel(chain),
      parameters: {},
      bindings: {},
      chain: {
        count: chain.count,
        loads: loads.map(({ view, ...load }) => ({ ...placed({ view }), ...load })),
        steps,
        stores: stores.map(({ view, ...store }) => ({ ...placed({ view }), ...store })),
      },
      flops: chain.count * steps.length,
      bytes: bytesOf([...loads, ...stores].map(({ view }) => view)),
    };
  }

  /** A product and what follows it in its call. */
  product(unit: CallUnit, chain: Chain): KernelCall {
    const epilogue = this.chain(chain);
    const product = this.call(unit, {});
    const groups = (unit.writes["out"] as View).length / chain.count;
    const kept = chain.stores.flatMap(({ source, view }) => (source.from === "product" ? [view] : []));
    const prefix = kept.length > 0 ? `${this.names.list(kept)} = ` : "";
    const others = chain.stores.length > kept.length ? `${epilogue.label}; ` : "";
    return {
      ...product,
      label: `${others}${prefix}${product.label}`,
      parameters: { ...product.parameters, groups },
      chain: epilogue.chain as ElementwiseChain,
      flops: product.flops + epilogue.flops,
      bytes: product.bytes + epilogue.bytes,
    };
  }

  temporary({ cell, start, end, from, size }: Lifetime): Temporary {
    const name = this.names.of(viewOf(cell));
    const placement = this.place({ cell, offset: from, length: size, stride: 1 });
    return { name, placement, firstCall: start, lastCall: end };
  }

  /** "t3, t4 from t1, t2: silu0 silu1 multiply"; a product that is stored as it is has its own label. */
  private chainLabel({ loads, steps, stores }: Chain): string {
    const results = stores.flatMap(({ source, view }) => (source.from === "product" ? [] : [view]));
    const operands = [...steps.flatMap(({ operands }) => operands), ...stores.map(({ source }) => source)];
    const ofProduct = operands.some(({ from }) => from === "product") ? [PRODUCT] : [];
    const from = [...ofProduct, ...(loads.length > 0 ? [this.names.list(loads.map(({ view }) => view))] : [])];
    const functions = steps.map((step) => step.function).join(" ") || "copy";
    return `${this.names.list(results)}${from.length > 0 ? ` from ${from.join(", ")}` : ""}: ${functions}`;
  }

  private place(view: View): Placement {
    const { cell, offset, ...elements } = rootView(view);
    const length = extentOf({ offset, ...elements });
    const origin = cell.boundTo ?? cell.origin;
    if (!origin) {
      const place = this.memory.places.get(cell) as { arena: number; offset: number };
      const { half } = cell;
      const region: Region = { kind: "arena", index: place.arena, ...(half && { element: "f16" as const }) };
      return { region, offset: place.offset + offset, length, ...(half && { scale: half.scale }) };
    }
    const region: Region = "name" in origin ? { kind: "state", name: origin.name } : { kind: "constants" };
    return { region, offset: offset + ("name" in origin ? 0 : origin.constantsOffset), length };
  }
}

const bytesOf = (views: readonly View[]) =>
  4 * views.reduce((total, { cell, length }) => total + wordsOf(length, cell.root), 0);

function strideOf({ view }: { readonly view: View }): { stride?: number; width?: number } {
  const { stride, width = 1 } = rootView(view);
  return { ...(stride > 1 && { stride }), ...(width > 1 && { width }) };
}
