/**
 * Which elementwise steps become one chain, and which chains follow a product in its call: a chain reads each operand
 * once and keeps what is between in registers, and an epilogue does not even read the product.
 */
import { overlap, type View, writtenCells } from "./cells.ts";
import { dependencies } from "./dependencies.ts";
import { epilogueGroups, readsGroups } from "./epilogues.ts";
import { joined, OpenParts, type Part } from "./open-parts.ts";
import { type InParts, PIECES } from "./parts.ts";
import type { PlanLimits } from "./program.ts";
import { elementOrder, Reachability } from "./reachability.ts";
import { coneOf, isCheap } from "./repeats.ts";
import { type CallUnit, type Constraint, readsOf, type StepUnit, type Unit, writesOf } from "./units.ts";

/** Chains of no shared operand are merged all the same up to this many elements: a call costs more than the work. */
const SMALL = 65536;

/** What becomes one call: steps, a product and its epilogue, or a call alone. */
export interface Group {
  readonly call: CallUnit | undefined;
  readonly steps: readonly StepUnit[];
}

/**
 * All units in groups; steps of a group have one count and stand in an order in which each comes after what it needs.
 *
 * @param arenas - how many arenas a chain may meet; each takes a binding.
 */
export function* fusing(
  units: readonly Unit[],
  constraints: readonly Constraint[],
  limits: PlanLimits,
  arenas: number,
): InParts<Group[]> {
  return yield* new Fusion(units, constraints, limits, arenas).run();
}

class Fusion {
  private readonly units: readonly Unit[];
  private readonly limits: PlanLimits;
  private readonly arenas: number;
  private readonly reachability: Reachability;
  private readonly numbers: ReadonlyMap<Unit, number>;
  /** Numbers of units, each after what it needs. */
  private readonly order: readonly number[];
  /** Of steps, by the root of their numbers. */
  private readonly parts = new Map<number, Part>();
  /** Those that others can still join: roots, by what they are asked for. */
  private readonly open = new OpenParts();
  private isOpen = false;
  /** How often parts were merged. */
  private merges = 0;
  /** Of work, since it began. */
  private pieces = 0;
  private readonly merged = new Set<CallUnit>();

  constructor(units: readonly Unit[], constraints: readonly Constraint[], limits: PlanLimits, arenas: number) {
    const inputs = dependencies(units, constraints);
    this.units = units;
    this.limits = limits;
    this.arenas = arenas;
    this.reachability = new Reachability(inputs);
    this.numbers = new Map(units.map((unit, number) => [unit, number]));
    this.order = elementOrder(inputs).filter((number) => number < units.length);
  }

  *run(): InParts<Group[]> {
    const steps = this.order.flatMap((number) => stepOf(this.units[number] as Unit));
    for (const step of steps) this.parts.set(this.numberOf(step), partOf(step, this.limits));
    // A step with what feeds it first, then with what reads the same memory, then with its product.
    for (const step of steps) {
      for (const operand of step.operands) if (operand.from === "step") this.mergeOperand(operand.unit, step);
      if (++this.pieces % PIECES === 0) yield;
    }
    for (const [root, part] of this.parts) this.open.add(root, part);
    this.isOpen = true;
    yield* this.mergeAlike(steps, (own) => this.open.sharing(own));
    for (const number of this.order) {
      const unit = this.units[number] as Unit;
      if (unit.kind === "call") this.addEpilogue(unit);
    }
    yield* this.mergeAlike(
      steps.filter(({ count }) => count <= SMALL),
      (own) => this.open.ofCount(own().count),
    );

    const position = new Map(this.order.map((number, i) => [this.units[number] as Unit, i]));
    const place = (unit: StepUnit) => position.get(unit) as number;
    const alone = this.units.filter((unit): unit is CallUnit => unit.kind === "call" && !this.merged.has(unit));
    return [
      ...[...this.parts.values()].map((part) => ({
        call: part.call,
        steps: part.steps.sort((a, b) => place(a) - place(b)),
      })),
      ...alone.map((call) => ({ call, steps: [] })),
    ];
  }

  private numberOf(unit: Unit): number {
    return this.numbers.get(unit) as number;
  }

  private rootOf(unit: Unit): number {
    return this.reachability.root(this.numberOf(unit));
  }

  private add(root: number, part: Part): void {
    this.parts.set(root, part);
    if (this.isOpen && !part.call) this.open.add(root, part);
  }

  private remove(root: number, part: Part): void {
    this.parts.delete(root);
    if (this.isOpen) this.open.remove(root, part);
  }

