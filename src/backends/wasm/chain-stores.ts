/** What a chain on WASM may write where, and when: a step that stores in order needs no slot if nothing is overwritten. */
import type {
  ElementwiseChain,
  ElementwiseLoad,
  ElementwiseOperand,
  ElementwiseStore,
  Placement,
  Region,
} from "../../schedule/program.ts";

export interface StorePlan {
  /** By step: the placement that it writes straight to. */
  readonly direct: ReadonlyMap<number, Placement>;
  /** Stores made after all steps, in this order. */
  readonly atEnd: readonly ElementwiseStore[];
  /** Loads that a store at the end overwrites before another has read them: copied to a slot first. */
  readonly loadsToCopy: ReadonlySet<number>;
}

/** Which steps may write where their result is stored: not over a load that something later in the chain reads. */
export function planStores({ loads, steps, stores }: ElementwiseChain): StorePlan {
  const lastRead = loads.map((_, load) =>
    stores.some(({ source }) => isLoad(source, load))
      ? Infinity
      : steps.findLastIndex(({ operands }) => operands.some((operand) => isLoad(operand, load))),
  );
  const direct = new Map<number, Placement>();
  const atEnd: ElementwiseStore[] = [];
  for (const store of stores) {
    const { source, placement, stride = 1 } = store;
    const step = source.from === "step" ? source.index : -1;
    const overwrites = loads.some((load, i) => overlap(load.placement, placement) && (lastRead[i] as number) > step);
    if (step >= 0 && stride === 1 && !direct.has(step) && !overwrites) direct.set(step, placement);
    else atEnd.push(store);
  }
  const loadsToCopy = new Set<number>();
  atEnd.forEach(({ source }, later) => {
    if (source.from !== "load") return;
    const { placement } = loads[source.index] as ElementwiseLoad;
    if (atEnd.slice(0, later).some((earlier) => overlap(earlier.placement, placement))) loadsToCopy.add(source.index);
  });
  return { direct, atEnd, loadsToCopy };
}

export interface Use {
  readonly from: "step" | "load";
  readonly index: number;
}

/** By step: the loads and steps whose values nothing after that step reads. Those stored at the end live on. */
export function lastUses(
  { steps, stores }: ElementwiseChain,
  direct: ReadonlyMap<number, Placement>,
): Map<number, Use[]> {
  const last = new Map<string, { at: number; use: Use }>();
  steps.forEach(({ operands }, at) => {
    for (const operand of operands) {
      if (operand.from !== "step" && operand.from !== "load") continue;
      last.set(`${operand.from} ${operand.index}`, { at, use: { from: operand.from, index: operand.index } });
    }
  });
  for (const { source } of stores) {
    if (source.from === "load" || (source.from === "step" && !direct.has(source.index))) {
      last.delete(`${source.from} ${source.index}`);
    }
  }
  const uses = new Map<number, Use[]>();
  for (const { at, use } of last.values()) uses.set(at, [...(uses.get(at) ?? []), use]);
  return uses;
}

function isLoad(operand: ElementwiseOperand, load: number): boolean {
  return operand.from === "load" && operand.index === load;
}

function overlap(a: Placement, b: Placement): boolean {
  if (regionName(a.region) !== regionName(b.region)) return false;
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

function regionName(region: Region): string {
  switch (region.kind) {
    case "arena":
      return `arena ${region.index}`;
    case "state":
      return `state ${region.name}`;
    case "constants":
      return "constants";
  }
}
