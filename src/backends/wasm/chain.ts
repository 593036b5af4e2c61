/**
 * An elementwise chain as the tables of words that wasm/elementwise.ts runs. Values live in memory where they are read
 * or stored in order, else in slots: blocks of scratch, shared out by liveness so that few are needed and all stay in
 * L1.
 */
import { elementwiseOpcodes } from "../../kernels/elementwise.ts";
import type {
  ElementwiseChain,
  ElementwiseLoad,
  ElementwiseOperand,
  Placement,
  Region,
} from "../../schedule/program.ts";

/** Elements of a block: as in wasm/elementwise.ts. */
const BLOCK = 512;
const BLOCK_BYTES = BLOCK * 4;
const VECTOR_BYTES = 16;
/** out = a: the opcode after the functions'. */
const STORE = Object.keys(elementwiseOpcodes).length;

/** Where a value is, as a step's operand: block k begins at address + k blockStride. */
interface Place {
  /** Bytes; in scratch, from its start on. */
  readonly address: number;
  readonly inScratch: boolean;
  readonly vectorStep: number;
  readonly blockStride: number;
}

interface Spread {
  readonly load: ElementwiseLoad;
  readonly place: Place;
}

interface Step {
  readonly opcode: number;
  readonly out: Place;
  readonly operands: readonly Place[];
}

/** A chain with its memory laid out, but for the address of its scratch. */
export interface LaidOutChain {
  readonly parameterBytes: number;
  /** Bytes of slots and cells; the chain's own, kept between runs because constants lie in it. */
  readonly scratchBytes: number;
  /** Writes constants to scratch and the tables to `parameters`. */
  write(parameters: Uint32Array, scratch: Uint32Array, scratchAddress: number): void;
}

/** @param addressOf - the byte address of a placement. */
export function layOutChain(chain: ElementwiseChain, addressOf: (placement: Placement) => number): LaidOutChain {
  const { count } = chain;
  const plan = planStores(chain);
  const slots = new Slots();
  const cells: (number | ElementwiseLoad)[] = []; // a constant's bits, or the load of one element
  const spreads: Spread[] = [];

  // Cells follow the slots, whose number is known at the end: until then they have negative addresses.
  const cell = (content: number | ElementwiseLoad): Place => {
    cells.push(content);
    return { address: -cells.length, inScratch: true, vectorStep: 0, blockStride: 0 };
  };
  const inMemory = (placement: Placement): Place => ({
    address: addressOf(placement),
    inScratch: false,
    vectorStep: VECTOR_BYTES,
    blockStride: BLOCK_BYTES,
  });

  const loads = chain.loads.map((load, index): Place => {
    if (isScalar(load, count)) return cell(load);
    if (isInOrder(load, count) && !plan.loadsToCopy.has(index)) return inMemory(load.placement);
    const place = slots.take();
    spreads.push({ load, place });
    return place;
  });
  const results: Place[] = [];
  const placeOf = (operand: ElementwiseOperand, isInteger: boolean): Place => {
    if (operand.from === "constant") return cell(bitsOf(operand.value, isInteger));
    return (operand.from === "load" ? loads : results)[operand.index] as Place;
  };

  const lastUse = lastUses(chain, plan.direct);
  const release = (at: number) => {
    for (const place of lastUse.get(at)?.map(({ from, index }) => (from === "load" ? loads : results)[index]) ?? []) {
      slots.release(place as Place);
    }
  };
  const steps = chain.steps.map((step, k): Step => {
    const operands = step.operands.map((operand, i) => placeOf(operand, readsInteger(step.function, i, step.dtype)));
    const direct = plan.direct.get(k);
    release(k); // before the result's place is taken: a loop may write over what it reads
    const out = direct ? inMemory(direct) : slots.take();
    results.push(out);
    return { opcode: elementwiseOpcodes[step.function] as number, out, operands };
  });
  for (const { placement, source, dtype } of plan.atEnd) {
    steps.push({ opcode: STORE, out: inMemory(placement), operands: [placeOf(source, dtype === "u32")] });
  }

  const cellsStart = slots.count * BLOCK_BYTES;
  const scalarCells = cells.filter((content) => typeof content === "object").length;
  return {
    parameterBytes: 4 * (4 + 2 * scalarCells + 4 * spreads.length + 12 * steps.length),
    scratchBytes: cellsStart + cells.length * VECTOR_BYTES,
    write(parameters, scratch, scratchAddress) {
      const addressIn = ({ address, inScratch }: Place): number => {
        if (!inScratch) return address;
        return scratchAddress + (address >= 0 ? address : cellsStart + (-address - 1) * VECTOR_BYTES);
      };
      const words = [count, scalarCells, spreads.length, steps.length];
      cells.forEach((content, i) => {
        const start = cellsStart + i * VECTOR_BYTES;
        if (typeof content === "number") scratch.fill(content, start / 4, start / 4 + 4);
        else words.push(addressOf(content.placement), scratchAddress + start);
      });
      for (const { load, place } of spreads) {
        words.push(addressOf(load.placement), load.divisor, load.modulus, addressIn(place));
      }
      for (const { opcode, out, operands } of steps) {
        words.push(opcode, addressIn(out), out.blockStride);
        for (let i = 0; i < 3; i++) {
          const place = operands[i];
          words.push(...(place ? [addressIn(place), place.vectorStep, place.blockStride] : [0, 0, 0]));
        }
      }
      parameters.set(words);
    },
  };
}

