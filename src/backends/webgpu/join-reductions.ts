/**
 * Which reductions of a program become one dispatch. A norm adds up over places, and what comes of that over the channels of a
 * group: one reduction, where nothing else reads what is between. Values and tangents, a scale's gradient and a shift's have
 * reductions of one shape that do not need each other: they run together. Plans keep their calls; a device computes fewer.
 */

import { reductions } from "../../kernels/reduce.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Placement } from "../../schedule/program.ts";
import { regionKey } from "./dispatch.ts";
import { type Member, MOST_MEMBERS, MOST_WITHIN, type TogetherShape } from "./reduce-together.ts";

/** How far apart calls are looked at that may become one. */
const NEAR = 16;

/** Rows of more elements have a kernel of their own, which subgroups make faster. */
const LARGEST_ROWS = 2 ** 20;

/** Reductions of one shape, which run at the position of one of their calls. */
export interface Together {
  readonly shape: TogetherShape;
  readonly members: readonly (Member & { readonly label: string })[];
  readonly at: number;
  /** Positions of the other calls that it stands for. */
  readonly others: readonly number[];
}

/** What runs at once: reductions together, or another call. */
interface Unit {
  readonly at: number;
  readonly reads: readonly Placement[];
  readonly writes: readonly Placement[];
  readonly together: Together | undefined;
}

/** The reductions that run together, or in another form than their calls have. Contract: what is computed stays the same. */
export function joinReductions(calls: readonly KernelCall[]): Together[] {
  const units: Unit[] = [];
  for (const unit of unitsOf(calls)) {
    if (!unit.together || !joinWithOther(units, unit)) units.push(unit);
  }
  return units.flatMap(({ together }) => together ?? []);
}

/** The calls as units, where reductions over places and then over channels are one. */
function unitsOf(calls: readonly KernelCall[]): Unit[] {
  const operands = calls.map(operandsOf);
  const units: (Unit | undefined)[] = [];
  calls.forEach((call, at) => {
    const first = firstOf(calls, operands, at);
    const shape = first === undefined ? shapeOf(call) : pairShape(calls[first] as KernelCall, call);
    if (!shape) {
      units.push({ at, ...operands[at]!, together: undefined });
      return;
    }
    if (first !== undefined) units[first] = undefined;
    const from = (calls[first ?? at] as KernelCall).bindings["in"] as Placement;
    const member = { in: from, out: call.bindings["out"] as Placement, label: call.label };
    const together = { shape, members: [member], at, others: first === undefined ? [] : [first] };
    units.push({ at, reads: [member.in], writes: [member.out], together });
  });
  return units.filter((unit) => unit !== undefined);
}

/** The position of the reduction that the one at `at` goes on with, where both can be one. */
function firstOf(calls: readonly KernelCall[], operands: readonly AllOperands[], at: number): number | undefined {
  const second = calls[at] as KernelCall;
  const between = second.kernel === "reduce" ? (second.bindings["in"] as Placement) : undefined;
  if (between?.region.kind !== "arena") return undefined;
  const meets = (each: Placement) => overlap(each, between);
  let first = at - 1;
  while (first >= at - NEAR && first >= 0 && !operands[first]!.writes.some(meets)) first--;
  if (first < 0 || first < at - NEAR || !pairShape(calls[first] as KernelCall, second)) return undefined;
  const { reads, writes } = operands[first]!;
  if (writes[0]?.offset !== between.offset || writes[0].length !== between.length) return undefined;
  // Also what the second writes: of one dispatch, some workgroups write while others read.
  for (let i = first + 1; i <= at; i++) if (anyOverlap(operands[i]!.writes, reads)) return undefined;
  return isReadElsewhere(between, operands, first, at) ? undefined : first;
}

/** Whether what the call at `first` writes there is read by others than the call at `at`, before it is overwritten. */
function isReadElsewhere(place: Placement, operands: readonly AllOperands[], first: number, at: number): boolean {
  let left = [place];
  for (let i = first + 1; i < operands.length && left.length > 0; i++) {
    const { reads, filled } = operands[i]!;
    if (i !== at && anyOverlap(reads, left)) return true;
    for (const each of filled) left = left.flatMap((part) => without(part, each));
  }
  return false;
}

