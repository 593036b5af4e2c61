/**
 * Rematerialisation: the activated rows of primals and tangents that a weight's gradient reads are made again in reverse
 * mode, by the chain that reads the same products there anyway, instead of being kept from forward mode on. They are half
 * of what FDM's reverse mode reads; so it needs little more memory than CFM, and for that stores each a second time.
 */
import { Cell, type View, viewOf } from "./cells.ts";
import { isProductCall } from "./products.ts";
import { coneOf } from "./repeats.ts";
import { type CallUnit, type Constraint, readsOf, type StepUnit, type Unit } from "./units.ts";

/** Activated rows, what reads them, and what they can be made from again. */
interface Candidate {
  readonly rows: Cell;
  /** The next layer's product, of forward mode. */
  readonly next: CallUnit;
  /** The product that reads them in reverse mode: the gradient of the next layer's weight. */
  readonly gradient: CallUnit;
  /** The product whose epilogue takes the cotangents back through the activation. */
  readonly back: CallUnit;
  /** Of the layer's own product. */
  readonly product: Cell;
}

/**
 * Changes `units`; returns what keeps the new ones in reverse mode. The last hidden layer's rows are left: reverse mode
 * begins with them.
 */
export function rematerialize(units: Unit[]): Constraint[] {
  const readers = new Map<Cell, Set<Unit>>(); // by root cell
  for (const unit of units) {
    for (const { cell } of readsOf(unit)) readers.set(cell.root, (readers.get(cell.root) ?? new Set()).add(unit));
  }
  const candidates = units.flatMap((unit) => candidateOf(unit, (cell) => [...(readers.get(cell) ?? [])]));
  const products = new Set<Cell | undefined>(candidates.map(({ product }) => product));
  const constraints: Constraint[] = [];
  for (const candidate of candidates) {
    if (products.has(candidate.next.writes["out"]?.cell.root)) remake(candidate, units, constraints);
  }
  return constraints;
}

const operandOf = (unit: CallUnit, name: string) => unit.reads[name]?.cell.root;

/** @param readersOf - what reads a root cell. */
function candidateOf(gradient: Unit, readersOf: (cell: Cell) => readonly Unit[]): Candidate[] {
  if (!isProductCall(gradient) || !gradient.parameters["transposeLeft"]) return [];
  const { left, right } = gradient.reads as { left: View; right: View };
  const rows = left.cell;
  const isRows = rows.isTemporary && !rows.whole && left.length === rows.size && rows.writers.length === 0;
  if (!isRows || rows.parts.length < 2) return []; // primals and tangents
  const forward = readersOf(rows).filter((unit) => unit !== gradient);
  const [next] = forward;
  const back = readersOf(right.cell.root).find(
    (unit) => isProductCall(unit) && !unit.parameters["transposeLeft"] && operandOf(unit, "left") === right.cell.root,
  );
  if (forward.length !== 1 || !next || !isProductCall(next) || !back || !isProductCall(back)) return [];

  const cones = rows.parts.map(({ writers: [writer], parts, whole }) =>
    writer?.kind === "step" && parts.length === 0 && whole?.stride === 1 ? coneOf(writer) : undefined,
  );
  const read = new Set(cones.flatMap((cone) => cone?.loads.map(({ view }) => view.cell.root)));
  const [product] = read;
  if (!product || read.size !== 1 || cones.some((cone) => !cone || cone.isElsewhere)) return [];
  const isKept = readersOf(product).some(
    (unit) => unit.kind === "step" && !cones.some((cone) => cone?.steps.has(unit)),
  );
  return isKept && product.writers.every(isProductCall) ? [{ rows, next, gradient, back, product }] : [];
}

function remake({ rows, gradient, back }: Candidate, units: Unit[], constraints: Constraint[]): void {
  const again = new Cell(rows.size, rows.dtype);
  const copies = new Map<StepUnit, StepUnit>();
  const copyOf = (step: StepUnit): StepUnit => {
    const known = copies.get(step);
    if (known) return known;
    const operands = step.operands.map((operand) =>
      operand.from === "step" ? { ...operand, unit: copyOf(operand.unit) } : operand,
    );
    const copy: StepUnit = { ...step, operands, home: undefined };
    copies.set(step, copy);
    return copy;
  };
  for (const part of rows.parts) {
    const copy = copyOf(part.writers[0] as StepUnit);
    copy.home = new Cell(part.size, part.dtype);
    copy.home.writers.push(copy);
    copy.home.join(again, part.whole?.offset as number);
  }
  for (const copy of copies.values()) constraints.push({ before: back, after: copy, apart: false });

  const moved: CallUnit = { ...gradient, reads: { ...gradient.reads, left: viewOf(again) } };
  for (const { cell } of Object.values(gradient.writes)) cell.writers.splice(cell.writers.indexOf(gradient), 1, moved);
  units.splice(units.indexOf(gradient), 1, ...copies.values(), moved);
}
