/** The kernels that the report is about: every variant, as calls of a stated shape. */
import type { Dispatch } from "../src/backends/webgpu/dispatch.ts";
import { type LinearKernel, workgroupTiles } from "../src/backends/webgpu/linear-choice.ts";
import { lower } from "../src/backends/webgpu/lower.ts";
import { type ReduceShader, reduceShaders } from "../src/backends/webgpu/reduce-dispatches.ts";
import { mlpFlow, mlpFlowTiling } from "../src/kernels/mlp-flow.ts";
import type {
  ElementwiseLoad,
  ElementwiseOperand,
  ElementwiseStep,
  KernelCall,
  Placement,
} from "../src/schedule/program.ts";

export interface ReportedKernel {
  readonly name: string;
  readonly shape: string;
  readonly dispatch: Dispatch;
  /** Of the dispatch, at this shape. */
  readonly flops: number;
  /** From and to global memory, by every workgroup by itself. */
  readonly bytes: number;
  /** Why it runs on no GPU of the report, when it does not. */
  readonly software?: string;
}

export function kernelsToReport(): ReportedKernel[] {
  return [...products(), ...others()];
}

type Work = Pick<ReportedKernel, "flops" | "bytes">;

/** A matrix product to report, and the kernel that computes it. */
interface Product {
  readonly name: string;
  readonly kernel: LinearKernel;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly groups?: number;
  readonly segments?: number;
  readonly activation?: string;
  readonly bias?: boolean;
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
  readonly sumsDepth?: number;
}

/** The products of a training step at width 512, batch 512, one probe; and those for which other kernels are. */
const productsToReport: readonly Product[] = [
  { name: "layer", kernel: "tile", ...layer(512) },
  { name: "product alone", kernel: "tile", rows: 1024, columns: 512, depth: 512 },
  { name: "gradient of the input", kernel: "tile", rows: 1024, columns: 512, depth: 512, transposeRight: true },
  { name: "gradient of weights and bias", kernel: "tile", ...weightGradient(512) },
  { name: "any alignment", kernel: "tile", rows: 1021, columns: 509, depth: 511 },
  { name: "layer", kernel: "small", ...layer(128) },
  { name: "gradient of weights and bias, in 6 segments", kernel: "small", ...weightGradient(128), segments: 6 },
  { name: "first layer", kernel: "small", ...layer(512), depth: 3 },
  { name: "last layer, in 3 segments", kernel: "small", rows: 1024, columns: 2, depth: 512, bias: true, segments: 3 },
  { name: "product alone", kernel: "panel", rows: 1024, columns: 512, depth: 512 },
  { name: "gradient of weights and bias", kernel: "panel", ...weightGradient(512) },
  { name: "layer", kernel: "registers", ...layer(512) },
  { name: "gradient of weights and bias", kernel: "registers", ...weightGradient(512) },
  { name: "last layer", kernel: "strip", rows: 1024, columns: 2, depth: 512, bias: true },
];

function layer(width: number) {
  return { rows: 1024, columns: width, depth: width, groups: 2, activation: "silu", bias: true };
}

function weightGradient(width: number) {
  return { rows: width, columns: width, depth: 1024, transposeLeft: true, sumsDepth: 512 };
}

const forSoftware: Partial<Record<LinearKernel, string>> = {
  panel: "for software adapters whose subgroups have four lanes, which no GPU here has",
  registers: "for software adapters",
  strip: "for software adapters",
};

function products(): ReportedKernel[] {
  return productsToReport.flatMap((product) => {
    const { kernel, segments = 1 } = product;
    return dispatchesOf(callOf(product), kernel, segments).map((dispatch, i): ReportedKernel => {
      const shape = shapeOf(product);
      if (i === 1) return { name: `linear-join, ${segments} segments`, shape, dispatch, ...joinWork(product) };
      const software = forSoftware[kernel];
      const name = `linear-${kernel}, ${product.name}`;
      return { name, shape, dispatch, ...productWork(product), ...(software && { software }) };
    });
  });
}

