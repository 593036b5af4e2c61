/**
 * Runs a program call by call, every kernel as plainly as it can be written, and refuses what no backend has to
 * support: reads of memory that nothing wrote, operands that overlap, ranges outside their region, more bindings than
 * the limits. Memory holds f32 and u32 bits; sums are f64.
 */
import { sizeOf } from "../../src/graph/node.ts";
import type { HostTensor, OpDefinition } from "../../src/graph/op.ts";
import { activationKinds } from "../../src/kernels/elementwise.ts";
import { MAX_WORKGROUPS } from "../../src/kernels/kernel.ts";
import { type RandomKind, randomKinds } from "../../src/kernels/random.ts";
import { kernels } from "../../src/kernels/registry.ts";
import { activation } from "../../src/ops/activation.ts";
import { arithmeticOps } from "../../src/ops/arithmetic.ts";
import { randomBits, randomNumber } from "../../src/ops/threefry.ts";
import type {
  ElementwiseOperand,
  KernelCall,
  Placement,
  PlanLimits,
  Program,
  Region,
} from "../../src/schedule/program.ts";

/** A region's memory and which elements of it have been written. */
interface Memory {
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly written: Uint8Array;
}

type Parameters = Readonly<Record<string, number>>;

function memory(length: number, isWritten: boolean): Memory {
  const f32 = new Float32Array(length).fill(Number.NaN);
  return { f32, u32: new Uint32Array(f32.buffer), written: new Uint8Array(length).fill(isWritten ? 1 : 0) };
}