/** What is left of a place where another is overwritten. */
function without(place: Placement, gone: Placement): Placement[] {
  if (!overlap(place, gone)) return [place];
  const [end, from] = [place.offset + place.length, gone.offset + gone.length];
  const parts = [
    { ...place, length: gone.offset - place.offset },
    { ...place, offset: from, length: end - from },
  ];
  return parts.filter(({ length }) => length > 0);
}

/** Of a call of `reduce` that may run together with others. */
function shapeOf({ kernel, parameters }: KernelCall): TogetherShape | undefined {
  const { outer = 1, reduced = 1, inner = 1, kind = 0, scale = 1 } = parameters;
  const name = reductions[kind];
  if (kernel !== "reduce" || name === "max" || (inner === 1 && outer * reduced > LARGEST_ROWS)) return undefined;
  return { outer, reduced, inner, within: 1, squares: name === "sumOfSquares", scale };
}

/** Of sums over `reduced` that are then added up with their neighbours. */
function pairShape(first: KernelCall, second: KernelCall): TogetherShape | undefined {
  const [shape, then] = [shapeOf(first), shapeOf(second)];
  if (!shape || !then || shape.inner === 1 || then.inner !== 1 || then.squares) return undefined;
  const within = then.reduced;
  if (shape.inner % within !== 0 || within > MOST_WITHIN) return undefined;
  return { ...shape, within, scale: shape.scale * then.scale };
}

/** Puts the reduction into one of `units` before it, at the position of either. */
function joinWithOther(units: Unit[], unit: Unit): boolean {
  const { shape, members, at, others } = unit.together as Together;
  for (let i = units.length - 1; i >= 0 && i >= units.length - NEAR; i--) {
    const other = units[i] as Unit;
    if (!other.together || !isAlike(other.together.shape, shape) || areDependent(other, unit)) continue;
    if (other.together.members.length + members.length > MOST_MEMBERS) continue;
    const between = units.slice(i + 1);
    const isEarly = between.every((each) => !areDependent(each, unit));
    if (!isEarly && !between.every((each) => !areDependent(each, other))) continue;
    const [now, gone] = isEarly ? [other.at, at] : [at, other.at];
    const both: Unit = {
      at: now,
      reads: [...other.reads, ...unit.reads],
      writes: [...other.writes, ...unit.writes],
      together: {
        shape,
        members: [...other.together.members, ...members],
        at: now,
        others: [...other.together.others, ...others, gone],
      },
    };
    if (isEarly) units[i] = both;
    else {
      units.splice(i, 1);
      units.push(both);
    }
    return true;
  }
  return false;
}

const isAlike = (a: TogetherShape, b: TogetherShape) =>
  Object.entries(a).every(([name, value]) => b[name as keyof TogetherShape] === value);

type Operands = Pick<Unit, "reads" | "writes">;

/** `filled`: what of the writes leaves no element as it was. */
interface AllOperands extends Operands {
  readonly filled: readonly Placement[];
}

/** Whether one of the two must run before the other. */
const areDependent = (a: Operands, b: Operands) =>
  anyOverlap(a.writes, b.reads) || anyOverlap(a.reads, b.writes) || anyOverlap(a.writes, b.writes);

const anyOverlap = (some: readonly Placement[], others: readonly Placement[]) =>
  some.some((each) => others.some((other) => overlap(each, other)));

const overlap = (a: Placement, b: Placement) =>
  a.offset < b.offset + b.length && b.offset < a.offset + a.length && regionKey(a.region) === regionKey(b.region);

/** Kernels that write every element of their results. */
const FILLING = /^(linear|convolve|reduce|elementwise)$/;

/** What a call reads and writes; what a kernel may keep of what it writes is read too. */
function operandsOf({ kernel, bindings, chain }: KernelCall): AllOperands {
  const declared = kernels[kernel]?.bindings;
  const fills = FILLING.test(kernel);
  const own = (accepts: (access: string | undefined) => boolean) =>
    Object.entries(bindings).flatMap(([name, placement]) => (accepts(declared?.[name]?.access) ? placement : []));
  const [loads, stores] = [chain?.loads ?? [], chain?.stores ?? []];
  const placed = (operands: readonly { readonly placement: Placement }[]) => operands.map(({ placement }) => placement);
  const results = own((access) => access !== "read");
  return {
    reads: [...own((access) => access === "read" || !fills), ...placed(loads)],
    writes: [...results, ...placed(stores)],
    filled: [...(fills ? results : []), ...placed(stores.filter(({ stride = 1 }) => stride === 1))],
  };
}