function dispatchesOf(
  call: KernelCall,
  kernel: LinearKernel = "tile",
  segments = 1,
  reduce: ReduceShader = "reduce",
): readonly Dispatch[] {
  const program = {
    name: "report",
    state: [],
    calls: [call],
    arenas: [],
    constants: new Uint32Array(0),
    peakBytes: 0,
    lowerBoundBytes: 0,
    graph: { name: "report", updates: [] },
    describe: () => call.label,
  };
  return lower(program, { traits: { software: false }, linear: () => ({ kernel, segments }), reduce }).dispatches;
}

function shapeOf({ rows, columns, depth, groups = 1, transposeLeft, transposeRight }: Product): string {
  const parts = [`${rows} x ${depth} by ${depth} x ${columns}`];
  if (groups > 1) parts.push(`${groups} groups`);
  if (transposeLeft) parts.push("left transposed");
  if (transposeRight) parts.push("right transposed");
  return parts.join(", ");
}

function place(name: string, length: number, offset = 0): Placement {
  return { region: { kind: "state", name }, offset, length };
}

const fromProduct = (index: number): ElementwiseOperand => ({ from: "product", index });
const fromStep = (index: number): ElementwiseOperand => ({ from: "step", index });
const fromLoad = (index: number): ElementwiseOperand => ({ from: "load", index });
const constant = (value: number): ElementwiseOperand => ({ from: "constant", value });

function step(name: string, ...operands: ElementwiseOperand[]): ElementwiseStep {
  return { function: name, operands, dtype: "f32" };
}

function callOf(product: Product): KernelCall {
  const { name, rows, columns, depth, groups = 1, activation, bias, sumsDepth = 0 } = product;
  const count = (rows * columns) / groups;
  const call = {
    kernel: "linear",
    label: name,
    parameters: {
      rows,
      columns,
      depth,
      transposeLeft: Number(product.transposeLeft ?? false),
      transposeRight: Number(product.transposeRight ?? false),
      biasRows: bias ? rows / groups : 0,
      hasAddend: 0,
      activation: 0,
      groups,
      sumsDepth,
    },
    bindings: {
      left: place("left", rows * depth),
      right: place("right", depth * columns),
      ...(bias && { bias: place("bias", columns) }),
      ...(!activation && { out: place("out", rows * columns) }),
      ...(sumsDepth > 0 && { sums: place("sums", columns) }),
    },
    flops: 0,
    bytes: 0,
  };
  if (!activation) return call;
  const store = (where: string, group: number, source: ElementwiseOperand) => ({
    placement: place(where, count, group * count),
    source,
    dtype: "f32" as const,
  });
  const steps = [
    step(`${activation}0`, fromProduct(0)),
    step(`${activation}1`, fromProduct(0)),
    step("multiply", fromStep(1), fromProduct(1)),
  ];
  const stores = [
    store("out", 0, fromStep(0)),
    store("out", 1, fromStep(2)),
    store("kept", 0, fromProduct(0)),
    store("kept", 1, fromProduct(1)),
  ];
  return { ...call, chain: { count, loads: [], steps, stores } };
}

function productWork({ kernel, rows, columns, depth, activation, segments = 1 }: Product): Work {
  const tile = workgroupTiles[kernel];
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const stored = segments > 1 ? segments : activation ? 2 : 1;
  return {
    flops: 2 * rows * columns * depth,
    bytes: 4 * (tiles * (tile.rows + tile.columns) * depth + stored * rows * columns),
  };
}

function joinWork({ rows, columns, segments = 1 }: Product): Work {
  return { flops: segments * rows * columns, bytes: 4 * (segments + 1) * rows * columns };
}

function others(): ReportedKernel[] {
  return otherCalls().flatMap(({ name, shape, call, work, reduce }) =>
    dispatchesOf(call, undefined, undefined, reduce).map((dispatch, i, all): ReportedKernel => {
      const part = all.length > 1 ? `, ${i === 0 ? "segments" : "their join"}` : "";
      const software = reduce === "reduce-serial" && forSoftware.strip;
      return { name: `${name}${part}`, shape, dispatch, ...work, ...(software && { software }) };
    }),
  );
}