/** The state after one run. */
export function interpret(
  program: Program,
  state: ReadonlyMap<string, HostTensor>,
  limits: PlanLimits,
): Map<string, HostTensor> {
  const regions = new Map<string, Memory>();
  program.arenas.forEach((length, index) => {
    regions.set(keyOf({ kind: "arena", index }), memory(length, false));
  });
  for (const { name, shape, dtype } of program.state) {
    const given = state.get(name);
    const held = memory(sizeOf(shape), given !== undefined);
    if (given) held[dtype].set(given.data);
    regions.set(keyOf({ kind: "state", name }), held);
  }
  const constants = memory(program.constants.length, true);
  constants.u32.set(program.constants);
  regions.set(keyOf({ kind: "constants" }), constants);

  for (const call of program.calls) {
    try {
      check(call, limits);
      if (call.chain) runChain(call, regions);
      else runKernel(call, regions);
    } catch (cause) {
      throw new Error(`call "${call.label}": ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
  return new Map(
    program.state.map(({ name, shape, dtype }) => {
      const held = regions.get(keyOf({ kind: "state", name })) as Memory;
      return [name, { shape, data: Float64Array.from(held[dtype]) }];
    }),
  );
}

const keyOf = (region: Region) =>
  region.kind === "arena" ? `arena ${region.index}` : region.kind === "state" ? `state ${region.name}` : "constants";

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

const sameRegion = (a: Placement, b: Placement) => keyOf(a.region) === keyOf(b.region);
const overlaps = (a: Placement, b: Placement) =>
  sameRegion(a, b) && a.offset < b.offset + b.length && b.offset < a.offset + a.length;

function check(call: KernelCall, limits: PlanLimits): void {
  if (call.chain) {
    const { count, loads, stores } = call.chain;
    const places = [...loads, ...stores].map(({ placement }) => placement);
    const bindings = new Set(places.map(({ region }) => keyOf(region))).size;
    demand(bindings <= limits.maxStorageBindings, `${bindings} bindings`);
    demand(stores.length > 0, "no stores");
    stores.forEach((store, i) => {
      demand(store.placement.length === count, "a store of another length");
      for (const other of stores.slice(0, i)) demand(!overlaps(store.placement, other.placement), "stores overlap");
      for (const { placement, divisor, modulus } of loads) {
        if (!overlaps(placement, store.placement)) continue;
        const equal = placement.offset === store.placement.offset && placement.length === store.placement.length;
        demand(equal && divisor === 1 && modulus === count, "a store overwrites what another element loads");
      }
    });
    return;
  }
  const declaration = kernels[call.kernel];
  demand(declaration !== undefined, "no such kernel");
  const fields = Object.keys(declaration.parameters);
  const expected = fields.filter((field) => !field.endsWith("Offset")).sort();
  const given = Object.keys({ ...declaration.defaults, ...call.parameters }).sort();
  demand(given.join() === expected.join(), "parameters are not the kernel's");
  for (const name of Object.keys(call.bindings)) demand(name in declaration.bindings, `no binding ${name}`);
  const bound = Object.entries(declaration.bindings).flatMap(([name, binding]) => {
    const placement = call.bindings[name];
    demand(placement !== undefined || binding.optional === true, `binding ${name} is missing`);
    return placement ? [{ placement, access: binding.access }] : [];
  });
  demand(bound.length <= limits.maxStorageBindings, "too many bindings");
  for (const { placement, access } of bound) {
    if (access !== "write") continue;
    for (const other of bound) {
      if (other.placement === placement) continue;
      demand(!overlaps(other.placement, placement), "a result overlaps an operand");
      demand(!(limits.separateReadAndWrite && sameRegion(other.placement, placement)), "one region read and written");
    }
  }
  for (const size of declaration.workgroups(call.parameters)) demand(size <= MAX_WORKGROUPS, "too many workgroups");
}

type Regions = ReadonlyMap<string, Memory>;

function locate(regions: Regions, { region, offset, length }: Placement): Memory {
  const held = regions.get(keyOf(region));
  demand(held !== undefined, `no region ${keyOf(region)}`);
  demand(Number.isInteger(offset) && offset >= 0 && offset + length <= held.f32.length, `outside ${keyOf(region)}`);
  return held;
}

/** An operand: reads and writes by element, in f64. */
function access(regions: Regions, placement: Placement, dtype: "f32" | "u32") {
  const held = locate(regions, placement);
  const index = (i: number) => {
    demand(i >= 0 && i < placement.length, `element ${i} of ${placement.length}`);
    return placement.offset + i;
  };
  return {
    get(i: number): number {
      const at = index(i);
      demand(held.written[at] === 1, `reads ${keyOf(placement.region)}[${at}], which nothing wrote`);
      return held[dtype][at] as number;
    },
    set(i: number, value: number): void {
      const at = index(i);
      held[dtype][at] = value;
      held.written[at] = 1;
    },
  };
}

const functions = new Map<string, (...operands: readonly Float64Array[]) => Float64Array>([
  ...arithmeticOps().map(([{ op }]): [string, ReturnType<typeof functionOf>] => [op.name, functionOf(op, null)]),
  ...activationKinds.flatMap((kind) =>
    [0, 1, 2, 3].map((order): [string, ReturnType<typeof functionOf>] => [
      `${kind}${order}`,
      functionOf(activation.op as OpDefinition<never>, { kind, order } as never),
    ]),
  ),
]);

function functionOf<Attributes>(op: OpDefinition<Attributes>, attributes: Attributes) {
  return (...operands: readonly Float64Array[]): Float64Array => {
    const inputs = operands.map((data) => ({ shape: [data.length], data }));
    return op.reference(inputs, attributes, (inputs[0] as HostTensor).shape).data;
  };
}

function runChain({ chain }: KernelCall, regions: Regions): void {
  const { count, loads, steps, stores } = chain as NonNullable<KernelCall["chain"]>;
  const loaded = loads.map(({ placement, divisor, modulus, dtype }) => {
    const from = access(regions, placement, dtype);
    return Float64Array.from({ length: count }, (_, i) => from.get(Math.floor(i / divisor) % modulus));
  });
  const results: Float64Array[] = [];
  const operandValue = (operand: ElementwiseOperand): Float64Array => {
    if (operand.from === "constant") return new Float64Array(count).fill(operand.value);
    const value = operand.from === "load" ? loaded[operand.index] : results[operand.index];
    demand(value !== undefined, `no ${operand.from} ${operand.index} before it is used`);
    return value;
  };
  for (const step of steps) {
    const compute = functions.get(step.function);
    demand(compute !== undefined, `no function ${step.function}`);
    results.push(compute(...step.operands.map(operandValue)));
  }
  for (const { placement, source, dtype } of stores) {
    const values = operandValue(source);
    const to = access(regions, placement, dtype);
    values.forEach((value, i) => {
      to.set(i, value);
    });
  }
}

type Operand = (name: string) => ReturnType<typeof access>;

function runKernel({ kernel, parameters, bindings }: KernelCall, regions: Regions): void {
  const declared = kernels[kernel]?.bindings ?? {};
  const operand: Operand = (name) => {
    const element = declared[name]?.element as "f32" | "u32";
    return access(regions, bindings[name] as Placement, element);
  };
  const run = naive[kernel];
  demand(run !== undefined, "no such kernel");
  run(parameters, operand, regions, bindings);
}

type Naive = (p: Parameters, operand: Operand, regions: Regions, bindings: KernelCall["bindings"]) => void;

const naive: Readonly<Record<string, Naive>> = {
  linear(p, operand) {
    const { rows = 0, columns = 0, depth = 0, transposeLeft, transposeRight, biasRows = 0, hasAddend, activation } = p;
    const [left, right, out] = [operand("left"), operand("right"), operand("out")];
    const bias = biasRows > 0 ? operand("bias") : undefined;
    const addend = hasAddend ? operand("addend") : undefined;
    const apply = activation ? functions.get(`${activationKinds[activation - 1]}0`) : undefined;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let k = 0; k < depth; k++) {
          const a = left.get(transposeLeft ? k * rows + r : r * depth + k);
          sum += a * right.get(transposeRight ? c * depth + k : k * columns + c);
        }
        if (bias && r < biasRows) sum += bias.get(c);
        if (addend) sum += addend.get(r * columns + c);
        out.set(r * columns + c, apply ? (apply(Float64Array.of(sum))[0] as number) : sum);
      }
    }
  },
  reduce({ outer = 0, reduced = 0, inner = 0, kind, scale = 1 }, operand) {
    const [from, out] = [operand("in"), operand("out")];
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = kind === 0 ? 0 : Number.NEGATIVE_INFINITY;
        for (let r = 0; r < reduced; r++) {
          const value = from.get((o * reduced + r) * inner + i);
          total = kind === 0 ? total + value : Math.max(total, value);
        }
        out.set(o * inner + i, scale * total);
      }
    }
  },
  random({ count = 0, kind = 0, stream = 0, bound = 0 }, operand, regions, bindings) {
    const name = randomKinds[kind] as RandomKind;
    const [seed, counter] = [operand("seed"), operand("counter")];
    const integers = name === "bits" || name === "index";
    const out = access(regions, bindings["out"] as Placement, integers ? "u32" : "f32");
    randomBits([seed.get(0), seed.get(1)], stream, counter.get(0), count).forEach((word, i) => {
      out.set(i, randomNumber(name, word, bound));
    });
  },
  copy(p, operand) {
    const [source, target] = [operand("source"), operand("target")];
    const of = (name: string) => [0, 1, 2, 3].map((k) => p[`${name}${k}`] as number);
    const [sizes, from, to] = [of("size"), of("sourceStride"), of("targetStride")];
    const walk = (axis: number, at: number, place: number): void => {
      if (axis === 4) target.set(place, source.get(at));
      else {
        for (let i = 0; i < (sizes[axis] as number); i++) {
          walk(axis + 1, at + i * (from[axis] as number), place + i * (to[axis] as number));
        }
      }
    };
    walk(0, p["sourceStart"] as number, p["targetStart"] as number);
  },
  gather({ count = 0, width = 0, rows = 0 }, operand) {
    const [table, indices, out] = [operand("table"), operand("indices"), operand("out")];
    for (let m = 0; m < count; m++) {
      demand(indices.get(m) < rows, "an index outside the table");
      for (let k = 0; k < width; k++) out.set(m * width + k, table.get(indices.get(m) * width + k));
    }
  },
  scatterAdd({ count = 0, width = 0, rows = 0 }, operand) {
    const [values, indices, out] = [operand("values"), operand("indices"), operand("out")];
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < width; k++) {
        let sum = 0;
        for (let m = 0; m < count; m++) if (indices.get(m) === n) sum += values.get(m * width + k);
        out.set(n * width + k, sum);
      }
    }
  },
  replaceRow({ rows = 0, width = 0 }, operand) {
    const [index, row, table] = [operand("index"), operand("row"), operand("table")];
    for (let k = 0; k < width; k++) table.set((index.get(0) % rows) * width + k, row.get(k));
  },
};
