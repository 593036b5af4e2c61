/**
 * Runs a program call by call, every kernel as plainly as it can be written, and refuses what no backend has to
 * support: reads of memory that nothing wrote, operands that overlap, ranges outside their region, more bindings than
 * the limits. Memory holds f32 and u32 bits, and what f16 has of a number where an arena is of f16; sums are f64.
 */
import { sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { type RandomKind, randomKinds } from "../../src/kernels/random.ts";
import { reductions } from "../../src/kernels/reduce.ts";
import { randomBits, randomNumber } from "../../src/ops/threefry.ts";
import type { KernelCall, Placement, PlanLimits, Program } from "../../src/schedule/program.ts";
import { windowIndex } from "../conformance/kernel-oracle.ts";
import { allKernels } from "../kernels.ts";
import { checkCall, demand, keyOf } from "./check-call.ts";
import { roundToHalf } from "./half.ts";
import { interpretAttention, interpretAttentionReverse } from "./interpret-attention.ts";
import { type Access, runChain } from "./interpret-chain.ts";
import { interpretFlow } from "./interpret-flow.ts";

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
  program.arenas.forEach((words, index) => {
    regions.set(keyOf({ kind: "arena", index }), memory(words, false));
    regions.set(keyOf({ kind: "arena", index, element: "f16" }), memory(2 * words, false));
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
      checkCall(call, limits);
      const place = (placement: Placement, dtype: "f32" | "u32") => access(regions, placement, dtype);
      if (call.kernel === "elementwise") runChain(call.chain as NonNullable<typeof call.chain>, place);
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

type Regions = ReadonlyMap<string, Memory>;

function locate(regions: Regions, { region, offset, length }: Placement): Memory {
  const held = regions.get(keyOf(region));
  demand(held !== undefined, `no region ${keyOf(region)}`);
  demand(Number.isInteger(offset) && offset >= 0 && offset + length <= held.f32.length, `outside ${keyOf(region)}`);
  return held;
}

/** An operand: reads and writes by element, in f64. */
function access(regions: Regions, placement: Placement, dtype: "f32" | "u32"): Access {
  const held = locate(regions, placement);
  const { region, scale = 1 } = placement;
  const isHalf = region.kind === "arena" && region.element !== undefined;
  const index = (i: number) => {
    demand(i >= 0 && i < placement.length, `element ${i} of ${placement.length}`);
    return placement.offset + i;
  };
  return {
    length: placement.length,
    get(i: number): number {
      const at = index(i);
      demand(held.written[at] === 1, `reads ${keyOf(placement.region)}[${at}], which nothing wrote`);
      return (held[dtype][at] as number) / scale;
    },
    set(i: number, value: number): void {
      const at = index(i);
      held[dtype][at] = isHalf ? roundToHalf(value * scale) : value;
      held.written[at] = 1;
    },
  };
}

type Operand = (name: string) => Access;

function runKernel(call: KernelCall, regions: Regions): void {
  const { kernel, parameters, bindings } = call;
  const declared = allKernels[kernel]?.bindings ?? {};
  const operand: Operand = (name) => {
    const element = declared[name]?.element as "f32" | "u32";
    return access(regions, bindings[name] as Placement, element);
  };
  const run = naive[kernel];
  demand(run !== undefined, "no such kernel");
  run(parameters, operand, regions, call);
}

type Naive = (p: Parameters, operand: Operand, regions: Regions, call: KernelCall) => void;

/** Where the operands of a product have their elements: left's for row and k, 0 where undefined; right's for k and column. */
function placesOf(p: Parameters) {
  const { rows = 0, columns = 0, depth = 0, transposeLeft, transposeRight, channels } = p;
  if (channels === undefined) {
    return {
      leftAt: (r: number, k: number) => (transposeLeft ? k * rows + r : r * depth + k),
      rightAt: (k: number, c: number) => (transposeRight ? c * depth + k : k * columns + c),
    };
  }
  return {
    leftAt: (r: number, k: number) => (transposeLeft ? windowIndex(p, k, r) : windowIndex(p, r, k)),
    rightAt: (k: number, c: number) =>
      transposeRight ? (Math.floor(k / channels) * columns + c) * channels + (k % channels) : k * columns + c,
  };
}

const product: Naive = (p, operand, regions, { chain }) => {
  const { rows = 0, columns = 0, depth = 0, biasRows = 0 } = p;
  const { leftAt, rightAt } = placesOf(p);
  const [left, right] = [operand("left"), operand("right")];
  const values = new Float64Array(rows * columns);
  const bias = biasRows > 0 ? operand("bias") : undefined;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const at = leftAt(r, k);
        if (at !== undefined) sum += left.get(at) * right.get(rightAt(k, c));
      }
      if (bias && r < biasRows) sum += bias.get(c);
      values[r * columns + c] = sum;
    }
  }
  if (chain) {
    const groups = Array.from({ length: p["groups"] as number }, (_, g) =>
      values.subarray(g * chain.count, (g + 1) * chain.count),
    );
    runChain(chain, (placement, dtype) => access(regions, placement, dtype), groups);
    return;
  }
  const out = operand("out");
  values.forEach((value, i) => {
    out.set(i, value);
  });
  const { sumsDepth = 0 } = p;
  for (let c = 0; sumsDepth > 0 && c < columns; c++) {
    let sum = 0;
    for (let k = 0; k < sumsDepth; k++) sum += right.get(k * columns + c);
    operand("sums").set(c, sum);
  }
};

const naive: Readonly<Record<string, Naive>> = {
  linear: product,
  convolve: product,
  matmulEach(p, operand) {
    const [left, right, out] = [operand("left"), operand("right"), operand("out")];
    const of = (name: string) => p[name] as number;
    for (let n = 0; n < of("batch0"); n++) {
      for (let m = 0; m < of("batch1"); m++) {
        for (let r = 0; r < of("rows"); r++) {
          for (let c = 0; c < of("columns"); c++) {
            let sum = 0;
            for (let k = 0; k < of("depth"); k++) {
              const a = left.get(n * of("left0") + m * of("left1") + r * of("leftRow") + k * of("leftDepth"));
              sum += a * right.get(n * of("right0") + m * of("right1") + k * of("rightDepth") + c * of("rightColumn"));
            }
            out.set(n * of("out0") + m * of("out1") + r * of("outRow") + c, of("scale") * sum);
          }
        }
      }
    }
  },
  reduce({ outer = 0, reduced = 0, inner = 0, kind = 0, scale = 1 }, operand) {
    const name = reductions[kind];
    const [from, out] = [operand("in"), operand("out")];
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = name === "max" ? Number.NEGATIVE_INFINITY : 0;
        for (let r = 0; r < reduced; r++) {
          const value = from.get((o * reduced + r) * inner + i);
          if (name === "max") total = Math.max(total, value);
          else total += name === "sum" ? value : value * value;
        }
        out.set(o * inner + i, scale * total);
      }
    }
  },
  random({ count = 0, kind = 0, stream = 0, bound = 0 }, operand, regions, { bindings }) {
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
  attention: interpretAttention,
  attentionReverse: interpretAttentionReverse,
  mlpFlow: interpretFlow,
  replaceRow({ rows = 0, width = 0 }, operand) {
    const [index, row, table] = [operand("index"), operand("row"), operand("table")];
    for (let k = 0; k < width; k++) table.set((index.get(0) % rows) * width + k, row.get(k));
  },
};
