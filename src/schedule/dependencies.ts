/** What must run before what: by values, and by what is overwritten. */
import { type Cell, writtenCells } from "./cells.ts";
import { isProductCall } from "./products.ts";
import { type Constraint, readsOf, type Unit } from "./units.ts";

/**
 * The elements that have an edge to each element. The first elements are the units, by position; the others stand
 * between a writer and what loads its result from memory, and between units that must stay apart, so that no two units
 * with one of them between can be merged. None stands between a product and a step: the step may be of its epilogue.
 */
export function dependencies(units: readonly Unit[], constraints: readonly Constraint[]): number[][] {
  const numbers = new Map(units.map((unit, number) => [unit, number]));
  const inputs: number[][] = units.map(() => []);
  const cells = new Map<Cell, number>();
  const numberOf = (unit: Unit) => numbers.get(unit) as number;
  const elementOf = (cell: Cell): number => {
    const known = cells.get(cell);
    if (known !== undefined) return known;
    cells.set(cell, inputs.length);
    return inputs.push(cell.writers.map(numberOf)) - 1;
  };
  units.forEach((unit, number) => {
    const list = inputs[number] as number[];
    for (const cell of readsOf(unit).flatMap(writtenCells)) {
      const [writer] = cell.writers as [Unit];
      const isProduct = isProductCall(writer) && cell.writers.length === 1;
      list.push(isProduct && unit.kind === "step" ? numberOf(writer) : elementOf(cell));
    }
    if (unit.kind !== "step") return;
    for (const operand of unit.operands) if (operand.from === "step") list.push(numberOf(operand.unit));
  });
  for (const { before, after, apart } of constraints) {
    const from = apart ? inputs.push([numberOf(before)]) - 1 : numberOf(before);
    (inputs[numberOf(after)] as number[]).push(from);
  }
  return inputs;
}
