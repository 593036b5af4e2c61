/**
 * The body of a fused chain as WGSL: calls, one line a step, of the hand-written functions of shaders/elementwise.wgsl,
 * activation.wgsl and random.wgsl. Sizes and offsets are parameters, so chains that differ only in these share code.
 *
 * Each region that a chain touches is bound once, as bits: it may hold f32 and u32; or as f16.
 */
import { shaders } from "../../generated/shaders.ts";
import { elementwiseFunctions, randomFunctions } from "../../kernels/elementwise.ts";
import type {
  ElementwiseChain,
  ElementwiseLoad,
  ElementwiseOperand,
  ElementwiseStep,
  ElementwiseStore,
  RandomDraw,
} from "../../schedule/program.ts";
import { arrayOf, isHalf, type Operand, regionKey } from "./dispatch.ts";

type DType = ElementwiseStep["dtype"];

/** The text of all functions that chains call. */
export const chainFunctions = [shaders["elementwise"]!, shaders["activation"]!, shaders["random"]!];

/** A chain whose operands may lie in scratch too. */
export interface RegionChain extends Pick<ElementwiseChain, "count" | "steps"> {
  readonly loads: readonly RegionLoad[];
  readonly stores: readonly RegionStore[];
  /** Of a chain over quads whose last is not whole: stores keep what lies where `within` is false. */
  readonly masked?: boolean;
}

type RegionLoad = Omit<ElementwiseLoad, "placement"> & {
  readonly placement: Operand;
  /** Of a chain over quads: its index counts elements, and a quad reads one. */
  readonly single?: boolean;
};
type RegionStore = Omit<ElementwiseStore, "placement"> & { readonly placement: Operand };

/** What a chain's text needs around it. */
export interface ChainSource {
  /** The regions it touches, in the order of their numbers: `region0`, `region1`. */
  readonly regions: readonly { readonly region: Operand["region"]; readonly type: string; readonly written: boolean }[];
  /** Fields of the uniform `params`, all u32, and what they are. */
  readonly fields: ReadonlyMap<string, number>;
  /** Statements on element `i`; where the chain lies in a matrix of `columns`, `row` and `column` are at hand too. */
  readonly lines: readonly string[];
}

/** `columns`: of the product whose epilogue this is. */
export function chainSource(chain: RegionChain, columns?: number): ChainSource {
  const regions = regionsOf(chain);
  const keys = regions.map(({ region }) => regionKey(region));
  const bindingOf = (region: Operand["region"]) => `region${keys.indexOf(regionKey(region))}`;
  const fields = new Map<string, number>();
  const parameter: Parameter = (name, value) => {
    fields.set(name, value);
    return `params.${name}`;
  };

  const lines = chain.loads.map((load, k) => {
    const at = loadIndex(load, chain.count, columns, `load${k}`, parameter);
    const binding = bindingOf(load.placement.region);
    const word = load.single ? `u32(${binding}[(${at}) >> QUAD_BITS][(${at}) & QUAD_MASK])` : `${binding}[${at}]`;
    return `let load${k} = ${loaded(word, load)};`;
  });
  const decays = new Map<string, string>();
  chain.steps.forEach((step, k) => {
    if (!/^silu[012]$/.test(step.function)) {
      lines.push(`let step${k} = ${step.random ? drawOf(step, step.random, k, parameter) : callOf(step, k)};`);
      return;
    }
    const x = textOf(step.operands[0]!, "f32");
    const decay = decays.get(x) ?? `decay${k}`;
    if (!decays.has(x)) lines.push(`let ${decay} = decay(${x});`);
    decays.set(x, decay);
    lines.push(`let step${k} = ${step.function}Of(${x}, ${decay});`);
  });
  chain.stores.forEach((store, k) => {
    const at = `${bindingOf(store.placement.region)}[${storeIndex(store, columns, `store${k}`, parameter)}]`;
    const value = stored(textOf(store.source, store.dtype), store);
    lines.push(`${at} = ${chain.masked ? `select(${at}, ${value}, within)` : value};`);
  });
  return { regions, fields, lines };
}

/** Sets a field of the uniform; gives the text that reads it. */
type Parameter = (name: string, value: number) => string;

/** The regions of loads and stores, each once. */
function regionsOf({ loads, stores }: RegionChain): ChainSource["regions"] {
  const written = new Set(stores.map(({ placement }) => regionKey(placement.region)));
  const all = new Map([...loads, ...stores].map(({ placement: { region } }) => [regionKey(region), region]));
  return [...all].map(([key, region]) => ({ region, type: arrayOf(region), written: written.has(key) }));
}

/** offset + (floor(i / divisor) mod modulus) stride for each term, without the parts that change nothing. */
function loadIndex(
  { placement, terms = [], ...first }: RegionLoad,
  count: number,
  columns: number | undefined,
  name: string,
  parameter: Parameter,
): string {
  let result = parameter(`${name}Offset`, placement.offset);
  [first, ...terms].forEach((term, k) => {
    result = termIndex(result, term, count, columns, k === 0 ? name : `${name}Term${k}`, parameter);
  });
  return result;
}

