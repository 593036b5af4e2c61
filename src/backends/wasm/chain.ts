/**
 * An elementwise chain as the tables of words that wasm/elementwise.ts runs. Values live in memory where they are read
 * or stored in order, else in slots: blocks of a thread's scratch, shared out by liveness so that few are needed and
 * all stay in L1.
 */
import { activationKinds, elementwiseOpcodes, randomFunctions } from "../../kernels/elementwise.ts";
import type {
  ElementwiseChain,
  ElementwiseLoad,
  ElementwiseOperand,
  ElementwiseStep,
  Placement,
} from "../../schedule/program.ts";
import { bringTogether } from "./chain-results.ts";
import { lastUses, planStores } from "./chain-stores.ts";

/** Elements of a block: as in wasm/elementwise.ts. */
export const BLOCK = 512;
const BLOCK_BYTES = BLOCK * 4;
const VECTOR_BYTES = 16;

/** Opcodes after the functions', as in wasm/apply.ts. */
const STORE = Object.keys(elementwiseOpcodes).length;
/** The first of steps that are two in one, whose number chain-pairs.ts and wasm/apply.ts have. */
export const PAIR = STORE + 1;
const FIRST_SEVERAL = PAIR + 6;
const several = activationKinds.flatMap((kind) =>
  ["01", "12", "012"].map((orders) => [...orders].map((order) => kind + order).join(" ")),
);
/** Activations with their derivatives at one operand; relu and sin have nothing to share. */
const SEVERAL: Readonly<Record<string, number>> = Object.fromEntries(
  several.flatMap((names, i) => (/^(relu|sin)/.test(names) ? [] : [[names, FIRST_SEVERAL + i]])),
);
const RANDOM = FIRST_SEVERAL + several.length;
const STORE_STRIDED = RANDOM + randomFunctions.length;
export const SUM = STORE_STRIDED + 1;

/** A step that is no function of chains: its opcode says what it is. Of a sum, which call ends it; it has no result. */
export interface OwnStep extends ElementwiseStep {
  readonly opcode?: number;
  readonly call?: number;
}

/**
 * A chain; of a network's program in the form of network-calls.ts. What that reads in another order than its own, rows under every
 * row say, has a slot to itself, which blocks that read the same share.
 */
export interface OwnChain extends ElementwiseChain {
  readonly steps: readonly OwnStep[];
  /** Elements that blocks and units are whole multiples of, and that blocks do not go beyond a multiple of. */
  readonly row?: number;
  readonly period?: number;
}

/** Where a value is: the modes of wasm/elementwise.ts, in its order. */
const modes = ["memory", "product", "slot", "cell", "constant"] as const;
interface Place {
  readonly mode: (typeof modes)[number];
  /** In memory a byte address, of a product its row group, else bytes from the start of all slots, cells, constants. */
  readonly address: number;
}

interface Spread {
  readonly load: ElementwiseLoad;
  readonly place: Place;
}

interface Step {
  readonly opcode: number;
  /** Of a strided store: the stride; its width stands as the second operand's address. Of a random draw: its words. */
  readonly extra?: number | readonly number[];
  readonly call?: number | undefined;
  readonly out: Place;
  readonly operands: readonly Place[];
}

/** A chain with its memory laid out. */
export interface LaidOutChain {
  /** Bytes of tables and constants: the chain's own, which all threads read. */
  readonly bytes: number;
  /** Bytes of slots and cells, of each thread. */
  readonly scratchBytes: number;
  /** Writes the tables to `words`, which lie at `address`, a multiple of 16. `parametersOf`: the address of a call's. */
  write(words: Uint32Array, address: number, parametersOf: (call: number) => number): void;
}

const HEADER_WORDS = 6;
const SCALAR_WORDS = 2;
const SPREAD_WORDS = 6;
const STEP_WORDS = 10;
const NOWHERE: Place = { mode: "slot", address: 0 };