interface OtherCall {
  readonly name: string;
  readonly shape: string;
  readonly call: KernelCall;
  readonly work: Work;
  readonly reduce?: ReduceShader;
}

function otherCall(
  shape: string,
  work: Work,
  call: Pick<KernelCall, "kernel"> & Partial<KernelCall>,
  name = call.kernel,
): OtherCall {
  return { name, shape, work, call: { label: name, parameters: {}, bindings: {}, flops: 0, bytes: 0, ...call } };
}

function otherCalls(): OtherCall[] {
  const parameters = 788_992; // 4 hidden layers of 512
  return [...reductions(parameters), ...draws(), ...moves(), adam(parameters), ...flows()];
}

function reductions(parameters: number): OtherCall[] {
  const sizes: readonly (readonly [kind: number, outer: number, reduced: number, inner: number])[] = [
    [0, 8192, 2, 1],
    [0, 512, 512, 1],
    [0, 1, 512, 512],
    [1, 512, 512, 1],
    [2, 1, parameters, 1],
  ];
  const all = reduceShaders.flatMap((reduce) => sizes.map((size) => ({ reduce, size })));
  return all.map(({ reduce, size: [kind, outer, reduced, inner] }) => {
    const count = outer * reduced * inner;
    const bindings = { in: place("in", count), out: place("out", outer * inner) };
    const call = { kernel: "reduce", parameters: { outer, reduced, inner, kind, scale: 1 }, bindings };
    const shape = `${outer} x ${reduced} x ${inner}`;
    const name = `${reduce}, ${["sum", "max", "sumOfSquares"][kind]}, ${shape}`;
    return { ...otherCall(shape, { flops: count, bytes: 4 * (count + outer * inner) }, call, name), reduce };
  });
}

function draws(): OtherCall[] {
  const count = 1024;
  return ["bits", "uniform", "normal", "rademacher", "index"].map((kind, k) => {
    const parameters = { count, kind: k, stream: 1, bound: 1 };
    const bindings = { seed: place("seed", 2), counter: place("counter", 1), out: place("out", count) };
    const flops = kind === "normal" ? 40 * count : 0; // the bits are integer arithmetic
    const call = { kernel: "random", parameters, bindings };
    return otherCall(`${count} numbers`, { flops, bytes: 4 * count }, call, `random, ${kind}`);
  });
}

function moves(): OtherCall[] {
  const along = (side: string) => ({
    [`${side}Start`]: 0,
    [`${side}Stride0`]: 0,
    [`${side}Stride1`]: 0,
    [`${side}Stride2`]: 3,
    [`${side}Stride3`]: 1,
  });
  const copied = { size0: 1, size1: 1, size2: 512, size3: 3, ...along("source"), ...along("target") };
  return [
    otherCall(
      "512 x 3",
      { flops: 0, bytes: 8 * 1536 },
      {
        kernel: "copy",
        parameters: copied,
        bindings: { source: place("in", 1536), target: place("out", 1536) },
      },
    ),
    otherCall(
      "512 rows of 2",
      { flops: 0, bytes: 8 * 1024 + 4 * 512 },
      {
        kernel: "gather",
        parameters: { count: 512, width: 2, rows: 4096 },
        bindings: { table: place("table", 8192), indices: place("indices", 512), out: place("out", 1024) },
      },
    ),
    otherCall(
      "512 rows of 2 to 64",
      { flops: 1024, bytes: 4 * (128 * 512 + 1024 + 128) },
      {
        kernel: "scatterAdd",
        parameters: { count: 512, width: 2, rows: 64 },
        bindings: { values: place("values", 1024), indices: place("indices", 512), out: place("out", 128) },
      },
    ),
    otherCall(
      "a row of 64",
      { flops: 0, bytes: 8 * 64 },
      {
        kernel: "replaceRow",
        parameters: { rows: 64, width: 64 },
        bindings: { index: place("index", 1), row: place("row", 64), table: place("table", 4096) },
      },
    ),
  ];
}