function termIndex(
  offset: string,
  { divisor, modulus, stride = 1 }: Pick<RegionLoad, "divisor" | "modulus" | "stride">,
  count: number,
  columns: number | undefined,
  name: string,
  parameter: Parameter,
): string {
  if (modulus === 1) return offset;
  const quotient = (): string => {
    if (divisor === 1) return "i";
    return divisor === columns ? "row" : `i / ${parameter(`${name}Divisor`, divisor)}`;
  };
  const remainder = (): string => {
    if (modulus >= Math.ceil(count / divisor)) return quotient();
    if (divisor === 1 && modulus === columns) return "column";
    const dividend = quotient();
    return `${dividend.includes(" ") ? `(${dividend})` : dividend} % ${parameter(`${name}Modulus`, modulus)}`;
  };
  return at(offset, remainder(), stride, name, parameter);
}

/** offset + floor(i / width) stride + i mod width. */
function storeIndex(
  { placement, stride = 1, width = 1 }: RegionStore,
  columns: number | undefined,
  name: string,
  parameter: Parameter,
): string {
  const offset = parameter(`${name}Offset`, placement.offset);
  if (width === 1) return at(offset, "i", stride, name, parameter);
  const divisor = parameter(`${name}Width`, width);
  const [row, column] = width === columns ? ["row", "column"] : [`i / ${divisor}`, `i % ${divisor}`];
  return `${at(offset, row, stride, name, parameter)} + ${column}`;
}

function at(offset: string, index: string, stride: number, name: string, parameter: Parameter): string {
  if (stride === 1) return `${offset} + ${index}`;
  const factor = index.includes(" ") ? `(${index})` : index;
  return `${offset} + ${factor} * ${parameter(`${name}Stride`, stride)}`;
}

/** Element i of the chain is element i stride + offset of the stream. */
function drawOf({ function: name, operands }: ElementwiseStep, draw: RandomDraw, k: number, parameter: Parameter) {
  if (!randomFunctions.some((each) => each === name) || operands.length !== 3) {
    throw new Error(`Step ${k} of a chain draws "${name}" from ${operands.length} operands.`);
  }
  const { stream, bound, stride, offset } = draw;
  const scaled = stride === 1 ? "i" : `i * ${parameter(`step${k}Stride`, stride)}`;
  const element = offset === 0 ? scaled : `${scaled} + ${parameter(`step${k}First`, offset)}`;
  const key = operands.map((operand) => textOf(operand, "u32"));
  const values = [...key, parameter(`step${k}Stream`, stream), element];
  if (name === "randomIndex") values.push(parameter(`step${k}Bound`, bound));
  return `${name}(${values.join(", ")})`;
}

function callOf({ function: name, operands, dtype }: ElementwiseStep, k: number): string {
  if (elementwiseFunctions[name] !== operands.length) {
    throw new Error(`Step ${k} of a chain calls "${name}" with ${operands.length} operands.`);
  }
  const texts = operands.map((operand, i) => textOf(operand, operandType(name, i, dtype)));
  if (name !== "select") return `${name}(${texts.join(", ")})`;
  return `select(${texts[2]}, ${texts[1]}, ${texts[0]} != 0.0)`;
}

function operandType(name: string, position: number, result: DType): DType {
  if (name === "toFloat" || name === "increment") return "u32";
  return name === "select" && position > 0 ? result : "f32";
}

function textOf(operand: ElementwiseOperand, dtype: DType): string {
  if (operand.from !== "constant") return `${operand.from}${operand.index}`;
  return dtype === "u32" ? `${operand.value >>> 0}u` : floatText(operand.value);
}

/** An f32 literal. WGSL has none for NaN and the infinities, nor lets an expression of constants give them. */
function floatText(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded)) return Object.is(rounded, -0) ? "-0.0f" : `${rounded}f`;
  return `fromBits(0x${new Uint32Array(Float32Array.of(rounded).buffer)[0]?.toString(16)}u)`;
}

function loaded(text: string, { placement, dtype }: RegionLoad): string {
  if (isHalf(placement.region)) return unscaled(`f32(${text})`, placement);
  return dtype === "u32" ? text : `bitcast<f32>(${text})`;
}

function stored(text: string, { placement, dtype }: RegionStore): string {
  const { region, scale = 1 } = placement;
  if (isHalf(region)) return `f16(inHalfRange(${text}${scale === 1 ? "" : ` * ${scale}.0`}))`;
  return dtype === "u32" ? text : `bitcast<u32>(${text})`;
}

/** The value that lies, scaled, at a placement; scales are powers of 2, so that this is exact. */
export function unscaled(text: string, ...placements: readonly Operand[]): string {
  const scale = placements.reduce((product, { scale = 1 }) => product * scale, 1);
  return scale === 1 ? text : `${text} * ${1 / scale}`;
}