/** @param addressOf - the byte address of a placement. */
export function layOutChain(original: OwnChain, addressOf: (placement: Placement) => number): LaidOutChain {
  const { row = 0, period = 0 } = original;
  const chain: OwnChain = bringTogether(original, Object.keys(SEVERAL));
  const { count } = chain;
  const plan = planStores(chain);
  const slots = new Slots();
  const constants: number[] = [];
  const scalars: ElementwiseLoad[] = [];
  const spreads: Spread[] = [];
  const inMemory = (placement: Placement): Place => ({ mode: "memory", address: addressOf(placement) });

  const loads = chain.loads.map((load, index): Place => {
    if (isScalar(load, count)) return { mode: "cell", address: (scalars.push(load) - 1) * VECTOR_BYTES };
    if (isInOrder(load, count) && !plan.loadsToCopy.has(index)) return inMemory(load.placement);
    const place = slots.take();
    spreads.push({ load, place });
    return place;
  });
  const results: Place[] = [];
  const placeOf = (operand: ElementwiseOperand, isInteger: boolean): Place => {
    switch (operand.from) {
      case "constant":
        return { mode: "constant", address: (constants.push(bitsOf(operand.value, isInteger)) - 1) * VECTOR_BYTES };
      case "product":
        return { mode: "product", address: operand.index };
      case "load":
        return loads[operand.index] as Place;
      case "step":
        return results[operand.index] as Place;
    }
  };

  const lastUse = lastUses(chain, plan.direct);
  const steps: Step[] = [];
  for (let k = 0; k < chain.steps.length; ) {
    const together = severalFrom(chain.steps, k);
    const step = chain.steps[k] as OwnStep;
    const operands = step.operands.map((operand, i) => placeOf(operand, readsInteger(step, i)));
    const outs: Place[] = [];
    for (let i = 0; i < together; i++) {
      for (const { from, index } of lastUse.get(k + i) ?? []) {
        if (from === "load" && row) continue;
        slots.release((from === "load" ? loads : results)[index]); // first: a loop may write over what it reads
      }
    }
    for (let i = 0; i < together; i++) {
      const direct = plan.direct.get(k + i);
      outs.push(direct ? inMemory(direct) : step.call === undefined ? slots.take() : NOWHERE);
    }
    results.push(...outs);
    const [out = NOWHERE, ...others] = outs;
    const { opcode = opcodeOf(chain.steps.slice(k, k + together)), call } = step;
    steps.push({ opcode, call, out, operands: [...operands, ...others], ...(step.random && { extra: wordsOf(step) }) });
    k += together;
  }
  for (const { placement, source, dtype, stride = 1, width = 1 } of plan.atEnd) {
    const from = placeOf(source, dtype === "u32");
    const out = inMemory(placement);
    if (stride === 1) steps.push({ opcode: STORE, out, operands: [from] });
    else steps.push({ opcode: STORE_STRIDED, extra: stride, out, operands: [from, { mode: "slot", address: width }] });
  }

  const tableWords =
    HEADER_WORDS + SCALAR_WORDS * scalars.length + SPREAD_WORDS * spreads.length + STEP_WORDS * steps.length;
  const constantsStart = Math.ceil((tableWords * 4) / VECTOR_BYTES) * VECTOR_BYTES;
  const drawsStart = constantsStart + constants.length * VECTOR_BYTES;
  const draws = steps.flatMap(({ extra }) => (typeof extra === "object" ? [...extra] : []));
  const terms = spreads.map(({ load }) => termWords(load));
  const termsStart = drawsStart + draws.length * 4;
  const cellsStart = slots.count * BLOCK_BYTES;
  return {
    bytes: termsStart + terms.flat().length * 4,
    scratchBytes: cellsStart + scalars.length * VECTOR_BYTES,
    write(table, address, parametersOf) {
      const addressIn = ({ mode, address: at }: Place): number => {
        if (mode === "cell") return cellsStart + at;
        return mode === "constant" ? address + constantsStart + at : at;
      };
      const words = [count, row, period, scalars.length, spreads.length, steps.length];
      scalars.forEach((load, i) => {
        words.push(addressOf(load.placement), cellsStart + i * VECTOR_BYTES);
      });
      let term = address + termsStart;
      spreads.forEach(({ load, place }, i) => {
        const { length } = terms[i] as readonly number[];
        const { placement, divisor, modulus, stride = 1 } = load;
        words.push(addressOf(placement), divisor, modulus, stride, length > 0 ? term : 0, place.address);
        term += length * 4;
      });
      let draw = address + drawsStart;
      for (const { opcode, call, extra = call === undefined ? 0 : parametersOf(call), out, operands } of steps) {
        if (typeof extra === "number") words.push(opcode, extra);
        else {
          words.push(opcode, draw);
          draw += extra.length * 4;
        }
        for (const place of [out, operands[0], operands[1], operands[2]]) {
          const { mode } = place ?? NOWHERE;
          words.push(modes.indexOf(mode), addressIn(place ?? NOWHERE));
        }
      }
      table.set(words);
      constants.forEach((bits, i) => {
        const start = (constantsStart + i * VECTOR_BYTES) / 4;
        table.fill(bits, start, start + 4);
      });
      table.set(draws, drawsStart / 4);
      table.set(terms.flat(), termsStart / 4);
    },
  };
}

/** How many steps from `k` on are one step of the kernel's, with as many results: 1 for most. */
function severalFrom(steps: readonly ElementwiseStep[], k: number): number {
  for (const length of [3, 2]) {
    const group = steps.slice(k, k + length);
    if (group.length < length || !(namesOf(group) in SEVERAL)) continue;
    const first = JSON.stringify(group[0]?.operands);
    if (group.every(({ operands }) => JSON.stringify(operands) === first)) return length;
  }
  return 1;
}

function namesOf(steps: readonly ElementwiseStep[]): string {
  return steps.map((step) => step.function).join(" ");
}

function opcodeOf(steps: readonly ElementwiseStep[]): number {
  const name = namesOf(steps);
  const random = (randomFunctions as readonly string[]).indexOf(name);
  if (random >= 0) return RANDOM + random;
  return (steps.length > 1 ? SEVERAL[name] : elementwiseOpcodes[name]) as number;
}

/** The words of a draw that wasm/random.ts reads. */
function wordsOf({ random }: ElementwiseStep): number[] {
  return random ? [random.stream, random.bound, random.stride, random.offset] : [];
}

/** How many further terms a load has, and those. */
function termWords({ terms = [] }: ElementwiseLoad): number[] {
  if (terms.length === 0) return [];
  return [terms.length, ...terms.flatMap(({ divisor, modulus, stride }) => [divisor, modulus, stride])];
}

/** One element for all: a scalar, or a chain of one. */
function isScalar({ divisor, modulus, terms }: ElementwiseLoad, count: number): boolean {
  return !terms && (modulus === 1 || divisor >= count);
}

function isInOrder({ divisor, modulus, stride = 1 }: ElementwiseLoad, count: number): boolean {
  return divisor === 1 && modulus >= count && stride === 1;
}

function readsInteger({ function: name, dtype }: ElementwiseStep, operand: number): boolean {
  if (name === "toFloat" || name === "increment" || name.startsWith("random")) return true;
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
    return this.#free.pop() ?? { mode: "slot", address: this.count++ * BLOCK_BYTES };
  }

  /** Places that are no slots are left alone. */
  release(place: Place | undefined): void {
    if (place?.mode === "slot") this.#free.push(place);
  }
}
