/** Groups of steps as chains: which results go through memory, and the list of loads, functions and stores. */

import type { DType } from "../graph/node.ts";
import { Cell, overlap, type View, viewOf } from "./cells.ts";
import { groupOf } from "./epilogues.ts";
import type { Group } from "./fuse.ts";
import type { ElementwiseOperand, ElementwiseStep, LoadTerm, RandomDraw } from "./program.ts";
import { coneOf, isCheap, type Load, sameLoad } from "./repeats.ts";
import type { StepOperand, StepUnit } from "./units.ts";

/** An elementwise call before it has places. */
export interface Chain {
  readonly count: number;
  readonly loads: readonly ChainLoad[];
  readonly steps: readonly ElementwiseStep[];
  readonly stores: readonly { readonly view: View; readonly source: ElementwiseOperand; readonly dtype: DType }[];
}

export interface ChainLoad {
  readonly view: View;
  readonly divisor: number;
  readonly modulus: number;
  readonly terms?: readonly LoadTerm[];
  readonly dtype: DType;
}

/**
 * The chain of each group; undefined for a group of which nothing is left to store. Derivatives of an activation that
 * both forward and reverse mode need are computed in both, from the one array that both load anyway.
 *
 * @param groups - in an order in which each runs after what it needs.
 */
export function buildChains(groups: readonly Group[]): (Chain | undefined)[] {
  const repeated = groups.map(({ steps: members }) => {
    const own = new Set(members);
    const loads = members.flatMap(({ operands }) => operands.filter(isLoad));
    const again = new Set<StepUnit>();
    for (const unit of members.flatMap(({ operands }) => operands.flatMap(stepOf))) {
      if (own.has(unit) || again.has(unit)) continue;
      const cone = coneOf(unit);
      const isKnown = cone?.loads.every((load) => loads.some((known) => sameLoad(known, load)));
      if (cone && (isKnown || isCheap(cone)) && !unit.home) for (const step of cone.steps) again.add(step);
      else unit.home ??= homeOf(unit);
    }
    return again;
  });
  return groups.map((group, i) => buildChain(group, repeated[i] as Set<StepUnit>));
}

const isLoad = (operand: StepOperand): operand is Load => operand.from === "load";
const stepOf = (operand: StepOperand): StepUnit[] => (operand.from === "step" ? [operand.unit] : []);

/** Equal for steps that compute the same of the same operands. */
export const stepKey = (
  { function: name, random }: { readonly function: string; readonly random?: RandomDraw | undefined },
  operands: readonly ElementwiseOperand[],
) =>
  `${name} ${JSON.stringify(random)} ${operands.map((operand) => (operand.from === "constant" ? `c${Object.is(operand.value, -0) ? "-0" : operand.value}` : `${operand.from}${operand.index}`)).join(" ")}`;

function homeOf(unit: StepUnit): Cell {
  const cell = new Cell(unit.count, unit.dtype);
  cell.writers.push(unit);
  return cell;
}

function buildChain({ call, steps: members }: Group, repeated: ReadonlySet<StepUnit>): Chain | undefined {
  const [first] = members;
  if (!first) return undefined;
  const { count } = first;
  const product = call?.writes["out"];
  const own = new Set([...members, ...repeated]);
  const loads: ChainLoad[] = [];
  const steps: ElementwiseStep[] = [];
  const known = new Map<string, ElementwiseOperand>();
  const results = new Map<StepUnit, ElementwiseOperand>();

  const once = (key: string, make: () => ElementwiseOperand): ElementwiseOperand => {
    const operand = known.get(key) ?? make();
    known.set(key, operand);
    return operand;
  };
  const load = (from: ChainLoad): ElementwiseOperand => {
    const known = loads.findIndex((other) => sameLoad(other, from));
    return { from: "load", index: known >= 0 ? known : loads.push(from) - 1 };
  };
  const operandOf = (operand: StepOperand): ElementwiseOperand => {
    if (operand.from === "constant") return operand;
    if (operand.from === "step") return resultOf(operand.unit);
    const { view, divisor, modulus, terms, dtype } = operand;
    if (product && overlap(view, product)) return { from: "product", index: groupOf(view, product, count) };
    return load({ view, divisor, modulus, ...(terms && { terms }), dtype });
  };
  const resultOf = (unit: StepUnit): ElementwiseOperand => {
    const done = results.get(unit);
    if (done) return done;
    const result = own.has(unit) ? compute(unit) : loadResult(unit);
    results.set(unit, result);
    return result;
  };
  const loadResult = ({ home, count, dtype }: StepUnit) =>
    load({ view: viewOf(home as Cell), divisor: 1, modulus: count, dtype });
  const compute = (unit: StepUnit): ElementwiseOperand => {
    const operands = unit.operands.map(operandOf);
    const { function: name, dtype, random } = unit;
    if (name === undefined) return operands[0] as ElementwiseOperand;
    const key = stepKey({ function: name, random }, operands);
    const step = { function: name, operands, dtype, ...(random && { random }) };
    return once(key, () => ({ from: "step", index: steps.push(step) - 1 }));
  };

  const stores = members.flatMap((unit) => {
    if (!unit.home) return [];
    return [{ view: viewOf(unit.home), source: resultOf(unit), dtype: unit.dtype }];
  });
  return stores.length > 0 ? { count, loads, steps, stores } : undefined;
}
