/** Units: the steps of a plan, before elementwise ones are fused into chains and calls get their order and places. */
import type { StateDeclaration } from "../graph/graph.ts";
import type { DType } from "../graph/node.ts";
import { type Cell, type View, viewOf } from "./cells.ts";
import type { LoadTerm, RandomDraw } from "./program.ts";

/** What feeds an elementwise step: another step's element of the same number, a load, or a number. */
export type StepOperand =
  | { readonly from: "step"; readonly unit: StepUnit }
  | {
      readonly from: "load";
      readonly view: View;
      /** Element i is element floor(i / divisor) mod modulus of the view. */
      readonly divisor: number;
      readonly modulus: number;
      /** And so much farther. */
      readonly terms?: readonly LoadTerm[];
      readonly dtype: DType;
    }
  | { readonly from: "constant"; readonly value: number };

/** One elementwise function over `count` elements; without a function, its operand as it is. */
export interface StepUnit {
  readonly kind: "step";
  readonly count: number;
  readonly function: string | undefined;
  readonly operands: StepOperand[];
  readonly dtype: DType;
  /** Which numbers it draws, when it is one of `randomFunctions`. */
  readonly random?: RandomDraw;
  /** Where the result lies, when anything but steps of its own chain reads it. */
  home: Cell | undefined;
}

/** One call of a kernel that is not elementwise. */
export interface CallUnit {
  readonly kind: "call";
  readonly kernel: string;
  readonly parameters: Readonly<Record<string, number>>;
  readonly reads: Readonly<Record<string, View>>;
  readonly writes: Readonly<Record<string, View>>;
  readonly flops: number;
  /** For people, from the names of the operands: "t3 = t1 parameters + parameters". */
  label(names: Readonly<Record<string, string>>): string;
  /** What the written cell holds before: the call changes only some of it. */
  readonly initial?: View;
}

export type Unit = StepUnit | CallUnit;

/** `before` runs before `after`. Apart: the two may not become one chain either. */
export interface Constraint {
  readonly before: Unit;
  readonly after: Unit;
  readonly apart: boolean;
}

/** A cell whose value a state takes when the run ends. */
export interface Assignment {
  readonly state: StateDeclaration;
  readonly cell: Cell;
}

/** Units in an order in which each comes after what it reads. */
export interface Units {
  readonly units: Unit[];
  readonly assignments: readonly Assignment[];
  /** Words of the `constants` region. */
  readonly constants: readonly number[];
}

/** What a unit loads from cells; operands that are steps are not among them. */
export function readsOf(unit: Unit): View[] {
  if (unit.kind === "call") return Object.values(unit.reads);
  return unit.operands.flatMap((operand) => (operand.from === "load" ? [operand.view] : []));
}

export function writesOf(unit: Unit): View[] {
  if (unit.kind === "call") return Object.values(unit.writes);
  return unit.home ? [viewOf(unit.home)] : [];
}

/** Whether a load takes element i of the view as element i of a chain of `count`: what in-place writing needs. */
export function isDirect(load: { divisor: number; modulus: number }, count: number): boolean {
  return load.divisor === 1 && load.modulus === count;
}