/** One element for all: a scalar, or a chain of one. */
function isScalar({ divisor, modulus }: ElementwiseLoad, count: number): boolean {
  return modulus === 1 || divisor >= count;
}

function isInOrder({ divisor, modulus }: ElementwiseLoad, count: number): boolean {
  return divisor === 1 && modulus >= count;
}

interface StorePlan {
  /** By step: the placement that it writes straight to. */
  readonly direct: ReadonlyMap<number, Placement>;
  /** Stores made after all steps, in this order. */
  readonly atEnd: ElementwiseChain["stores"];
  /** Loads that a store at the end overwrites before another has read them: copied to a slot first. */
  readonly loadsToCopy: ReadonlySet<number>;
}

/** Which steps may write where their result is stored: not over a load that something later in the chain reads. */
function planStores({ loads, steps, stores }: ElementwiseChain): StorePlan {
  const lastRead = loads.map((_, load) =>
    stores.some(({ source }) => isLoad(source, load))
      ? Infinity
      : steps.findLastIndex(({ operands }) => operands.some((operand) => isLoad(operand, load))),
  );
  const direct = new Map<number, Placement>();
  const atEnd: ElementwiseChain["stores"][number][] = [];
  for (const store of stores) {
    const { source, placement } = store;
    const step = source.from === "step" ? source.index : -1;
    const overwrites = loads.some((load, i) => overlap(load.placement, placement) && (lastRead[i] as number) > step);
    if (step >= 0 && !direct.has(step) && !overwrites) direct.set(step, placement);
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

interface Use {
  readonly from: "step" | "load" | "product";
  readonly index: number;
}

/** By step: the loads and steps whose values nothing after that step reads. Those stored at the end live on. */
function lastUses({ steps, stores }: ElementwiseChain, direct: ReadonlyMap<number, Placement>): Map<number, Use[]> {
  const last = new Map<string, { at: number; use: Use }>();
  steps.forEach(({ operands }, at) => {
    for (const operand of operands) {
      if (operand.from !== "constant") last.set(`${operand.from} ${operand.index}`, { at, use: operand });
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

function readsInteger(name: string, operand: number, dtype: string): boolean {
  if (name === "toFloat" || name === "increment") return true;
  return name === "select" && operand > 0 && dtype === "u32";
}

/** The 32 bits of an immediate. */
function bitsOf(value: number, isInteger: boolean): number {
  return isInteger ? value >>> 0 : (new Uint32Array(Float32Array.of(value).buffer)[0] as number);
}

/** Blocks of scratch, the one freed last taken first: it is in L1. */
class Slots {
  count = 0;
  readonly #free: Place[] = [];

  take(): Place {
    const free = this.#free.pop();
    if (free) return free;
    const address = this.count++ * BLOCK_BYTES;
    return { address, inScratch: true, vectorStep: VECTOR_BYTES, blockStride: 0 };
  }

  /** Places that are no slots are left alone. */
  release(place: Place): void {
    if (place.inScratch && place.vectorStep > 0) this.#free.push(place);
  }
}