/** An optimizer's chain: moments, step, and a select that keeps the old values after a bad step. */
function adam(count: number): OtherCall {
  const inOrder = (name: string): ElementwiseLoad => {
    return { placement: place(name, count), divisor: 1, modulus: count, dtype: "f32" };
  };
  const scalar = (name: string): ElementwiseLoad => {
    return { placement: place(name, 1), divisor: 1, modulus: 1, dtype: "f32" };
  };
  const states = ["parameters", "first", "second"];
  const steps = [
    step("multiply", constant(0.9), fromLoad(1)),
    step("multiply", constant(0.1), fromLoad(3)),
    step("add", fromStep(0), fromStep(1)),
    step("multiply", fromLoad(3), fromLoad(3)),
    step("multiply", constant(0.999), fromLoad(2)),
    step("multiply", constant(0.001), fromStep(3)),
    step("add", fromStep(4), fromStep(5)),
    step("sqrt", fromStep(6)),
    step("add", fromStep(7), constant(1e-8)),
    step("divide", fromStep(2), fromStep(8)),
    step("multiply", fromLoad(4), fromStep(9)),
    step("subtract", fromLoad(0), fromStep(10)),
    step("select", fromLoad(5), fromStep(11), fromLoad(0)),
    step("select", fromLoad(5), fromStep(2), fromLoad(1)),
    step("select", fromLoad(5), fromStep(6), fromLoad(2)),
  ];
  const chain = {
    count,
    loads: [...states.map(inOrder), inOrder("gradient"), scalar("rate"), scalar("finite")],
    steps,
    stores: states.map((name, k) => ({
      placement: place(name, count),
      source: fromStep(12 + k),
      dtype: "f32" as const,
    })),
  };
  const work = { flops: 12 * count, bytes: 28 * count };
  return otherCall(`${count} parameters`, work, { kernel: "elementwise", chain }, "elementwise, Adam's chain");
}

/** 100 Euler steps of 4096 points in 2 dimensions through 4 hidden layers of 128, without and with 1 to 3 tangents. */
function flows(): OtherCall[] {
  const [rows, dimension, widest, steps] = [4096, 2, 128, 100];
  const widths = [dimension + 1, ...Array.from({ length: 4 }, () => widest), dimension];
  const layers = widths.slice(1).map((outputs, k) => ({ inputs: widths[k] as number, outputs }));
  const weights = layers.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const total = weights + layers.reduce((sum, { outputs }) => sum + outputs, 0);
  return [0, 1, 2, 3].map((probes) => {
    const tiling = mlpFlowTiling({ dimension, widest, probes });
    const parameters = {
      ...{ rows, dimension, layers: layers.length, activation: 0, stages: 1, probes, exact: 0, ...tiling },
      ...{ a1: 0, a2: 0, a3: 0, b0: 1, b1: 0, b2: 0, b3: 0, c1: 0, c2: 0, c3: 0 },
    };
    const flow = rows * (dimension + probes);
    const directions = rows * dimension * probes;
    const bindings = {
      ...{ parameters: place("parameters", total), vectors: place("parameters", total) },
      ...{ layers: place("layers", 3 * layers.length), times: place("times", steps + 1), range: place("range", 2) },
      ...{ probe: place("probe", Math.max(1, directions)), flow: place("flow", flow) },
    };
    const workgroups = mlpFlow.workgroups(parameters).reduce((product, count) => product * count, 1);
    const work = {
      flops: 2 * weights * rows * (1 + probes) * steps,
      bytes: 4 * (total * steps * workgroups + 2 * flow + directions),
    };
    const shape = `${steps} steps of ${rows} points, 4 x ${widest}, ${probes} tangents`;
    return otherCall(shape, work, { kernel: "mlpFlow", parameters, bindings }, `mlpFlow, ${probes} tangents`);
  });
}