  /** @param alike - roots of parts that a part, which grows meanwhile, could become one with. */
  private *mergeAlike(steps: readonly StepUnit[], alike: (own: () => Part) => Iterable<number>): InParts<void> {
    const tried = new Map<number, number>(); // of parts that nothing joined, how often others had been merged then
    for (const step of steps) {
      if (++this.pieces % PIECES === 0) yield;
      const before = this.merges;
      let own = this.rootOf(step);
      const part = () => this.parts.get(own) as Part;
      if (part().call || tried.get(own) === before) continue;
      for (const root of alike(part)) if (root !== own) own = this.mergeRoots(root, own);
      tried.set(own, before);
    }
  }

  /** Leaves two chains that can follow a product each apart, where one can do again what it needs of the other. */
  private mergeOperand(operand: StepUnit, step: StepUnit): void {
    const [before, after] = [operand, step].map((unit) => [...(this.parts.get(this.rootOf(unit)) as Part).products]);
    const others = (after as Unit[]).filter((product) => !before?.includes(product));
    const areApart = others.every((product) =>
      before?.every((other) => !this.reachability.connects(this.numberOf(product), this.numberOf(other))),
    );
    const cone = before?.length && others.length > 0 && areApart ? coneOf(operand) : undefined;
    if (!cone || !isCheap(cone)) this.merge(operand, step);
  }

  private merge(a: StepUnit, b: StepUnit): void {
    this.mergeRoots(this.rootOf(a), this.rootOf(b));
  }

  /** Makes one part of two where that can be; returns the root of the second. */
  private mergeRoots(a: number, b: number): number {
    if (a === b) return b;
    const [partA, partB] = [this.parts.get(a) as Part, this.parts.get(b) as Part];
    if (partA.count !== partB.count || partA.call || partB.call || !this.reachability.canMerge(a, b)) return b;
    const fixed = [...partA.fixed].filter((region) => !partB.fixed.has(region)).length + partB.fixed.size;
    if (fixed + this.arenas > this.limits.maxStorageBindings) return b;
    this.remove(a, partA);
    this.remove(b, partB);
    const root = this.reachability.merge(a, b);
    this.merges++;
    this.add(root, partA.steps.length < partB.steps.length ? joined(partB, partA) : joined(partA, partB));
    return root;
  }

  /** Lets the first chain that can follow the product. */
  private addEpilogue(call: CallUnit): void {
    const product = call.writes["out"];
    if (!product || epilogueGroups(call, product.length, this.limits) === undefined) return;
    for (const root of this.open.behind(call)) {
      const part = this.parts.get(root) as Part;
      if (!part.steps.some((step) => readsOf(step).some((view) => overlap(view, product)))) continue;
      if (!this.canFollow(part, call, product) || !this.reachability.canMerge(root, this.rootOf(call))) continue;
      this.remove(root, part);
      this.add(this.reachability.merge(root, this.rootOf(call)), { ...part, call });
      this.merged.add(call);
      return;
    }
  }

  private canFollow({ count, call: other, steps, fixed }: Part, call: CallUnit, product: View): boolean {
    if (other || epilogueGroups(call, count, this.limits) === undefined) return false;
    const operands = Object.values(call.reads);
    const regions = new Set([...fixed, ...fixedRegion(product)]).size + this.arenas;
    if (operands.length + regions > this.limits.maxStorageBindings) return false;
    const stored = new Set(steps.flatMap((step) => writesOf(step).flatMap(fixedRegion)));
    const isFree = !operands.flatMap(fixedRegion).some((region) => stored.has(region));
    return isFree && steps.every((step) => readsGroups(step, product));
  }
}

const stepOf = (unit: Unit): StepUnit[] => (unit.kind === "step" ? [unit] : []);

function partOf(unit: StepUnit, limits: PlanLimits): Part {
  const behind = unit.operands.flatMap((operand) => (operand.from === "step" ? writesOf(operand.unit) : []));
  const fixed = new Set([...readsOf(unit), ...writesOf(unit), ...behind].flatMap(fixedRegion));
  const read = new Set(readsOf(unit).map(({ cell }) => cell.root));
  const writers = readsOf(unit).flatMap((view) => writtenCells(view).flatMap((cell) => cell.writers));
  const products = new Set(
    writers.filter((writer) => writer.kind === "call" && epilogueGroups(writer, unit.count, limits) !== undefined),
  );
  return { count: unit.count, call: undefined, steps: [unit], fixed, read, products };
}

/** The region of a view that lies in no arena. */
function fixedRegion({ cell }: View): string[] {
  const { origin, boundTo } = cell.root;
  if (boundTo) return [`state ${boundTo.name}`];
  return origin ? ["name" in origin ? `state ${origin.name}` : "constants"] : [];
}
